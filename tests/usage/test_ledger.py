"""The ledger on PostgreSQL: the fixtures of metering.md, one transaction per step."""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import pytest
from usage_desk import Clock, Desk, hire

from offhook import usage
from offhook.usage import Denied, Direction, Granted, Reason, Service

SetClock = Callable[[str], None]


async def lines(desk: Desk, service: Service) -> list[tuple[int, int]]:
    """(free, charged) units of each line of the running month."""
    async with desk.database.team(desk.team) as session:
        month = await usage.month_to_date(session, desk.team)
    return [(line.free, line.charged) for line in month.lines if line.service is service]


async def audit(desk: Desk) -> list[usage.Violation]:
    async with desk.database.system() as session:
        return await usage.audit(session)


async def short_calls(desk: Desk, number: str, calls: Iterable[str], clock: Clock) -> int:
    """How many of these calls of 45 s, one every two minutes, were answered."""
    answered = 0
    async with desk.database.team(desk.team) as session:
        for call in calls:
            got = await usage.reserve_minute(
                session, desk.team, number_id=number, call_id=call, index=0
            )
            if isinstance(got, Granted):
                answered += 1
                await usage.settle_call(session, desk.team, call_id=call, seconds=45)
            clock.instant += timedelta(minutes=2)
    return answered


async def test_ux1_the_seeds_300_minutes_answer_300_of_400_calls(desk: Desk, clock: Clock) -> None:
    number = await desk.number("num_a", calls=300)
    calls = (f"call_{index:03}" for index in range(400))
    assert await short_calls(desk, number, calls, clock) == 300
    assert (await desk.balance(number)).posted == 300
    assert await lines(desk, Service.CALLS) == [(60, 240)]
    assert await desk.announced() == {"limit.warning": 1, "limit.reached": 1, "allowance.used": 1}
    assert await audit(desk) == []


async def test_ux2_the_seeds_1000_messages_are_500_turns(desk: Desk, clock: Clock) -> None:
    number = await desk.number("num_a", sms=1000)
    turns = unanswered = 0
    async with desk.database.team(desk.team) as session:
        for index in range(600):
            got = await usage.take_message(
                session,
                desk.team,
                number_id=number,
                message_id=f"in_{index:03}",
                direction=Direction.INBOUND,
            )
            if isinstance(got, Denied):
                unanswered += 1
                continue
            reply = await usage.take_message(
                session,
                desk.team,
                number_id=number,
                message_id=f"out_{index:03}",
                direction=Direction.OUTBOUND,
            )
            assert isinstance(reply, Granted)
            await usage.post_message(session, desk.team, message_id=f"out_{index:03}")
            turns += 1
            clock.instant += timedelta(seconds=30)
    assert (turns, unanswered) == (500, 100)
    assert (await desk.balance(number, Service.SMS)).posted == 1000
    charged = await lines(desk, Service.SMS)
    assert sum(free for free, _ in charged) == 100
    assert sum(paid for _, paid in charged) == 900
    assert await desk.announced() == {"limit.warning": 1, "limit.reached": 1, "allowance.used": 1}


async def test_ux4_a_call_over_the_months_end_is_two_and_two(
    desk: Desk, set_clock: SetClock
) -> None:
    set_clock("2026-01-31T23:58:30+00:00")
    number = await desk.number("num_a")
    assert await desk.call(number, "call_a", 220)
    assert (await desk.balance(number)).posted == 2
    set_clock("2026-02-01T00:02:10+00:00")
    assert (await desk.balance(number)).posted == 2
    assert await audit(desk) == []


async def test_ux5_of_two_answers_for_the_last_minute_one_is_rejected(desk: Desk) -> None:
    number = await desk.number("num_a", calls=1)
    assert isinstance(await desk.reserve(number, "call_a"), Granted)
    second = await desk.reserve(number, "call_b")
    assert second == Denied(Reason.LIMIT_REACHED, datetime(2026, 6, 1, tzinfo=UTC))
    state = await desk.balance(number)
    assert (state.posted, state.pending, state.left) == (0, 1, 0)


async def test_ux7_a_limit_lowered_below_usage_lets_the_begun_minute_finish(
    desk: Desk, clock: Clock
) -> None:
    """UL8: accepted, no renewal, no new answer, nothing refunded; UL9: raised, it goes on."""
    number = await desk.number("num_a", calls=300)
    for index in range(4):
        await desk.call(number, f"call_{index}", 50 * 60)
    for index in range(5):
        assert isinstance(await desk.reserve(number, "call_live", index), Granted)
        clock.instant += timedelta(minutes=1)
    await desk.limit(number, Service.CALLS, 100)
    assert isinstance(await desk.reserve(number, "call_live", 5), Denied)
    assert isinstance(await desk.reserve(number, "call_new"), Denied)
    await desk.limit(number, Service.CALLS, 206)
    assert isinstance(await desk.reserve(number, "call_live", 5), Granted)
    await desk.limit(number, Service.CALLS, 100)
    await desk.settle("call_live", 298)
    assert (await desk.balance(number)).posted == 205
    assert isinstance(await desk.reserve(number, "call_new"), Denied)
    assert await audit(desk) == []


async def test_ux11_a_text_over_the_limit_is_not_counted(desk: Desk) -> None:
    """UT4, UX11: 1000 of 1000 used; the counter stays, nothing is charged."""
    number = await desk.number("num_a", sms=2)
    for message in ("in_1", "in_2"):
        assert isinstance(await desk.take(number, message), Granted)
    assert isinstance(await desk.take(number, "stop"), Denied)
    assert (await desk.balance(number, Service.SMS)).posted == 2


async def test_the_text_that_takes_the_last_unit_says_so(desk: Desk) -> None:
    """UT3, U5: nothing is left for a reply."""
    number = await desk.number("num_a", sms=2)
    first, last = await desk.take(number, "in_1"), await desk.take(number, "in_2")
    assert isinstance(first, Granted)
    assert isinstance(last, Granted)
    assert (first.left, last.left) == (1, 0)


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(0, 1), (0.4, 1), (60.0, 1), (60.001, 2), (178, 3)]
)
async def test_started_minutes_are_billed(desk: Desk, seconds: float, minutes: int) -> None:
    """UM2, UI4."""
    number = await desk.number("num_a")
    await desk.call(number, "call_a", seconds)
    state = await desk.balance(number)
    assert (state.posted, state.pending) == (minutes, 0)


async def test_an_unanswered_call_costs_nothing(desk: Desk) -> None:
    """UM4, UM5."""
    number = await desk.number("num_a", calls=1)
    await desk.reserve(number, "call_a")
    assert (await desk.void("call_a")).minutes == 0
    state = await desk.balance(number)
    assert (state.posted, state.pending, state.left) == (0, 0, 1)


async def test_a_call_that_ended_gets_no_more_minutes(desk: Desk) -> None:
    number = await desk.number("num_a")
    await desk.reserve(number, "call_a")
    await desk.settle("call_a", 10)
    late = await desk.reserve(number, "call_a", 1)
    assert isinstance(late, Denied)
    assert late.reason is Reason.CALL_ENDED
    assert await desk.heartbeat("call_a") == frozenset()


async def test_another_end_of_a_call_is_an_incident_and_the_first_stands(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """UI3."""
    number = await desk.number("num_a")
    await desk.call(number, "call_a", 61)
    with caplog.at_level(logging.ERROR):
        assert (await desk.settle("call_a", 200)).minutes == 2
    assert "incident: call call_a ended again" in caplog.text
    assert (await desk.balance(number)).posted == 2


async def test_a_key_with_another_content_is_an_incident_and_the_first_stands(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """UI3."""
    first, other = await desk.number("num_a"), await desk.number("num_b")
    await desk.take(first, "in_1")
    with caplog.at_level(logging.ERROR):
        await desk.take(other, "in_1")
    assert "incident: message in_1/0 came again with other content" in caplog.text
    assert (await desk.balance(other, Service.SMS)).posted == 0


async def test_a_minute_answered_later_than_reserved_moves_to_its_month(
    desk: Desk, set_clock: SetClock
) -> None:
    """UM6: it was reserved in the month before; UI1 holds in the month it moves to."""
    set_clock("2026-01-31T23:59:59+00:00")
    number = await desk.number("num_a", calls=1)
    await desk.reserve(number, "call_a")
    set_clock("2026-02-01T00:00:30+00:00")
    await desk.settle("call_a", 20, answered_at=datetime(2026, 2, 1, 0, 0, 2, tzinfo=UTC))
    assert (await desk.balance(number)).posted == 1
    assert isinstance(await desk.reserve(number, "call_b"), Denied)
    assert await audit(desk) == []


async def test_a_limit_starts_anew_without_a_job(desk: Desk, set_clock: SetClock) -> None:
    """LB2, UL10, U9: three month ends; a call lives over the second, the old month being full."""
    number = await desk.number("num_a", calls=3)
    for month in (1, 2, 3, 4):
        set_clock(f"2026-{month:02}-10T12:00:00+00:00")
        assert (await desk.balance(number)).left == (3 if month != 3 else 2)
        while (await desk.balance(number)).left:
            assert await desk.call(number, f"call_{month}_{(await desk.balance(number)).left}", 30)
        assert not await desk.call(number, f"call_{month}_late", 30)
        if month == 2:
            await desk.limit(number, Service.CALLS, 5)
            set_clock("2026-02-28T23:58:10+00:00")
            assert isinstance(await desk.reserve(number, "over", 0), Granted)
            assert isinstance(await desk.reserve(number, "over", 1), Granted)
            assert isinstance(await desk.reserve(number, "over", 2), Granted)
            await desk.limit(number, Service.CALLS, 3)
            await desk.settle("over", 170)
    said = await desk.announced()
    # Each month at 3; in February a warning at 5 too, of which the call had begun the fourth.
    assert said == {"limit.warning": 5, "limit.reached": 4}
    assert await audit(desk) == []


async def test_a_call_of_a_dead_process_is_settled_at_its_last_heartbeat(
    desk: Desk, clock: Clock
) -> None:
    """LB4, UC3, UI10."""
    number = await desk.number("num_a", calls=5)
    for index in range(3):
        await desk.reserve(number, "call_a", index)
    await desk.reserve(number, "call_silent")
    clock.instant += timedelta(seconds=70)
    assert await desk.heartbeat("call_a") == {"call_a"}
    clock.instant += timedelta(seconds=51)
    assert [lost.call_id for lost in await desk.sweep()] == ["call_silent"]
    clock.instant += timedelta(seconds=70)
    lost = await desk.sweep()
    assert [(one.call_id, one.minutes) for one in lost] == [("call_a", 2)]
    assert await desk.sweep() == []
    state = await desk.balance(number)
    assert (state.posted, state.pending, state.left) == (2, 0, 3)
    assert await audit(desk) == []


async def test_a_call_that_was_refused_its_next_minute_was_alive_when_it_asked(
    desk: Desk, clock: Clock
) -> None:
    """UC3: its process dies before the first heart-beat, and the minute it spoke is billed."""
    number = await desk.number("num_a", calls=1)
    await desk.reserve(number, "call_a")
    clock.instant += timedelta(seconds=40)
    assert isinstance(await desk.reserve(number, "call_a", 1), Denied)
    clock.instant += timedelta(seconds=121)
    assert [one.minutes for one in await desk.sweep()] == [1]
    assert await audit(desk) == []


async def test_a_failed_message_is_given_back(desk: Desk) -> None:
    """U8, UT7: before it was posted by a void, afterwards by a correction."""
    number = await desk.number("num_a", sms=1)
    for message, posted in (("out_1", False), ("out_2", True)):
        assert isinstance(await desk.take(number, message, Direction.OUTBOUND), Granted)
        if posted:
            await desk.post(message)
        await desk.give_back(message)
        await desk.give_back(message)
        state = await desk.balance(number, Service.SMS)
        assert (state.posted, state.pending) == (0, 0)
    assert isinstance(await desk.take(number, "out_3", Direction.OUTBOUND), Granted)
    again = await desk.take(number, "out_1", Direction.OUTBOUND)
    assert isinstance(again, Denied)
    assert again.reason is Reason.GIVEN_BACK
    assert await audit(desk) == []


async def test_the_pool_is_shared_in_the_order_of_use(desk: Desk, clock: Clock) -> None:
    """UF1 to UF4, U6."""
    first, second = await desk.number("num_a"), await desk.number("num_b")
    await desk.call(first, "call_1", 40 * 60)
    clock.instant += timedelta(hours=1)
    await desk.call(second, "call_2", 30 * 60)
    async with desk.database.team(desk.team) as session:
        month = await usage.month_to_date(session, desk.team)
        cost = await usage.cost_of_call(session, desk.team, "call_2")
    pool = month.pools[Service.CALLS]
    assert (dict(pool.by_number), pool.left) == ({first: 40, second: 20}, 0)
    assert month.charged.amount == "0.20"
    assert cost is not None
    assert (cost.minutes, cost.free, cost.charged.amount) == (30, 20, "0.20")


async def test_a_number_that_came_late_has_its_whole_limit_and_the_pool_starts_anew(
    desk: Desk, clock: Clock, set_clock: SetClock
) -> None:
    """UL12, UF5, UF6, UM3: nothing is prorated, nothing is carried over."""
    set_clock("2026-06-03T10:00:00+00:00")
    early = await desk.number("num_a", calls=60)
    assert await short_calls(desk, early, (f"call_a{n}" for n in range(45)), clock) == 45
    set_clock("2026-06-29T10:00:00+00:00")
    late = await desk.number("num_b", calls=60)
    assert await short_calls(desk, late, (f"call_b{n}" for n in range(61)), clock) == 60
    assert (await desk.shown()).free[Service.CALLS] == {early: 45, late: 15}
    assert await lines(desk, Service.CALLS) == [(45, 0), (15, 45)]
    set_clock("2026-07-01T00:00:00+00:00")
    assert await desk.call(late, "call_c", 61 * 60 - 3)
    assert await lines(desk, Service.CALLS) == [(60, 0)]
    assert await audit(desk) == []


async def test_what_one_number_has_is_counted_as_among_all(desk: Desk, clock: Clock) -> None:
    first, second = await desk.number("num_a", calls=9), await desk.number("num_b", sms=4)
    assert await desk.call(first, "call_a", 170)
    await desk.take(second, "msg_b")
    for number in (first, second):  # two that are live, each with a minute begun and one held
        for index in range(2):
            await desk.reserve(number, f"live_{number}", index)
    clock.instant += timedelta(seconds=30)
    async with desk.database.team(desk.team) as session:
        everybodys = await usage.counted(session, desk.team)
        for number in (first, second):
            month, own = await usage.counted_of(session, desk.team, number)
            assert [*own.values()] == [use for use in everybodys if use.number_id == number]
            assert month.holds(clock.instant)
        with pytest.raises(usage.MeterMissing):
            await usage.counted_of(session, desk.team, "num_c")
    assert [(use.used, use.held) for use in everybodys] == [(4, 1), (0, 0), (1, 1), (1, 0)]


async def test_held_is_neither_usage_nor_charged(desk: Desk, clock: Clock) -> None:
    """U9: of a live call the begun minutes are used, the reserved ones held."""
    number = await desk.number("num_a", calls=10)
    for index in range(3):
        await desk.reserve(number, "call_a", index)
    clock.instant += timedelta(seconds=61)
    async with desk.database.team(desk.team) as session:
        month = await usage.month_to_date(session, desk.team)
    shown = next(use for use in month.numbers if use.service is Service.CALLS)
    assert (shown.used, shown.held, shown.left) == (2, 1, 7)


async def test_another_teams_number_call_or_message_is_not_there(desk: Desk) -> None:
    """SEC7."""
    other = await hire(desk.database)
    number = await desk.number("num_a")
    await desk.reserve(number, "call_a")
    await desk.take(number, "out_1", Direction.OUTBOUND)
    with pytest.raises(usage.MeterMissing):
        await other.balance(number)
    with pytest.raises(usage.MeterMissing):
        await other.reserve(number, "call_b")
    with pytest.raises(usage.CallUnknown):
        await other.settle("call_a", 10)
    with pytest.raises(usage.MessageUnknown):
        await other.post("out_1")
    assert await other.heartbeat("call_a") == frozenset()


@pytest.mark.parametrize("value", [0, -1, 1.5, "300", "300 ", True, 1_000_001])
async def test_an_impossible_limit_is_refused(desk: Desk, value: object) -> None:
    """U1, UL1."""
    number = await desk.number("num_a", calls=7)
    async with desk.database.team(desk.team) as session:
        with pytest.raises(usage.LimitInvalid) as refused:
            await usage.set_limit(
                session, desk.team, number_id=number, service="calls", value=value
            )
    assert refused.value.code == "limit_invalid"
    assert repr(value) in refused.value.sentence
    assert (await desk.balance(number)).limit == 7


async def test_the_audit_notices_a_counter_that_was_changed_by_hand(desk: Desk) -> None:
    from sqlalchemy import text

    number = await desk.number("num_a")
    await desk.call(number, "call_a", 30)
    async with desk.database.team(desk.team) as session:
        await session.execute(text("UPDATE usage_counters SET posted = 2 WHERE service = 'calls'"))
    assert {violation.rule for violation in await audit(desk)} == {"U7", "UI5"}
