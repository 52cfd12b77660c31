"""A month's local days: contiguous, of 23 to 25 hours, in any zone, also where the zone changed."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.usage.daily import day_at, days_of
from offhook.usage.periods import following, month_holding

ZONES = [
    "UTC",
    "America/New_York",
    "Europe/Paris",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "America/Sao_Paulo",  # changed at midnight
    "Africa/Cairo",  # changes at midnight
    "Pacific/Apia",  # skipped 30 December 2011
    "Pacific/Chatham",
]
ODD = [
    # zone, month, days, the odd day, its hours
    ("Europe/Paris", (2026, 3), 31, 29, 23),
    ("Europe/Paris", (2026, 10), 31, 25, 25),
    ("America/New_York", (2026, 3), 31, 8, 23),
    ("America/New_York", (2026, 11), 30, 1, 25),
    ("America/Sao_Paulo", (2018, 2), 28, 17, 25),  # midnight came twice
    ("America/Sao_Paulo", (2018, 11), 30, 4, 23),  # no midnight: the day begins at one
    ("Australia/Lord_Howe", (2026, 4), 30, 5, 24.5),
    ("Pacific/Apia", (2011, 12), 30, 29, 24),  # no 30 December at all
]


@pytest.mark.parametrize(("zone", "month", "count", "odd", "hours"), ODD)
def test_a_day_is_as_long_as_the_clocks_make_it(
    zone: str, month: tuple[int, int], count: int, odd: int, hours: float
) -> None:
    days = days_of(month_holding(datetime(*month, 15, tzinfo=UTC), zone))
    assert len(days) == count
    named = next(day for day in days if day.date == date(*month, odd))
    assert named.length == timedelta(hours=hours)


@given(
    zone=st.sampled_from(ZONES),
    then=st.sampled_from(ZONES),
    moment=st.integers(631_152_000, 2_051_222_400).map(lambda s: datetime.fromtimestamp(s, UTC)),
)
def test_days_are_contiguous_and_cover_their_month(zone: str, then: str, moment: datetime) -> None:
    """Also the month in which a new zone begins to count (UP2), whose first day may be short."""
    first = month_holding(moment, zone)
    for period in (first, following(first, then)):
        days = days_of(period)
        assert days[0].starts_at == period.starts_at
        assert days[-1].ends_at == period.ends_at
        assert all(a.ends_at == b.starts_at for a, b in pairwise(days))
        assert [day.date for day in days] == sorted({day.date for day in days})
        for index, day in enumerate(days):
            assert day_at(days, day.starts_at) == index
            assert day_at(days, day.ends_at - timedelta(microseconds=1)) == index
            middle = day.starts_at + day.length / 2
            assert middle.astimezone(ZoneInfo(period.zone)).date() == day.date


def test_the_first_month_of_a_new_zone_begins_with_a_part_of_a_day() -> None:
    """LA to Tokyo: June 2026 begins at 16:00 of Tokyo's first of June (UP2)."""
    may = month_holding(datetime(2026, 5, 15, tzinfo=UTC), "America/Los_Angeles")
    days = days_of(following(may, "Asia/Tokyo"))
    assert (days[0].date, days[0].length) == (date(2026, 6, 1), timedelta(hours=8))
    assert (days[-1].date, len(days)) == (date(2026, 6, 30), 30)
    april = month_holding(datetime(2026, 4, 15, tzinfo=UTC), "Asia/Tokyo")
    days = days_of(following(april, "America/Los_Angeles"))
    assert (days[0].date, len(days)) == (date(2026, 4, 30), 32)  # their April is not over yet
