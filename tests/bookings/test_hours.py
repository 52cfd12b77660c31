"""Opening hours: what people type, what is refused, and that storing changes nothing."""

from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.bookings import hours
from offhook.bookings.hours import WORKING_DAYS, HoursInvalid, Span, Special


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("9-17", "09:00–17:00"),
        ("09:00–12:00, 14:00-18:00", "09:00–12:00, 14:00–18:00"),
        ("9am to 5:30pm", "09:00–17:30"),
        ("12am-12pm", "00:00–12:00"),
        ("18:00-24:00", "18:00–00:00"),
        ("18.30 – 2.00", "18:30–02:00"),
        ("closed", ""),
        ("  ", ""),
    ],
)
def test_hours_are_read_as_people_type_them(typed: str, written: str) -> None:
    assert hours.written(hours.parse(typed)) == written
    assert hours.parse(written) == hours.parse(typed)


@pytest.mark.parametrize(
    "typed",
    ["9", "25-26", "9:75-10", "13pm-14pm", "0am-5", "-5-9", "nine-five", "9-12;14-18", "9–"],
)
def test_what_is_no_hours_is_refused_with_its_words(typed: str) -> None:
    with pytest.raises(HoursInvalid) as refused:
        hours.parse(typed)
    assert typed[:20].split(",", maxsplit=1)[0] in refused.value.sentence


@pytest.mark.parametrize(
    "spans",
    [
        (Span(time(9), time(12)), Span(time(11), time(13))),
        (Span(time(22), time(2)), Span(time(23), time(23, 30))),
        (Span(time(0), time(0)), Span(time(9), time(12))),
        tuple(Span(time(each), time(each + 1)) for each in range(0, 14, 2)),
    ],
)
def test_a_day_that_contradicts_itself_is_refused(spans: tuple[Span, ...]) -> None:
    with pytest.raises(HoursInvalid, match="Monday"):
        hours.check(replace(WORKING_DAYS, week=(spans, *WORKING_DAYS.week[1:])))


def test_special_days_may_not_overlap() -> None:
    christmas = Special(date(2026, 12, 24), date(2026, 12, 26))
    again = Special(date(2026, 12, 26), date(2026, 12, 26), (Span(time(9), time(12)),))
    with pytest.raises(HoursInvalid, match="2026-12-26 is named twice"):
        hours.check(replace(WORKING_DAYS, special=(again, christmas)))
    with pytest.raises(HoursInvalid, match="is before"):
        hours.check(replace(WORKING_DAYS, special=(Special(date(2026, 5, 2), date(2026, 5, 1)),)))


clocks = st.times().map(lambda each: each.replace(second=0, microsecond=0))
spans = st.lists(st.builds(Span, clocks, clocks), max_size=3).map(tuple)
days = st.dates(date(2024, 1, 1), date(2030, 1, 1))


@settings(deadline=None)
@given(
    st.tuples(*[spans] * 7),
    st.lists(st.builds(Special, days, days, spans, st.text(max_size=20)), max_size=3).map(tuple),
)
def test_storing_hours_changes_nothing(
    week: tuple[tuple[Span, ...], ...], special: tuple[Special, ...]
) -> None:
    whole = hours.Hours(week, special)
    assert hours.from_json(hours.to_json(whole)) == whole
    for each in week:
        assert hours.parse(hours.written(each)) == each
