"""What numbers are called: told by the room above that keeps them.

app.py joins them: `usage.names_from(numbers.labels)`. The ledger itself knows only ids.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from offhook.db import Session


@dataclass(frozen=True, slots=True)
class Label:
    """A number's name and itself in E.164, each may be empty."""

    name: str
    e164: str = ""


Source = Callable[[Session, str], Awaitable[Mapping[str, Label]]]
_sources: list[Source] = []


def names_from(source: Source) -> None:
    """Let `source(session, team_id)` name the team's numbers, deleted ones too, by id."""
    if source not in _sources:
        _sources.append(source)


async def names(session: Session, team_id: str) -> dict[str, Label]:
    """The labels of the team's numbers by id; ids that nobody names are missing."""
    known: dict[str, Label] = {}
    for source in _sources:
        known.update(await source(session, team_id))
    return known
