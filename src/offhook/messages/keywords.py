"""Whether a text is a keyword of the carriers' rules, or a wish to stop in other words.

A keyword counts when it stands alone on the first line, whatever signature is below it, in any
case, with punctuation around it (S4, SEC18); inside a sentence it does not. START and its synonyms
count only for somebody who is opted out, and otherwise go to the agent. Pure; no I/O.
"""

import re
import unicodedata
from enum import StrEnum


class Keyword(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"


# CTIA and the FCC's words (47 CFR 64.1200(a)(10)): stop, quit, end, revoke, opt out, cancel,
# unsubscribe.
STOP = frozenset(
    {
        "stop",
        "stopall",
        "stop all",
        "unsubscribe",
        "cancel",
        "end",
        "quit",
        "revoke",
        "optout",
        "opt out",
    }
)
START = frozenset({"start", "yes", "unstop"})
HELP = frozenset({"help", "info"})

# SEC18, "any reasonable means": a plain wish to hear no more, addressed to us.
_CONTACTING = r"(?:text|texting|messag(?:e|ing)|contact(?:ing)?|sms|spam(?:ming)?|bother(?:ing)?)"
_WISHES = re.compile(
    r"\b(?:"
    rf"(?:stop|quit|cease)\s+{_CONTACTING}(?:\s+(?:me|us|my|this|now|please))?\b"
    r"|(?:stop|quit|cease)\s+sending\s+(?:me|us|these|this|those|texts?|messages?|sms)\b"
    r"|stop\s+(?:these|those|the|all)\s+(?:\w+\s+)?(?:texts?|messages?|sms|spam)\b"
    rf"|(?:do\s*n[o']?t|never)\s+(?:ever\s+)?{_CONTACTING}\s+(?:me|us|this\s+number)\b"
    r"|(?:do\s*n[o']?t|never)\s+send\s+(?:me|us)\s+(?:any\s+)?(?:more|texts?|messages?|sms)\b"
    r"|no\s+more\s+(?:\w+\s+)?(?:texts?|messages?|sms)\b"
    r"|(?:take|get|remove)\s+(?:me|us|my\s+number|this\s+number)\s+(?:off|from|out\s+of)\b"
    r"|(?:remove|delete)\s+(?:me|my\s+number)\b"
    r"|unsubscribe\s+(?:me|us)\b"
    r"|(?:want|like|wish|need|please)(?:\s+to)?\s+(?:be\s+)?(?:unsubscribed?|opt(?:ed)?[\s-]*out)\b"
    r"|opt\s+me\s+out\b"
    r"|leave\s+me\s+alone\b"
    r"|lose\s+(?:my|this)\s+number\b"
    r"|i\s+(?:revoke|withdraw)\s+(?:my\s+)?consent\b"
    r")"
)
_NOT_US = re.compile(r"\b(?:he|she|they|it|him|them)\b.{0,20}\b(?:stop|quit)\b")


def keyword(text: str, *, opted_out: bool) -> Keyword | None:
    """The keyword that `text` is, for a sender who is, or is not, opted out; None: no keyword."""
    word = _alone_on_first_line(text)
    if word in STOP:
        return Keyword.STOP
    if word in HELP:
        return Keyword.HELP
    if word in START and opted_out:
        return Keyword.START
    return None


def wishes_to_stop(text: str) -> bool:
    """Whether `text`, which is no keyword, plainly asks us to stop (SEC18).

    Decides only whether the agent's reply is replaced by the question, so it may be wide.
    """
    folded = _folded(text).replace("\u2019", "'")
    line = " ".join(re.sub(r"[^\w\s'-]", " ", folded).split())
    return bool(_WISHES.search(line)) and not _NOT_US.search(line)


def _alone_on_first_line(text: str) -> str:
    """The first line that says anything, trimmed of what is neither letter nor digit."""
    for line in _folded(text).splitlines():
        words = re.sub(r"^[\W_]+|[\W_]+$", "", line)
        if words:
            return re.sub(r"[\s\-\u2010-\u2015_.]+", " ", words)
    return ""


def _folded(text: str) -> str:
    """Full-width and styled letters as plain ones, no case, nothing invisible (SM2)."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(each for each in plain if unicodedata.category(each) != "Cf")
