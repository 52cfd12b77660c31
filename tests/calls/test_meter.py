"""The meter of a live call (U4, UL5, UL7, UL9, UL14): told, hung up, never past the instant."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.calls.meter import HangUp, Meter, Notice, Renew
from offhook.calls.rules import End


def walk(
    meter: Meter, until_ms: int, minutes: int, *, step_ms: int = 100
) -> list[tuple[int, object]]:
    """Drive `meter` against a ledger that has `minutes` in all; what was due, and when."""
    seen: list[tuple[int, object]] = []
    for now in range(0, until_ms, step_ms):
        due = meter.due(now)
        if due is None:
            continue
        seen.append((now, due))
        if isinstance(due, Renew):
            if due.index < minutes:
                meter.on_granted(due.index)
            else:
                meter.on_denied()
    return seen


def test_a_call_with_three_minutes_is_told_at_160_s_and_ended_at_178_s() -> None:
    """Case LB2 on the pure meter."""
    seen = walk(Meter(limited=True, max_minutes=30), 600_000, minutes=3)
    assert [(now, due) for now, due in seen if not isinstance(due, Renew)] == [
        (160_100, Notice(End.LIMIT_REACHED)),
        (178_000, HangUp(End.LIMIT_REACHED)),
    ]
    assert [now for now, due in seen if isinstance(due, Renew)] == [40_000, 100_000, 160_000]


def test_the_longest_duration_ends_like_a_limit() -> None:
    seen = walk(Meter(limited=False, max_minutes=2), 600_000, minutes=99)
    assert seen[-2:] == [
        (100_000, Notice(End.LONGEST_DURATION)),
        (118_000, HangUp(End.LONGEST_DURATION)),
    ]


def test_a_limit_raised_in_the_final_unit_lets_the_call_go_on() -> None:
    meter = Meter(limited=True, max_minutes=30)
    walk(meter, 45_000, minutes=1)
    assert meter.ask_again() == Renew(1)
    meter.on_granted(1)
    assert meter.due(59_000) is None
    assert meter.due(100_000) == Renew(2)


def test_a_ledger_that_does_not_answer_is_asked_again_after_5_s_and_grants_nothing() -> None:
    """UL13: a limited call ends with its granted minute, with words and for a reason of ours."""
    meter = Meter(limited=True, max_minutes=30)
    assert meter.due(40_000) == Renew(1)
    meter.on_unreachable(40_000)
    assert meter.due(44_900) is None
    assert meter.due(45_000) == Renew(1)
    assert not meter.may_go_on_alone
    meter.on_unreachable(45_000)
    assert meter.due(49_900) is None
    assert meter.due(50_000) == Notice(End.LEDGER_AWAY)
    assert meter.due(58_000) == HangUp(End.LEDGER_AWAY)


def test_a_ledger_that_is_back_before_the_apology_is_asked_and_grants() -> None:
    meter = Meter(limited=True, max_minutes=30)
    for at_ms in (40_000, 45_000):
        assert meter.due(at_ms) == Renew(1)
        meter.on_unreachable(at_ms)
    assert meter.ask_again() == Renew(1)
    meter.on_granted(1)
    assert meter.due(99_900) is None
    assert meter.due(100_000) == Renew(2)
    meter.on_unreachable(100_000)
    assert meter.due(105_000) == Renew(2), "each minute has a retry of its own"


def test_whoever_was_told_of_our_fault_is_not_kept() -> None:
    meter = Meter(limited=True, max_minutes=30)
    for at_ms in (40_000, 45_000):
        meter.due(at_ms)
        meter.on_unreachable(at_ms)
    assert meter.due(50_000) == Notice(End.LEDGER_AWAY)
    assert meter.ask_again() is None


def test_a_denied_minute_stays_denied_while_the_ledger_is_away() -> None:
    """UL9 beside UL13: no fault is what ends this call."""
    meter = Meter(limited=True, max_minutes=30)
    assert meter.due(40_000) == Renew(1)
    meter.on_denied()
    assert meter.due(40_100) == Notice(End.LIMIT_REACHED)
    assert meter.ask_again() == Renew(1)
    assert not meter.asks_once_more
    meter.on_unreachable(41_000)
    assert meter.due(58_000) == HangUp(End.LIMIT_REACHED)


def test_an_unlimited_call_goes_on_alone_for_15_minutes_and_no_longer() -> None:
    """UL13; and as long again once the ledger knows of them."""
    meter = Meter(limited=False, max_minutes=60)

    def alone_until_the_end(now_ms: int) -> int:
        while True:
            match meter.due(now_ms):
                case Renew():
                    if not meter.asks_once_more and meter.may_go_on_alone:
                        meter.on_granted_alone()
                    else:
                        meter.on_unreachable(now_ms)
                case Notice():
                    return meter.granted
                case _:
                    now_ms += 1_000

    assert meter.due(40_000) == Renew(1)
    meter.on_granted(1)
    assert alone_until_the_end(100_000) == 2 + 15
    assert meter.reason is End.LEDGER_AWAY
    meter = Meter(limited=False, max_minutes=60, granted=16, alone=15)
    assert meter.due(15 * 60_000 + 40_000) == Renew(16)
    meter.on_granted(16)
    assert meter.alone == 0
    assert alone_until_the_end(16 * 60_000) == 17 + 15


def test_once_over_nothing_is_due_any_more() -> None:
    meter = Meter(limited=True, max_minutes=30)
    walk(meter, 59_000, minutes=1)
    assert meter.due(70_000) is None
    assert meter.ask_again() is None


@given(
    minutes=st.integers(1, 6),
    step_ms=st.integers(20, 900),
    max_minutes=st.integers(1, 8),
)
def test_no_call_is_ever_open_past_its_last_granted_minute(
    minutes: int, step_ms: int, max_minutes: int
) -> None:
    meter = Meter(limited=True, max_minutes=max_minutes)
    seen = walk(meter, 10 * 60_000, minutes, step_ms=step_ms)
    ended = [now for now, due in seen if isinstance(due, HangUp)]
    allowed = min(minutes, max_minutes)
    assert len(ended) == 1
    assert allowed * 60_000 - 2_000 <= ended[0] <= allowed * 60_000 - 2_000 + step_ms
    told = [now for now, due in seen if isinstance(due, Notice)]
    assert len(told) == 1
