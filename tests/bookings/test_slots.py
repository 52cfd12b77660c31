"""Slots: the wall clock over changes of the clock, what is taken, and what is free instead."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.bookings import slots
from offhook.bookings.hours import WORKING_DAYS, Hours, Span, Special
from offhook.bookings.slots import ONE_DAY, Plan, Refusal, Slot, Taken

PARIS = ZoneInfo("Europe/Paris")
FRIDAY = date(2026, 5, 15)
NOON = datetime(2026, 5, 14, 12, tzinfo=UTC)


def plan(**given: object) -> Plan:
    usual = Plan(
        zone=PARIS,
        hours=WORKING_DAYS,
        length=timedelta(minutes=30),
        step=timedelta(minutes=30),
        buffer=timedelta(0),
        lead=timedelta(hours=1),
        horizon_days=60,
        places=1,
    )
    return replace(usual, **given)  # pyright: ignore[reportArgumentType] - named by each test


def paris(day: date, clock: str) -> datetime:
    instant = slots.at(PARIS, datetime.combine(day, time.fromisoformat(clock)))
    assert instant is not None
    return instant


def clocks(found: list[datetime], zone: ZoneInfo = PARIS) -> list[str]:
    return [f"{each.astimezone(zone):%H:%M}" for each in found]


def always(*spans: Span) -> Hours:
    return Hours((spans,) * 7)


def test_slots_begin_at_whole_steps_and_end_by_closing() -> None:
    lunch = always(Span(time(9), time(10, 15)), Span(time(14), time(15)))
    assert clocks(slots.starts(plan(hours=lunch), FRIDAY)) == ["09:00", "09:30", "14:00", "14:30"]


def test_an_evening_may_end_after_midnight() -> None:
    late = plan(hours=always(Span(time(22), time(1))), step=timedelta(hours=1))
    assert clocks(slots.starts(late, FRIDAY)) == ["22:00", "23:00", "00:00"]
    after_midnight = paris(FRIDAY + ONE_DAY, "00:00")
    assert slots.refusal(late, [], after_midnight, places=1, now=NOON) is None


def test_a_time_that_the_clock_skips_is_no_slot() -> None:
    """29 March 2026, Paris: 02:00 becomes 03:00."""
    night = plan(hours=always(Span(time(1), time(5))))
    found = slots.starts(night, date(2026, 3, 29))
    assert clocks(found) == ["01:00", "01:30", "03:00", "03:30", "04:00", "04:30"]
    assert found[2] - found[1] == timedelta(minutes=30)


def test_a_time_that_comes_twice_means_its_first() -> None:
    """25 October 2026, Paris: 03:00 becomes 02:00."""
    night = plan(hours=always(Span(time(1), time(4))))
    found = slots.starts(night, date(2026, 10, 25))
    assert clocks(found) == ["01:00", "01:30", "02:00", "02:30", "03:00", "03:30"]
    assert found[4] - found[3] == timedelta(minutes=90)


def test_a_day_whose_midnight_does_not_exist_has_bounds() -> None:
    """Asunción, 6 October 2024: 00:00 becomes 01:00."""
    zone = ZoneInfo("America/Asuncion")
    start, end = slots.bounds(zone, date(2024, 10, 6))
    assert end - start == timedelta(hours=23)


def test_special_days_replace_the_weekday() -> None:
    short = Special(FRIDAY, FRIDAY, (Span(time(10), time(11)),), "Half a day")
    closed = Special(date(2026, 5, 18), date(2026, 5, 19))
    special = plan(hours=replace(WORKING_DAYS, special=(short, closed)))
    assert clocks(slots.starts(special, FRIDAY)) == ["10:00", "10:30"]
    found = slots.free(special, [], FRIDAY, date(2026, 5, 20), places=1, now=NOON)
    assert {slots.day_of(PARIS, slot.start) for slot in found} == {FRIDAY, date(2026, 5, 20)}


@pytest.mark.parametrize(
    ("clock", "day", "places", "why"),
    [
        ("10:00", FRIDAY, 1, None),
        ("10:00", FRIDAY, 2, Refusal.TOO_MANY),
        ("10:00", date(2026, 5, 13), 1, Refusal.PAST),
        ("14:30", date(2026, 5, 14), 1, Refusal.TOO_SOON),
        ("15:00", date(2026, 5, 14), 1, None),
        ("10:00", date(2026, 7, 13), 1, None),
        ("10:00", date(2026, 7, 14), 1, Refusal.TOO_FAR),
        ("10:10", FRIDAY, 1, Refusal.OFF_GRID),
        ("17:00", FRIDAY, 1, Refusal.CLOSED),
        ("16:45", FRIDAY, 1, Refusal.CLOSED),
        ("10:00", date(2026, 5, 16), 1, Refusal.CLOSED),
        ("11:00", FRIDAY, 1, Refusal.FULL),
    ],
)
def test_why_a_time_cannot_be_booked(
    clock: str, day: date, places: int, why: Refusal | None
) -> None:
    taken = [Taken(paris(FRIDAY, "11:00"), paris(FRIDAY, "11:30"))]
    found = slots.refusal(plan(), taken, paris(day, clock), places=places, now=NOON)
    assert found is why


def test_by_hand_only_places_count() -> None:
    taken = [Taken(paris(FRIDAY, "11:00"), paris(FRIDAY, "11:30"))]
    for clock, why in (("22:07", None), ("11:15", Refusal.FULL), ("10:29", None)):
        start = paris(FRIDAY, clock)
        by_hand = plan(length=timedelta(minutes=31))
        assert slots.refusal(by_hand, taken, start, places=1, now=NOON, by_hand=True) is (
            why if clock != "10:29" else None
        )


def test_a_buffer_is_kept_free_on_both_sides() -> None:
    pauses = plan(buffer=timedelta(minutes=15), step=timedelta(minutes=15))
    taken = [Taken(paris(FRIDAY, "11:00"), paris(FRIDAY, "11:45"))]
    found = slots.free(pauses, taken, FRIDAY, FRIDAY, places=1, now=NOON)
    near = [each for each in clocks([slot.start for slot in found]) if "10:00" <= each < "12:15"]
    assert near == ["10:00", "10:15", "11:45", "12:00"]


def test_the_free_times_nearest_to_a_full_one() -> None:
    taken = [Taken(paris(FRIDAY, "10:30"), paris(FRIDAY, "12:00"))]
    found = slots.free(plan(), taken, FRIDAY, FRIDAY, places=1, now=NOON)
    nearest = slots.alternatives(found, paris(FRIDAY, "11:00"), PARIS)
    assert clocks([slot.start for slot in nearest]) == ["09:30", "10:00", "12:00"]


def test_a_full_day_is_answered_with_other_days_at_about_that_time() -> None:
    found = slots.free(plan(), [], FRIDAY, date(2026, 5, 19), places=1, now=NOON)
    others = [slot for slot in found if slots.day_of(PARIS, slot.start) != FRIDAY]
    nearest = slots.alternatives(others, paris(FRIDAY, "11:10"), PARIS)
    assert {slots.day_of(PARIS, slot.start) for slot in nearest} == {date(2026, 5, 18)}
    assert clocks([slot.start for slot in nearest]) == ["10:30", "11:00", "11:30"]


ZONES = st.sampled_from(
    ["UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "America/Asuncion",
     "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns"]
)  # fmt: skip
quarters = st.integers(0, 95).map(lambda each: time(each // 4, each % 4 * 15))
plans = st.builds(
    Plan,
    zone=ZONES.map(ZoneInfo),
    hours=st.lists(st.builds(Span, quarters, quarters), min_size=1, max_size=2).map(
        lambda spans: always(*spans)
    ),
    length=st.integers(1, 40).map(lambda each: timedelta(minutes=5 * each)),
    step=st.integers(1, 40).map(lambda each: timedelta(minutes=5 * each)),
    buffer=st.sampled_from([timedelta(0), timedelta(minutes=10)]),
    lead=st.just(timedelta(0)),
    horizon_days=st.just(730),
    places=st.integers(1, 3),
)
days = st.dates(date(2024, 1, 1), date(2027, 12, 31))


@settings(deadline=None)
@given(plans, days)
def test_every_slot_lies_within_opening_hours_on_any_day(made: Plan, day: date) -> None:
    """Also where a day has 23 or 25 hours, or the clock is moved by half an hour."""
    open_ = slots.openings(made, day)
    found = slots.starts(made, day)
    assert found == sorted(set(found))
    for start in found:
        wall = start.astimezone(made.zone).replace(tzinfo=None)
        assert slots.at(made.zone, wall) == start
        assert any(begin <= start and start + made.length <= end for begin, end in open_)


@settings(deadline=None)
@given(plans, days, st.lists(st.tuples(st.integers(0, 400), st.integers(1, 3)), max_size=12))
def test_what_is_offered_can_be_booked_and_nothing_is_overbooked(
    made: Plan, day: date, wishes: list[tuple[int, int]]
) -> None:
    """Booking what is free, in any order, never takes more than there is at any minute."""
    now = slots.bounds(made.zone, day)[0]
    taken: list[Taken] = []
    for pick, wanted in wishes:
        places = min(wanted, made.places)
        free = slots.free(made, taken, day, day, places=places, now=now)
        if not free:
            continue
        slot: Slot = free[pick % len(free)]
        assert slot.free >= places
        assert slots.refusal(made, taken, slot.start, places=places, now=now) is None
        taken.append(Taken(slot.start, slot.end + made.buffer, places))
    for minute in {each.start for each in taken} | {each.end for each in taken}:
        held = sum(each.places for each in taken if each.start <= minute < each.end)
        assert held <= made.places


@settings(deadline=None)
@given(plans, days, st.lists(st.integers(0, 287), max_size=4))
def test_what_is_not_offered_is_refused(made: Plan, day: date, picks: list[int]) -> None:
    """`free` and `refusal` are one rule: a start is offered exactly when it is not refused."""
    now, end = slots.bounds(made.zone, day)
    offered = {slot.start for slot in slots.free(made, [], day, day, places=1, now=now)}
    for start in {now + timedelta(minutes=5 * each) for each in picks} | set(list(offered)[:2]):
        refused = slots.refusal(made, [], start, places=1, now=now)
        assert (start in offered) == (refused is None) or start >= end
