"""What a number's manners may be, and whether they hold a text back; pure, time as an argument.

A text that is held back is kept and shown, neither answered nor counted. The brakes are SEC11's: a
sender gets so many replies an hour and a day; of one block of ten thousand numbers so many new
senders an hour are answered, which is how pumped traffic comes; senders of other countries only
where the owner says so; and two machines that text each other are parted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import SequenceMatcher

from offhook.errors import Invalid
from offhook.messages.rules import OVERDUE_S, Why

EVERYWHERE = "*"
MAX_SETTLE_MS = 20_000
MAX_REPLIES = 10_000
MAX_COUNTRIES = 60
BLOCK_DIGITS = 4
"""A block is the numbers that differ in their last four digits only."""
WINDOW = timedelta(minutes=5)
PARTED = timedelta(hours=1)
"""How long a text that looked like a machine's silences its thread."""
MOST_TURNS = 8
OURS_AT_LEAST = 3
THEIRS_AT_LEAST = 4
ALIKE = 0.9
SHORT_CHARACTERS = 12
"""Shorter texts ("Yes please") are alike among people too."""
COMPARED_CHARACTERS = 320


class MannersInvalid(Invalid):
    code = "manners_invalid"


@dataclass(frozen=True, slots=True)
class Manners:
    """The manners of one number."""

    settle_ms: int | None = None
    """Quiet time before a burst is answered (S3); None: as the installation has it."""
    replies_per_hour: int = 10
    replies_per_day: int = 30
    new_senders_per_hour: int = 100
    countries: tuple[str, ...] = ()
    """ISO 3166 codes, or `*` for every country; empty: the number's own."""
    stops_loops: bool = True


BOUNDS = {
    "settle_ms": (0, MAX_SETTLE_MS),
    "replies_per_hour": (1, MAX_REPLIES),
    "replies_per_day": (1, MAX_REPLIES),
    "new_senders_per_hour": (1, MAX_REPLIES),
}


@dataclass(frozen=True, slots=True)
class Said:
    """One text of a thread. `by_hand`: by a person of the team, a program or a task."""

    ours: bool
    at: datetime
    text: str
    by_hand: bool = False
    waits: bool = False
    looped: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """What was texted in a thread lately: replies of the last hour and day, newest texts first."""

    replies_hour: int = 0
    replies_day: int = 0
    recent: Sequence[Said] = ()

    def oldest_waiting_s(self, instant: datetime) -> float:
        return max(
            ((instant - each.at).total_seconds() for each in self.recent if each.waits), default=0.0
        )


def check(manners: Manners, *, known_countries: frozenset[str]) -> Manners:
    """The same, its countries in order. Raises MannersInvalid with every fault."""
    errors: list[dict[str, str]] = []
    for name, (low, high) in BOUNDS.items():
        value = getattr(manners, name)
        if value is not None and not low <= value <= high:
            errors.append(
                {"field": name, "sentence": f"Use {low:,} to {high:,}; this is {value:,}."}
            )
    unknown = [each for each in manners.countries if each not in known_countries | {EVERYWHERE}]
    if unknown:
        sentence = f"“{unknown[0][:20]}” is no code of a country; use codes such as US, or *."
        errors.append({"field": "countries", "sentence": sentence})
    if errors:
        raise MannersInvalid(
            errors[0]["sentence"], remedy="Change it and save again.", errors=errors
        )
    return manners


def settle_s(manners: Manners, *, default_ms: int, oldest_waiting_s: float) -> float:
    """How long this text's job waits: the settle time, but never past the 20 s of a burst (S3)."""
    wanted_s = (default_ms if manners.settle_ms is None else manners.settle_ms) / 1000
    return min(wanted_s, max(0.0, OVERDUE_S - oldest_waiting_s))


def answers_country(manners: Manners, country: str, own: str) -> bool:
    """Whether texts from `country` are answered by a number of `own`; unknown is not abroad."""
    allowed = manners.countries or (own,)
    return not country or EVERYWHERE in allowed or country in allowed


def block_of(sender: str) -> tuple[str, str]:
    """The first and the last number of the sender's block."""
    first = sender[:-BLOCK_DIGITS]
    return first + "0" * BLOCK_DIGITS, first + "9" * BLOCK_DIGITS


def held_back(manners: Manners, talk: Talk, instant: datetime) -> Why | None:
    """What holds back the reply to the newest text of this thread, whoever else texts."""
    if manners.stops_loops and (_was_parted(talk, instant) or looks_like_a_loop(talk, instant)):
        return Why.LOOP
    if talk.replies_hour >= manners.replies_per_hour or talk.replies_day >= manners.replies_per_day:
        return Why.SENDER_BRAKE
    return None


def _was_parted(talk: Talk, instant: datetime) -> bool:
    """Whether a loop was found here within the hour, and no person has written since."""
    for said in talk.recent:
        if said.by_hand:
            return False
        if said.looped:
            return instant - said.at < PARTED
    return False


def looks_like_a_loop(talk: Talk, instant: datetime) -> bool:
    """Whether two machines seem to text each other: more than eight turns in five minutes, and what
    comes in says the same again and again, or what we said (SEC11).
    """
    turns = [each for each in talk.recent if instant - each.at <= WINDOW]
    if len(turns) <= MOST_TURNS or any(each.by_hand for each in turns):
        return False
    ours = [_compared(each.text) for each in turns if each.ours]
    theirs = [_compared(each.text) for each in turns if not each.ours]
    if len(ours) < OURS_AT_LEAST or len(theirs) < THEIRS_AT_LEAST:
        return False
    repeated = sum(
        any(_alike(text, other) for other in (*theirs[index + 1 :], *ours))
        for index, text in enumerate(theirs)
    )
    return repeated * 4 >= (len(theirs) - 1) * 3


def _compared(text: str) -> str:
    """What a machine says again with other numbers in it is the same."""
    return " ".join(re.sub(r"\d+", "0", text.casefold()).split())[:COMPARED_CHARACTERS]


def _alike(one: str, other: str) -> bool:
    if min(len(one), len(other)) < SHORT_CHARACTERS:
        return False
    if one == other:
        return True
    compared = SequenceMatcher(None, one, other, autojunk=False)
    return (
        compared.real_quick_ratio() >= ALIKE
        and compared.quick_ratio() >= ALIKE
        and compared.ratio() >= ALIKE
    )
