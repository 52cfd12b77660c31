"""The forecast as tables: a day, "not at this pace", or nothing when too little is known."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.usage.daily import days_of
from offhook.usage.forecast import Forecast, Outlook, forecast, pace
from offhook.usage.periods import month_holding

NOVEMBER = month_holding(datetime(2026, 11, 10, tzinfo=UTC), "UTC")
DAYS = days_of(NOVEMBER)


def at(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def month(*units: int) -> list[int]:
    return [*units, *[0] * (len(DAYS) - len(units))]


def expect(
    units: list[int], limit: int | None, present: datetime, since: datetime | None = None
) -> Forecast:
    return forecast(DAYS, units, limit=limit, present=present, since=since)


TABLE = [
    # used per day so far            limit  the present    what is said
    (month(), 300, at(10), Outlook.UNKNOWN, None),
    (month(10, 10), 300, at(3), Outlook.UNKNOWN, None),  # two whole days are too few
    (month(10, 10, 10), 300, at(4), Outlook.ON, 30),
    (month(10, 10, 10), 301, at(4), Outlook.NOT, None),  # 300 by the end of the month
    (month(10, 10, 10), 45, at(4), Outlook.ON, 5),
    (month(10, 10, 10), 30, at(4), Outlook.REACHED, None),
    (month(10, 10, 10), None, at(4), Outlook.UNKNOWN, None),  # no limit
    (month(0, 0, 90, 0, 0), 100, at(6), Outlook.UNKNOWN, None),  # one day makes no pace
    (month(1, 0, 300, 0, 0), 400, at(6), Outlook.NOT, None),  # nor does an exceptional one
    (month(10, 10, 10, 10), 50, at(4, 12), Outlook.ON, 5),  # today's own are used already
    (month(10, 10, 10, 0), 35, at(4, 12), Outlook.ON, 4),  # half of today is to come
    (month(10, 10, 10, 0), 36, at(4, 12), Outlook.ON, 5),
    (month(*[10] * 29, 0), 300, at(30), Outlook.ON, 30),
    (month(*[10] * 29, 0), 300, at(30, 12), Outlook.NOT, None),
]


@pytest.mark.parametrize(("units", "limit", "present", "outlook", "day"), TABLE)
def test_a_limit_is_forecast_from_the_months_pace(
    units: list[int], limit: int | None, present: datetime, outlook: Outlook, day: int | None
) -> None:
    said = expect(units, limit, present)
    assert (said.outlook, said.day) == (outlook, date(2026, 11, day) if day else None)


def test_weekdays_count_by_their_own_share_after_two_weeks() -> None:
    """November 2026 begins on a Sunday: nothing on weekends, 10 on each weekday."""
    units = [10 if day.date.weekday() < 5 else 0 for day in DAYS[:14]]
    fortnight = pace(DAYS[:14], units)
    assert fortnight is not None
    saturday, monday = fortnight.on(DAYS[20]), fortnight.on(DAYS[22])
    assert (saturday < 3, monday > 9) == (True, True)
    thirteen = pace(DAYS[:13], units[:13])
    assert thirteen is not None
    assert thirteen.on(DAYS[20]) == thirteen.on(DAYS[22])
    # 100 used by Saturday the 14th; the 110th comes on Monday, not on the weekend.
    assert expect(month(*units), 108, at(15)).day == date(2026, 11, 16)


def test_days_before_the_number_came_say_nothing() -> None:
    units = month(*[0] * 10, 5, 20, 20, 20)
    assert expect(units, 100, at(15)).outlook is Outlook.ON
    late = expect(units, 400, at(15), since=at(11, 9))
    assert late.expected == 65 + 16 * 20  # the mean of the three whole days since
    assert expect(units, 400, at(14), since=at(11, 9)).outlook is Outlook.UNKNOWN


def test_the_path_starts_at_what_is_used_and_ends_at_what_is_expected() -> None:
    said = expect(month(10, 10, 10, 4), 300, at(4, 12))
    assert said.path[0] == 34 + 5
    assert round(said.path[-1]) == said.expected
    assert len(said.path) == 27


def test_a_day_of_25_hours_has_its_own_length() -> None:
    """At noon of the day on which New York's clocks go back 13 of its 25 hours are over."""
    zone = ZoneInfo("America/New_York")
    period = month_holding(datetime(2026, 11, 10, tzinfo=UTC), "America/New_York")
    days = days_of(period)
    noon = datetime(2026, 11, 1, 12, tzinfo=zone)
    assert days[0].length == timedelta(hours=25)
    assert (days[0].ends_at - noon) / days[0].length == 12 / 25
    assert forecast(days, month(), limit=5, present=noon).outlook is Outlook.UNKNOWN


@given(
    units=st.lists(st.integers(0, 500), min_size=4, max_size=30),
    limit=st.integers(1, 5000),
    hour=st.integers(0, 23),
)
def test_a_forecast_day_is_ahead_and_a_higher_limit_is_never_sooner(
    units: list[int], limit: int, hour: int
) -> None:
    today = len(units)
    present = at(today, hour)
    said = expect(month(*units), limit, present)
    higher = expect(month(*units), limit + 1, present)
    if said.outlook is Outlook.ON:
        assert said.day is not None
        assert today <= said.day.day <= 30
        assert sum(units) < limit
        assert higher.outlook in {Outlook.ON, Outlook.NOT}
        assert higher.day is None or higher.day >= said.day
    assert (said.outlook is Outlook.REACHED) == (sum(units) >= limit)
    assert list(said.path) == sorted(said.path)
