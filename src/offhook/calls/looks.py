"""How calls are put into words and pictures for the pages. Pure."""

from collections.abc import Mapping

from offhook import phone
from offhook.calls.latency.rules import DEFINITIONS, TOTAL, Stage, spans
from offhook.calls.models import Call
from offhook.contacts import Contact

__all__ = ["COLORS", "DEFINITIONS", "TOTAL", "seconds", "spans", "who"]

COLORS: Mapping[Stage, int] = {
    Stage.DECIDED: 6,
    Stage.WORDS: 2,
    Stage.TEXT: 1,
    Stage.VOICE: 3,
    Stage.SENT: 5,
}
"""The colours of the charts."""


def who(call: Call, contact: Contact | None) -> str:
    """Whom the call is with, as a person says it."""
    if contact is not None and contact.name:
        return contact.name
    return phone.national(phone.E164(call.caller)) if call.caller else "Hidden number"


def seconds(ms: int) -> str:
    """`0.84 s`."""
    return f"{ms / 1000:.2f} s"
