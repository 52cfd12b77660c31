"""Minutes, limits, thresholds, allowance and charges as pure rules."""

import random
from datetime import UTC, datetime, timedelta

import hypothesis.strategies as st
import pytest
from hypothesis import given

from offhook.prices import Direction, Money
from offhook.usage import LimitInvalid, Service, limit_from_text, limit_sentence, limit_value
from offhook.usage.periods import month_holding
from offhook.usage.rating import Line, Rate, Unit, first_free, lines
from offhook.usage.rules import (
    Kind,
    begun_minutes,
    resolutions,
    started_minutes,
    thresholds_reached,
)

NOON = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
CHEAP = Rate("p1", Direction.INBOUND, 7_900, "USD")
DEAR = Rate("p2", Direction.INBOUND, 13_700, "USD")


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [(0, 1), (0.4, 1), (20, 1), (59.2, 1), (60.0, 1), (60.001, 2), (120, 2), (178, 3), (220, 4)],
)
def test_started_minutes(seconds: float, minutes: int) -> None:
    """UM2, UI4."""
    assert started_minutes(seconds) == minutes


@pytest.mark.parametrize("value", [None, 1, 300, 1_000_000])
def test_a_limit_is_empty_or_a_whole_number(value: int | None) -> None:
    """U1."""
    assert limit_value(value) == value


@pytest.mark.parametrize(
    "value", [0, -1, 1.5, 1.0, "300 ", "300", "", "two", True, False, 1_000_001, [3], 10**30]
)
def test_everything_else_is_refused_with_the_value(value: object) -> None:
    """U1, UL1."""
    with pytest.raises(LimitInvalid) as refused:
        limit_value(value)
    assert repr(value) in refused.value.sentence
    assert "1 to 1,000,000" in refused.value.remedy


@pytest.mark.parametrize(("text", "limit"), [("", None), ("300", 300), ("1000000", 1_000_000)])
def test_a_form_sends_digits(text: str, limit: int | None) -> None:
    assert limit_from_text(text) == limit


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "300 ", " ", "+3", "٣", "1e3", "9" * 5000])
def test_a_form_that_sends_anything_else_is_refused(text: str) -> None:
    with pytest.raises(LimitInvalid):
        limit_from_text(text)


@pytest.mark.parametrize(
    ("used", "limit", "reached"),
    [
        (79, 100, []),
        (80, 100, [80]),
        (99, 100, [80]),
        (100, 100, [80, 100]),
        (1, 1, [80, 100]),
        (1, 2, []),
        (200, 100, [80, 100]),
        (5, None, []),
    ],
)
def test_thresholds(used: int, limit: int | None, reached: list[int]) -> None:
    """U9."""
    assert thresholds_reached(used, limit) == reached


@pytest.mark.parametrize(
    ("seconds", "reserved", "begun"), [(-1, 2, 0), (0, 2, 1), (59.9, 2, 1), (60, 2, 2), (300, 2, 2)]
)
def test_a_reserved_minute_is_used_once_it_has_begun(
    seconds: float, reserved: int, begun: int
) -> None:
    assert begun_minutes(NOON, reserved, NOON + timedelta(seconds=seconds)) == begun


def test_a_settlement_posts_the_begun_minutes_and_ends_the_rest() -> None:
    held = [(index, NOON + index * timedelta(minutes=1)) for index in range(4)]
    plan = resolutions(held, 2, Kind.EXPIRED, timedelta(seconds=3))
    assert [unit.kind for unit in plan] == [Kind.POSTED] * 2 + [Kind.EXPIRED] * 2
    assert plan[1].starts_at == NOON + timedelta(seconds=63)


def units(count: int, number: str = "num_a", rate: Rate = CHEAP, at: int = 0) -> list[Unit]:
    return [
        Unit(NOON + timedelta(seconds=at + index), f"c_{number}_{index}", 0, number, rate)
        for index in range(count)
    ]


def rated(records: list[Unit], allowance: int = 60) -> list[Line]:
    totals: dict[tuple[str, Rate], int] = {}
    for unit in records:
        key = unit.number_id, unit.rate
        totals[key] = totals.get(key, 0) + 1
    return lines(Service.CALLS, totals, first_free(records, allowance))


def test_the_free_units_are_the_first_not_the_cheapest() -> None:
    """UF2, UF4: the dear number was used first, so its units are free."""
    dear, cheap = units(50, "num_b", DEAR), units(50, "num_a", CHEAP, at=1000)
    free = {line.number_id: line.free for line in rated(cheap + dear)}
    assert free == {"num_b": 50, "num_a": 10}


@given(st.integers(0, 90), st.integers(0, 90), st.randoms(use_true_random=False))
def test_rating_is_a_function_of_the_set(first: int, second: int, order: random.Random) -> None:
    """UI5, UI6: any order of arrival, the same lines; free is min(allowance, used)."""
    records = units(first) + units(second, "num_b", DEAR, at=30)
    expected = rated(records)
    order.shuffle(records)
    assert rated(records) == expected
    assert sum(line.free for line in expected) == min(60, first + second)


def test_a_line_is_rounded_once() -> None:
    """UC8: 81 minutes at 0.0137 are 1.1097; rounded each they would be 0.81."""
    (line,) = rated(units(81, rate=DEAR), allowance=0)
    assert (line.charged, line.amount.amount) == (81, "1.11")


@pytest.mark.parametrize(
    ("service", "limit", "sentence"),
    [
        (
            Service.CALLS,
            300,
            (
                "300 minutes: 60 free (shared), then 240 charged at 0.02 each, at most 4.80; "
                "calls stop until 1 Dec, Europe/Paris."
            ),
        ),
        (
            Service.SMS,
            1000,
            (
                "1,000 messages: 100 free (shared), then 900 charged at 0.02 each, at most 18.00; "
                "replies stop until 1 Dec, Europe/Paris."
            ),
        ),
        (
            Service.CALLS,
            1,
            "1 minute, all within the 60 free (shared); calls stop until 1 Dec, Europe/Paris.",
        ),
        (Service.SMS, None, "No limit: 100 messages free (shared), then 0.02 each."),
    ],
)
def test_a_limit_in_words(service: Service, limit: int | None, sentence: str) -> None:
    """pages.md, A number: Limits."""
    november = month_holding(datetime(2026, 11, 20, tzinfo=UTC), "Europe/Paris")
    assert limit_sentence(service, limit, Money.of("0.02"), november) == sentence
