"""Pages that stand before the page that was asked for: log-in, consent, scripts, "not found".

A server answers all of these with 200. They are told by what they say and by how little they say
besides; a page with much text of its own is never taken for one. Pure.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """A page as a visitor sees it: its own text, and everything on it with banners and menus."""

    title: str
    told: str
    everything: str
    password: bool
    scripts: int


_SCRIPTS = re.compile(
    r"(?:enable|activate|turn on|requires?|without|activez) [\w ]{0,20}javascript"
    r"|javascript (?:is|must be|ist|est) [\w ]{0,12}(?:disabled|required|enabled|deaktiviert)"
    r"|javascript (?:aktivieren|n.cessaire)",
    re.IGNORECASE,
)
_PERSON = re.compile(
    r"verify (?:that )?you(?: are|.re) (?:a )?human|checking your browser|captcha"
    r"|are you a robot|unusual traffic|just a moment",
    re.IGNORECASE,
)
_CONSENT = re.compile(r"cookies?\b|consent|datenschutz|confidentialit", re.IGNORECASE)
_AGREE = re.compile(
    r"accept|agree|allow|reject|manage|continue|akzeptieren|zustimmen|accepter|refuser|aceptar",
    re.IGNORECASE,
)
_LOG_IN = re.compile(
    r"\b(?:log ?in|sign ?in|anmelden|einloggen|connexion|iniciar sesi.n|password|passwort)\b",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(
    r"\b404\b|\b(?:page|seite|file) (?:was |could )?not (?:be )?found|not found"
    r"|(?:does ?n.t|does not|no longer) exist|nicht gefunden|existiert nicht|introuvable"
    r"|no encontrada",
    re.IGNORECASE,
)
# A page with more text of its own than this is the page, whatever else it says.
OWN_TEXT_CHARS = 600
LOG_IN_CHARS = 800
BARE_CHARS = 60


def doubt(seen: Seen) -> str:
    """Why this is hardly the page that was asked for, in a sentence; "" when it seems to be."""
    return next((sentence for stands, most, sentence in _WALLS
                 if len(seen.told) < most and stands(seen)), "")  # fmt: skip


def _not_found(seen: Seen) -> bool:
    return bool(_NOT_FOUND.search(seen.title) or _NOT_FOUND.search(seen.told[:200]))


def _asks_for_a_person(seen: Seen) -> bool:
    return bool(_PERSON.search(seen.title) or _PERSON.search(seen.everything))


def _needs_scripts(seen: Seen) -> bool:
    bare = len(seen.told) < BARE_CHARS and seen.scripts > 0
    return bare or bool(_SCRIPTS.search(seen.everything))


def _asks_for_consent(seen: Seen) -> bool:
    asks = _CONSENT.search(seen.everything) and _AGREE.search(seen.everything)
    return bool(asks) and _is_bare(seen)


def _is_bare(seen: Seen) -> bool:
    """What is left without the sentences about cookies is next to nothing."""
    sentences = re.split(r"(?<=[.!?])\s+|\n+", seen.told)
    own = [each for each in sentences if not _CONSENT.search(each) and not _AGREE.search(each)]
    return sum(len(each.lstrip("# ")) for each in own) < 2 * BARE_CHARS


# What stands before the page, below how much text of its own, and how that is said.
_WALLS: tuple[tuple[Callable[[Seen], bool], int, str], ...] = (
    (lambda seen: seen.password, LOG_IN_CHARS, "It asks to log in."),
    (_not_found, OWN_TEXT_CHARS, "It says that the page was not found."),
    (_asks_for_a_person, OWN_TEXT_CHARS, "It asks visitors to show that they are no robots."),
    (_asks_for_consent, OWN_TEXT_CHARS, "It asks for consent to cookies and shows nothing else."),
    (_needs_scripts, OWN_TEXT_CHARS, "It shows its text only where JavaScript runs."),
    (lambda seen: bool(_LOG_IN.search(seen.title)), OWN_TEXT_CHARS, "It asks to log in."),
)
