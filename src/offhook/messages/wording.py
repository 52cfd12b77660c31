"""What goes out as a text: a reply without markup, short enough, and the fixed sentences.

A language model writes Markdown; a phone shows it as it is. Links keep their address, lists their
items, and the rest of the marks go (HS2). Pure; no I/O.
"""

import re

from offhook.messages.rules import Kind
from offhook.messages.segments import fold, shorten

STOP_CONFIRMED = "You will get no more messages from this number. Reply START to get them again."
START_CONFIRMED = "You will get messages from this number again. Reply STOP to end them."
HELP_ANSWER = "This number is answered by an assistant. Reply STOP to get no more messages."
ASK_TO_STOP = "Shall we stop texting you? Reply STOP and you get no more messages from us."
CODE = "{code} is your code. Tell it only to the assistant that you are talking to now."
CODE_SENT = "A code was texted, to be told back."
EMPTY_REPLY = "Sorry, I have no answer to that."

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"^```[^\n]*\n?", re.MULTILINE), ""),
    (re.compile(r"!?\[([^\]\n]+)\]\((\S+?)(?:\s+\"[^\"\n]*\")?\)"), r"\1: \2"),
    (re.compile(r"<(https?://[^\s<>]+)>"), r"\1"),
    (re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>\n]*)?/?>"), ""),
    (re.compile(r"^[ \t]{0,3}#{1,6}[ \t]+", re.MULTILINE), ""),
    (re.compile(r"^[ \t]{0,3}>[ \t]?", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*(?:[-*_][ \t]*){3,}$", re.MULTILINE), ""),
    (re.compile(r"^([ \t]*)[*+][ \t]+", re.MULTILINE), r"\1- "),
    (re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)_(?=[^\s_])([^_\n]+?)(?<=\S)_(?!\w)"), r"\1"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~"), r"\1"),
    (re.compile(r"`([^`\n]+)`"), r"\1"),
    (re.compile(r"[ \t]+$", re.MULTILINE), ""),
    (re.compile(r"\n{3,}"), "\n\n"),
)


def plain(text: str) -> str:
    """`text` without Markdown and tags, its words, line breaks and addresses kept."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip()


def as_text(reply: str, *, segments: int) -> str:
    """A reply as it is sent: plain, quotes folded (K3), at most `segments` segments (S5).

    Never empty: carriers refuse an empty text, and a person who asked gets something (C9).
    """
    return shorten(fold(plain(reply)) or EMPTY_REPLY, segments=segments)


def counts(kind: Kind) -> bool:
    """Whether a text that we send takes a unit: all but confirmations do (UT9)."""
    return kind is not Kind.CONFIRMATION
