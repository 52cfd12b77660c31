"""What new prices would have done to last month's usage: asked of the room above that has it.

app.py joins them: `prices.effect_from(usage.effect_of)`.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date

from offhook.db import Session
from offhook.prices.money import Money
from offhook.prices.rules import Price


@dataclass(frozen=True, slots=True)
class TeamEffect:
    """One team's last month: all its usage as it was rated, and as the new prices rate it.

    `units`: how many minutes and messages the new prices are for, free ones too.
    """

    team_id: str
    team_name: str
    month: date
    units: int
    before: Money
    after: Money

    @property
    def difference(self) -> Money:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Effect:
    """Every team that had a month, the largest difference first. Rents are not in it."""

    teams: tuple[TeamEffect, ...]

    @property
    def before(self) -> Money:
        return _sum([team.before for team in self.teams])

    @property
    def after(self) -> Money:
        return _sum([team.after for team in self.teams])

    @property
    def difference(self) -> Money:
        return self.after - self.before

    @property
    def touched(self) -> tuple[TeamEffect, ...]:
        return tuple(team for team in self.teams if team.units)


Source = Callable[[Session, Sequence[Price]], Awaitable[Effect]]
_sources: list[Source] = []


def effect_from(source: Source) -> None:
    """Let `source(session, drafts)` tell the effect; the session sees every team."""
    if source not in _sources:
        _sources.append(source)


async def effect(session: Session, drafts: Sequence[Price]) -> Effect:
    """The effect of `drafts` on the usage of every team's last month (system scope)."""
    found: list[TeamEffect] = []
    for source in _sources:
        found += (await source(session, drafts)).teams
    return Effect(tuple(found))


def _sum(amounts: Sequence[Money]) -> Money:
    total = Money(0, amounts[0].currency) if amounts else Money(0)
    for amount in amounts:
        total += amount
    return total
