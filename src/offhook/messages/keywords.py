"""Whether a text is a keyword of the carriers' rules; a wish in other words is wishes.py's.

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
# unsubscribe; and arret, which Canadian carriers honour beside them (CWTA).
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
        "arret",
        "arrêt",
    }
)
START = frozenset({"start", "yes", "unstop"})
HELP = frozenset({"help", "info", "aide"})


FRENCH = frozenset({"arret", "arrêt", "aide"})


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


def language_of(text: str) -> str:
    """The language that a keyword is in; "" for those which are used in any."""
    return "fr" if _alone_on_first_line(text) in FRENCH else ""


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
