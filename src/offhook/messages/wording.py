"""What goes out as a text: a reply without markup, short enough, and the fixed sentences.

A language model writes Markdown; a phone shows it as it is. Links keep their address, lists their
items, and the rest of the marks go (HS2). Pure; no I/O.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from offhook.messages.rules import Kind
from offhook.messages.segments import fold, shorten


@dataclass(frozen=True, slots=True)
class Fixed:
    """What is said without the model, in one language; each fits one segment of GSM-7."""

    stopped: str
    started: str
    help: str
    ask: str


FIXED: Mapping[str, Fixed] = {
    "en": Fixed(
        "You will get no more messages from this number. Reply START to get them again.",
        "You will get messages from this number again. Reply STOP to end them.",
        "This number is answered by an assistant. Reply STOP to get no more messages.",
        "Shall we stop texting you? Reply STOP and you get no more messages from us.",
    ),
    "de": Fixed(
        "Sie erhalten keine Nachrichten mehr von dieser Nummer. Antworten Sie START, um sie "
        "wieder zu erhalten.",
        "Sie erhalten wieder Nachrichten von dieser Nummer. Antworten Sie STOP, um sie zu beenden.",
        "Hier antwortet ein Assistent. Antworten Sie STOP, um keine Nachrichten mehr zu erhalten.",
        "Sollen wir Ihnen nicht mehr schreiben? Antworten Sie STOP, dann erhalten Sie keine "
        "Nachrichten mehr.",
    ),
    "fr": Fixed(
        "Vous ne recevrez plus de messages de ce numéro. Répondez START pour en recevoir à "
        "nouveau.",
        "Vous recevrez à nouveau des messages de ce numéro. Répondez STOP pour y mettre fin.",
        "Un assistant répond à ce numéro. Répondez STOP pour ne plus recevoir de messages.",
        "Devons-nous cesser de vous écrire ? Répondez STOP et vous ne recevrez plus de messages.",
    ),
    "es": Fixed(
        "Ya no le enviaremos mensajes desde este teléfono. Responda START para recibirlos.",
        "Desde este teléfono le enviaremos mensajes de nuevo. Responda STOP para terminar.",
        "En este teléfono contesta un asistente. Responda STOP para dejar de recibir mensajes.",
        "¿Quiere que dejemos de escribirle? Responda STOP y no le enviaremos mensajes.",
    ),
    "it": Fixed(
        "Non riceverà più messaggi da questo numero. Risponda START per riceverli di nuovo.",
        "Riceverà di nuovo messaggi da questo numero. Risponda STOP per non riceverne più.",
        "A questo numero risponde un assistente. Risponda STOP per non ricevere più messaggi.",
        "Dobbiamo smettere di scriverle? Risponda STOP e non riceverà più messaggi.",
    ),
    "pt": Fixed(
        "Deixamos de enviar mensagens deste telefone. Responda START para as receber de novo.",
        "Voltamos a enviar mensagens deste telefone. Responda STOP para deixar de as receber.",
        "Neste telefone responde um assistente. Responda STOP para deixar de receber mensagens.",
        "Quer que deixemos de lhe escrever? Responda STOP e deixamos de enviar mensagens.",
    ),
    "nl": Fixed(
        "U ontvangt geen berichten meer van dit nummer. Antwoord START om ze weer te ontvangen.",
        "U ontvangt weer berichten van dit nummer. Antwoord STOP om ze te stoppen.",
        "Dit nummer wordt beantwoord door een assistent. Antwoord STOP om geen berichten meer te "
        "ontvangen.",
        "Zullen we u niet meer schrijven? Antwoord STOP en u ontvangt geen berichten meer.",
    ),
}
ENGLISH = FIXED["en"]
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


def fixed(language: str) -> Fixed:
    """The fixed sentences in `language` (de, pt-BR); in English where we have none in it."""
    return FIXED.get(language.casefold().partition("-")[0], ENGLISH)


def asked_in(question: str) -> str:
    """The language of our question whether to stop."""
    return next((name for name, each in FIXED.items() if each.ask == question), "en")


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
