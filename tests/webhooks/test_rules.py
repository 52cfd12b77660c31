"""The schedule, Retry-After, switching off (W7, W10), as tables and properties."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.webhooks import rules
from offhook.webhooks.rules import EndpointState

AT = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DICE = st.floats(0, 1)


def test_the_schedule_is_the_promised_one_w7() -> None:
    told = "0 s, 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h"
    units = {"s": 1, "m": 60, "h": 3600}
    pairs = (each.split() for each in told.split(", "))
    assert [wait.total_seconds() for wait in rules.SCHEDULE] == [
        int(count) * units[unit] for count, unit in pairs
    ]


@given(tries=st.integers(1, 9), dice=DICE)
def test_each_wait_is_within_a_fifth_w7(tries: int, dice: float) -> None:
    wait = rules.next_wait(tries, dice)
    assert wait is not None
    assert rules.SCHEDULE[tries] * 0.8 <= wait <= rules.SCHEDULE[tries] * 1.2


@given(tries=st.integers(10, 1000), dice=DICE)
def test_after_ten_attempts_there_is_none_w7(tries: int, dice: float) -> None:
    assert rules.next_wait(tries, dice, timedelta(seconds=1)) is None


@given(tries=st.integers(1, 9), dice=DICE, asked=st.timedeltas(timedelta(0), timedelta(days=9000)))
def test_it_is_never_sooner_than_asked_nor_a_day_later_w7(
    tries: int, dice: float, asked: timedelta
) -> None:
    wait = rules.next_wait(tries, dice, asked)
    own = rules.next_wait(tries, dice)
    assert wait is not None
    assert own is not None
    assert wait >= min(asked, DAY)
    assert wait <= max(own, DAY)


@pytest.mark.parametrize(
    ("values", "wait"),
    [
        (["300"], timedelta(seconds=300)),
        ([" 300 "], timedelta(seconds=300)),
        (["000300"], timedelta(seconds=300)),
        (["0"], timedelta(0)),
        (["86400"], DAY),
        (["9999999999"], DAY),
        (["9" * 5000], DAY),
        (["60", "300"], timedelta(seconds=300)),
        (["300", "soon"], timedelta(seconds=300)),
        (["Thu, 14 May 2026 12:05:00 GMT"], timedelta(minutes=5)),
        (["Thu, 14 May 2026 14:05:00 +0200"], timedelta(minutes=5)),
        (["Wed, 21 Oct 2015 07:28:00 GMT"], timedelta(0)),
        *(([each], None) for each in ("-1", "1e9", "NaN", "soon", "", "1.5", "٣", "²", "5, 6")),
        (["Wed, 21 Oct 99999999999999999999 07:28:00 GMT"], None),
        (["Wed, 21 Oct 2015 07:28:00 +99999999999999", "60"], timedelta(seconds=60)),
        ([], None),
    ],
)
def test_what_retry_after_asks_for_wt2(values: list[str], wait: timedelta | None) -> None:
    assert rules.retry_after(values, AT) == wait


@given(st.lists(st.text(max_size=40), max_size=3))
def test_rubbish_is_read_without_an_error_wt2(values: list[str]) -> None:
    wait = rules.retry_after(values, AT)
    assert wait is None or wait >= timedelta(0)


@pytest.mark.parametrize(
    ("status", "failing_for", "state"),
    [
        (410, timedelta(0), EndpointState.GONE),
        (500, timedelta(0), None),
        (500, timedelta(days=5) - timedelta(seconds=1), None),
        (500, timedelta(days=5), EndpointState.FAILING),
        (None, timedelta(days=6), EndpointState.FAILING),
    ],
)
def test_what_switches_an_endpoint_off_w10(
    status: int | None, failing_for: timedelta, state: EndpointState | None
) -> None:
    assert rules.switches_off(status, AT - failing_for, AT) is state


@pytest.mark.parametrize(
    ("status", "taken"), [(200, True), (299, True), (199, False), (308, False)]
)
def test_only_2xx_is_taken_w8(status: int, taken: bool) -> None:
    assert rules.is_success(status) is taken


def test_an_attempt_ends_long_before_its_lease() -> None:
    assert rules.LEASE.total_seconds() >= 3 * rules.TOTAL_S
