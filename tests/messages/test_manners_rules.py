"""The brakes as rules: senders, countries, loops, and the settle time of a burst (SEC11, S3)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook import phone
from offhook.messages.manners import rules
from offhook.messages.manners.rules import Manners, MannersInvalid, Said, Talk
from offhook.messages.rules import Why

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ECHO = "Thank you for your message, we will answer soon."
TICKET = "Your ticket {} was opened. We will answer within a day."


def thread(texts: list[tuple[bool, str]], *, every_s: float = 20) -> Talk:
    """`texts` (ours?, text) up to now, oldest first."""
    last = len(texts) - 1
    said = [
        Said(ours, NOON - timedelta(seconds=(last - index) * every_s), text)
        for index, (ours, text) in enumerate(texts)
    ]
    return Talk(recent=said[::-1])


def pair(turns: int, theirs: str, ours: str, **pace: float) -> Talk:
    """Two sides in turn; `{}` is another number each time."""
    texts = [
        (bool(index % 2), (ours if index % 2 else theirs).format(index)) for index in range(turns)
    ]
    return thread(texts, **pace)


@pytest.mark.parametrize(
    ("talk", "loop"),
    [
        (pair(9, ECHO, "Anything else?"), True),
        (pair(9, TICKET, "Thanks, noted."), True),
        (pair(9, ECHO, ECHO), True),
        (pair(8, ECHO, "Anything else?"), False),
        (pair(9, ECHO, "Anything else?", every_s=45), False),
        (pair(12, "Yes please", "Shall I book it for {}?"), False),
        (pair(12, "ok", "Anything else?"), False),
        (thread([(False, ECHO)] * 12), False),
        (
            thread(
                [
                    (False, "Do you have a table on Friday?"),
                    (True, "For how many people?"),
                    (False, "Four, and a child's seat please"),
                    (True, "At what time?"),
                    (False, "Around seven in the evening"),
                    (True, "Under which name?"),
                    (False, "Ann Miller, same as last time"),
                    (True, "A table for four on Friday at seven, right?"),
                    (False, "Right, thank you very much"),
                ]
            ),
            False,
        ),
    ],
)
def test_machines_say_the_same_again_and_people_do_not(talk: Talk, loop: bool) -> None:
    """SEC11: more than eight turns in five minutes, near-equal."""
    assert rules.looks_like_a_loop(talk, NOON) is loop
    assert rules.held_back(Manners(), talk, NOON) is (Why.LOOP if loop else None)
    assert rules.held_back(Manners(stops_loops=False), talk, NOON) is None


@pytest.mark.parametrize(
    ("minutes", "by_hand", "parted"), [(1, False, True), (59, False, True), (60, False, False),
                                       (1, True, False)]
)  # fmt: skip
def test_a_parted_thread_is_silent_for_an_hour_or_until_a_person_writes(
    minutes: int, by_hand: bool, parted: bool
) -> None:
    """SEC11"""
    looped = Said(ours=False, at=NOON - timedelta(minutes=minutes), text=ECHO, looped=True)
    after = [Said(ours=True, at=NOON, text="It's Bo", by_hand=True)] if by_hand else []
    talk = Talk(recent=[Said(ours=False, at=NOON, text="hello"), *after, looped])
    assert (rules.held_back(Manners(), talk, NOON) is Why.LOOP) is parted


@pytest.mark.parametrize(
    ("hour", "day", "why"),
    [
        (9, 29, None),
        (10, 10, Why.SENDER_BRAKE),
        (0, 30, Why.SENDER_BRAKE),
        (0, 0, None),
    ],
)
def test_a_sender_gets_ten_replies_an_hour_and_thirty_a_day(
    hour: int, day: int, why: Why | None
) -> None:
    """SEC11"""
    assert rules.held_back(Manners(), Talk(hour, day), NOON) is why


@pytest.mark.parametrize(
    ("countries", "sender", "answered"),
    [
        ((), "US", True),
        ((), "MX", False),
        ((), "", True),
        (("MX", "US"), "MX", True),
        (("MX",), "US", False),
        (("*",), "LV", True),
    ],
)
def test_texts_of_the_numbers_own_country_are_answered_and_others_by_the_list(
    countries: tuple[str, ...], sender: str, answered: bool
) -> None:
    """SEC11"""
    assert rules.answers_country(Manners(countries=countries), sender, "US") is answered


def test_a_block_is_ten_thousand_numbers() -> None:
    assert rules.block_of("+14155550199") == ("+14155550000", "+14155559999")


@given(
    st.floats(0.1, 20), st.lists(st.floats(0.05, 25), min_size=1, max_size=80), st.integers(0, 20)
)
def test_whatever_the_burst_and_the_settle_time_it_is_answered_by_the_twentieth_second(
    settle_s: float, gaps: list[float], extra_ms: int
) -> None:
    """S3: each text's job comes after the settle time, and one of them not after 20 s."""
    manners = Manners(settle_ms=min(20_000, round(settle_s * 1000) + extra_ms))
    at, first_at, jobs = 0.0, 0.0, list[float]()
    for gap in gaps:
        jobs.append(at + rules.settle_s(manners, default_ms=0, oldest_waiting_s=at - first_at))
        at += gap
    assert min(jobs) <= first_at + 20
    assert any(first_at <= job <= first_at + 20.001 for job in jobs)
    last_in_time = [job for job in jobs if job <= first_at + 20.001]
    assert last_in_time


def test_the_installations_settle_time_holds_where_the_number_has_none() -> None:
    assert rules.settle_s(Manners(), default_ms=1200, oldest_waiting_s=0) == 1.2
    assert rules.settle_s(Manners(settle_ms=0), default_ms=1200, oldest_waiting_s=0) == 0
    assert rules.settle_s(Manners(settle_ms=15_000), default_ms=0, oldest_waiting_s=12) == 8
    assert rules.settle_s(Manners(settle_ms=15_000), default_ms=0, oldest_waiting_s=30) == 0


@pytest.mark.parametrize(
    ("manners", "fields"),
    [
        (Manners(settle_ms=20_001), ["settle_ms"]),
        (Manners(replies_per_hour=0, replies_per_day=-1), ["replies_per_hour", "replies_per_day"]),
        (Manners(countries=("US", "XX")), ["countries"]),
        (Manners(new_senders_per_hour=10_001, countries=("us",)),
         ["new_senders_per_hour", "countries"]),
    ],
)  # fmt: skip
def test_manners_out_of_bounds_are_refused_all_at_once(manners: Manners, fields: list[str]) -> None:
    with pytest.raises(MannersInvalid) as refused:
        rules.check(manners, known_countries=phone.COUNTRIES)
    assert [each["field"] for each in refused.value.details["errors"]] == fields
