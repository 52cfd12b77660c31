"""What rooms that costs may not know tell the operator's overview: states, and what to look at.

app.py joins them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from offhook.db import Session


@dataclass(frozen=True, slots=True)
class Standing:
    """A team's state as billing names it; `kind` is the pill's."""

    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that an operator should look at; `kind` is a note's: info, warning, error."""

    kind: str
    sentence: str
    href: str = ""
    link: str = ""


StandingSource = Callable[[Session, str], Awaitable[Standing]]
HintSource = Callable[[Session], Awaitable[list[Hint]]]
_standings: list[StandingSource] = []
_hints: list[HintSource] = []


def standings_from(source: StandingSource) -> None:
    """Let `source(session, team_id)` tell a team's state."""
    if source not in _standings:
        _standings.append(source)


def hints_from(source: HintSource) -> None:
    """Let `source(session)` tell what to look at (system scope)."""
    if source not in _hints:
        _hints.append(source)


async def standing_of(session: Session, team_id: str) -> Standing | None:
    """None where nobody tells it."""
    for source in _standings:
        return await source(session, team_id)
    return None


async def hints(session: Session) -> list[Hint]:
    return [hint for source in _hints for hint in await source(session)]
