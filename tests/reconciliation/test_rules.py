"""What follows from a disagreement with the carrier (UC4 to UC7), as tables."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.calls import CallKept
from offhook.carriers import CallRecord, CallState, Direction, Message, MessageState
from offhook.messages import MessageKept
from offhook.messages.rules import State
from offhook.reconciliation import rules
from offhook.reconciliation.rules import Action, Finding, Kind
from offhook.usage import Units, started_minutes

NOON = datetime(2026, 5, 14, 12, tzinfo=UTC)
LATER, TOO_LATE = NOON + timedelta(hours=25), NOON + timedelta(hours=72)


def ours(seconds: float, *, answered: bool = True, is_over: bool = True) -> CallKept:
    return CallKept("call_1", "team_1", "num_1", "CA1", answered, is_over, NOON, seconds)


def theirs(seconds: int, state: CallState = CallState.COMPLETED) -> CallRecord:
    return CallRecord("CA1", "+1", "+2", state, NOON, NOON, seconds, NOON)


def found(finding: Finding | None) -> tuple[Kind, Action, int] | None:
    return (finding.kind, finding.action, finding.keep) if finding else None


@pytest.mark.parametrize(
    ("our_s", "their_s", "expected"),
    [
        (45.0, 45, None),
        (59.4, 61, None),  # other minutes, within what clocks differ by
        (58.0, 60, None),
        (45.0, 48, (Kind.LENGTH, Action.NONE, 1)),
        (61.0, 45, (Kind.SHORTER, Action.TAKEN_BACK, 1)),
        (305.0, 100, (Kind.SHORTER, Action.TAKEN_BACK, 2)),
        (45.0, 65, (Kind.LONGER, Action.NONE, 1)),
        (45.0, 0, (Kind.SHORTER, Action.TAKEN_BACK, 0)),
        (1.7, 0, (Kind.SHORTER, Action.TAKEN_BACK, 0)),
    ],
)
def test_the_customer_pays_the_lower_of_the_two(
    our_s: float, their_s: int, expected: tuple[Kind, Action, int] | None
) -> None:
    """UC4."""
    minutes = started_minutes(our_s)
    state = CallState.COMPLETED if their_s else CallState.NO_ANSWER
    finding = rules.compare_call(ours(our_s), Units(minutes, minutes), theirs(their_s, state), NOON)
    assert found(finding) == expected


@given(our_s=st.floats(0.1, 20_000), their_s=st.integers(1, 20_000), billed=st.integers(0, 340))
def test_nobody_ever_pays_more_than_either_says(our_s: float, their_s: int, billed: int) -> None:
    """UC4; and a second comparison after the correction asks for none."""
    call, record = ours(our_s), theirs(their_s)
    finding = rules.compare_call(call, Units(billed, billed), record, NOON)
    if finding is None:
        assert abs(our_s - their_s) <= rules.TOLERANCE_S
        return
    left = finding.keep if finding.action is Action.TAKEN_BACK else billed
    assert left <= billed
    assert left <= started_minutes(their_s)
    again = rules.compare_call(call, Units(billed, left), record, NOON)
    assert again is not None
    assert (again.kind, again.action) == (finding.kind, Action.NONE)


@pytest.mark.parametrize(
    ("call", "record", "now", "expected"),
    [
        (None, theirs(65), NOON, (Kind.MISSING_HERE, Action.CHARGED, 0)),
        (None, theirs(0, CallState.NO_ANSWER), NOON, None),
        (None, theirs(0, CallState.IN_PROGRESS), NOON, None),
        (ours(45.0), None, LATER, (Kind.MISSING_THERE, Action.WAITING, 0)),
        (ours(45.0), None, TOO_LATE, (Kind.MISSING_THERE, Action.TAKEN_BACK, 0)),
        (ours(45.0, is_over=False), theirs(65), NOON, None),
        (ours(45.0), theirs(0, CallState.IN_PROGRESS), NOON, None),
        (ours(0.0, answered=False), None, TOO_LATE, None),
        (ours(0.0, answered=False), theirs(0, CallState.BUSY), NOON, None),
        (ours(0.0, answered=False), theirs(30), NOON, (Kind.REFUSED_HERE, Action.NONE, 0)),
        (None, None, NOON, None),
    ],
)
def test_a_call_on_one_side_only(
    call: CallKept | None,
    record: CallRecord | None,
    now: datetime,
    expected: tuple[Kind, Action, int] | None,
) -> None:
    """UC5, UC6."""
    assert found(rules.compare_call(call, Units(1, 1), record, now)) == expected


def test_a_call_that_was_billed_nothing_has_nothing_to_give_back() -> None:
    """UM5: its agent was never heard; what the carrier charges is the operator's."""
    nothing = Units(0, 0)
    assert found(rules.compare_call(ours(30.0), nothing, theirs(50), NOON)) == (
        Kind.LENGTH, Action.NONE, 0,
    )  # fmt: skip
    assert found(rules.compare_call(ours(30.0), nothing, None, TOO_LATE)) == (
        Kind.MISSING_THERE, Action.NONE, 0,
    )  # fmt: skip


def kept(*, inbound: bool = True, state: State = State.RECEIVED, segments: int = 1) -> MessageKept:
    final = state in {State.RECEIVED, State.DELIVERED, State.FAILED}
    return MessageKept(
        "sms_1", "team_1", "num_1", "SM1", inbound, NOON, segments, state, final, counted=True
    )


def told(
    direction: Direction = Direction.INBOUND, state: MessageState = MessageState.RECEIVED
) -> Message:
    return Message("SM1", "+1", "+2", "Hi", state, NOON, direction=direction)


SENT = kept(inbound=False, state=State.SENT)
OUT = Direction.OUTBOUND


@pytest.mark.parametrize(
    ("message", "record", "now", "expected"),
    [
        (kept(), told(), NOON, None),
        (kept(segments=2), told(), NOON, (Kind.SEGMENTS, Action.NONE)),
        (None, told(), NOON, (Kind.MISSING_HERE, Action.FETCHED)),
        (None, told(OUT, MessageState.SENT), NOON, (Kind.MISSING_HERE, Action.NONE)),
        (kept(), None, LATER, (Kind.MISSING_THERE, Action.WAITING)),
        (kept(), None, TOO_LATE, (Kind.MISSING_THERE, Action.TAKEN_BACK)),
        (SENT, told(OUT, MessageState.FAILED), NOON, (Kind.STATE, Action.UPDATED)),
        (SENT, told(OUT, MessageState.SENT), NOON, None),
    ],
)
def test_messages_alike(
    message: MessageKept | None,
    record: Message | None,
    now: datetime,
    expected: tuple[Kind, Action] | None,
) -> None:
    finding = rules.compare_message(message, record, now)
    assert ((finding.kind, finding.action) if finding else None) == expected


def test_a_day_is_compared_an_hour_after_its_end_then_daily_and_last_after_72_hours() -> None:
    """UC7, UC6: at the last check every call of the day is 72 hours old."""
    day, end = date(2026, 5, 14), datetime(2026, 5, 15, tzinfo=UTC)
    hours = [(check - end) / timedelta(hours=1) for check in rules.checks(day)]
    assert hours == [1, 25, 49, 72]
    assert not rules.is_due(day, None, end)
    assert rules.is_due(day, None, end + timedelta(hours=1))
    assert not rules.is_due(day, end + timedelta(hours=1), end + timedelta(hours=24))
    assert rules.is_due(day, end + timedelta(hours=2), end + timedelta(hours=25))
    assert rules.is_due(day, end + timedelta(hours=50), end + timedelta(days=9))
    assert not rules.is_due(day, end + timedelta(days=9), end + timedelta(days=10))
    assert not rules.is_final(day, end + timedelta(hours=71))
    assert rules.is_final(day, end + timedelta(hours=72))
