"""Months by a team's time zone, as half-open spans of UTC instants (UL10, UP1-UP3, UM8).

A month ends at the first instant of the next one at the team's place, daylight saving and all.
A new zone takes effect when the running month ends (UP2): the months of a team stay contiguous,
disjoint and 26 to 33 days long (UI7). Pure: time and zone are arguments.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

# Two places of the world never differ by more than 26 hours, so that two days after its start a
# month is under way by any zone's calendar.
UNDER_WAY = timedelta(days=2)
DECEMBER = 12


@dataclass(frozen=True, slots=True)
class Period:
    """One month of a team: `starts_at` belongs to it, `ends_at` to the next (UP3)."""

    starts_at: datetime
    ends_at: datetime
    zone: str

    @property
    def month(self) -> date:
        """The first day of the calendar month that this period stands for."""
        return (self.starts_at + UNDER_WAY).astimezone(ZoneInfo(self.zone)).date().replace(day=1)

    def holds(self, instant: datetime) -> bool:
        return self.starts_at <= instant < self.ends_at


def month_holding(instant: datetime, zone: str) -> Period:
    """The calendar month of `zone` that `instant` is in: a team's first period."""
    local = instant.astimezone(ZoneInfo(zone))
    return Period(
        _first_instant(local.year, local.month, zone),
        _first_instant(*_next(local.year, local.month), zone),
        zone,
    )


def following(period: Period, zone: str) -> Period:
    """The period after `period` for a team that is in `zone` by then (UP2)."""
    local = (period.ends_at + UNDER_WAY).astimezone(ZoneInfo(zone))
    return Period(period.ends_at, _first_instant(*_next(local.year, local.month), zone), zone)


def _next(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == DECEMBER else (year, month + 1)


def _first_instant(year: int, month: int, zone: str) -> datetime:
    # Where midnight is skipped, the offset before the change names the very instant of the
    # change; where it comes twice, the first one counts. Both are fold=0.
    return datetime(year, month, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
