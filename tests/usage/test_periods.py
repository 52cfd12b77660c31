"""Months by a team's zone: UL10, UP1 to UP3, UM8, UI7."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from offhook.usage.periods import Period, following, month_holding

ZONES = sorted(zone for zone in available_timezones() if "/" in zone and "Etc" not in zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "instant", "starts_at", "ends_at"),
    [
        ("UTC", "2026-02-10T00:00", "2026-02-01T00:00", "2026-03-01T00:00"),
        ("UTC", "2028-02-29T23:59", "2028-02-01T00:00", "2028-03-01T00:00"),
        ("UTC", "2026-12-31T23:59:59.999999", "2026-12-01T00:00", "2027-01-01T00:00"),
        # Half-open: the boundary belongs to the new month (UP3).
        ("UTC", "2026-03-01T00:00", "2026-03-01T00:00", "2026-04-01T00:00"),
        # Summer time begins within the month (UM8).
        ("Europe/Paris", "2026-03-15T00:00", "2026-02-28T23:00", "2026-03-31T22:00"),
        ("Pacific/Auckland", "2026-04-30T12:01", "2026-04-30T12:00", "2026-05-31T12:00"),
        ("Asia/Kathmandu", "2026-05-10T00:00", "2026-04-30T18:15", "2026-05-31T18:15"),
        # Midnight of the first is skipped: the month begins with the change itself.
        ("America/Asuncion", "2017-10-15T00:00", "2017-10-01T04:00", "2017-11-01T03:00"),
    ],
)
def test_a_month_is_the_zones_calendar_month(
    zone: str, instant: str, starts_at: str, ends_at: str
) -> None:
    period = month_holding(utc(instant), zone)
    assert (period.starts_at, period.ends_at) == (utc(starts_at), utc(ends_at))


def test_a_new_zone_counts_from_the_end_of_the_running_month() -> None:
    """UP2: Los Angeles to Tokyo in May 2026."""
    may = month_holding(utc("2026-05-14T12:00"), "America/Los_Angeles")
    june = following(may, "Asia/Tokyo")
    july = following(june, "Asia/Tokyo")
    assert (june.starts_at, june.ends_at) == (utc("2026-06-01T07:00"), utc("2026-06-30T15:00"))
    assert july.ends_at == utc("2026-07-31T15:00")
    assert [f"{period.month:%B}" for period in (may, june, july)] == ["May", "June", "July"]


def test_a_new_zone_to_the_west_makes_no_sliver_of_a_month() -> None:
    may = month_holding(utc("2026-05-14T12:00"), "Asia/Tokyo")
    june = following(may, "America/Los_Angeles")
    assert (june.starts_at, june.ends_at) == (utc("2026-05-31T15:00"), utc("2026-07-01T07:00"))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 35 * 365 * 24 * 3600),
    st.lists(st.sampled_from(ZONES), min_size=24, max_size=24),
)
def test_months_are_contiguous_and_26_to_33_days(second: int, zones: list[str]) -> None:
    """UI7, whatever the zones a team wanders through."""
    start = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    period = month_holding(start, zones[0])
    assert period.holds(start)
    months: list[Period] = [period]
    for zone in zones[1:]:
        months.append(following(months[-1], zone))
    for before, after in itertools.pairwise(months):
        assert before.ends_at == after.starts_at
        assert timedelta(days=26) <= after.ends_at - after.starts_at <= timedelta(days=33)
        assert (after.month.month - before.month.month) % 12 == 1
        assert after.ends_at.astimezone(ZoneInfo(after.zone)).day == 1


def walk(zones: Iterator[str]) -> None:
    """From 2024 to 2036 month by month, each by the next of `zones` (UI7, UP3)."""
    before = month_holding(datetime(2024, 1, 15, tzinfo=UTC), next(zones))
    while before.ends_at.year < 2036:
        month = following(before, next(zones))
        assert month.starts_at == before.ends_at
        assert timedelta(days=26) <= month.ends_at - month.starts_at <= timedelta(days=33)
        assert not before.holds(month.starts_at)
        assert month.holds(month.starts_at)
        assert month.holds(month.ends_at - timedelta(microseconds=1))
        before = month


def test_twelve_years_in_every_zone_of_the_world_have_no_gap() -> None:
    """UI7, UM8: leap days, summer times, and a zone that stays."""
    for zone in available_timezones():
        walk(itertools.repeat(zone))


def test_twelve_years_of_moving_on_each_month_have_no_gap() -> None:
    """UP2, UI7: a team that is elsewhere each month, from each zone of the world on."""
    everywhere = sorted(available_timezones())
    for start in range(0, len(everywhere), 10):
        walk(everywhere[(start + 97 * step) % len(everywhere)] for step in itertools.count())
