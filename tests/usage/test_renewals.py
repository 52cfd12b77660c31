"""Renewals of one process share transactions; each call's answer is the ledger's own (U4, UL7)."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from usage_desk import Clock, Desk, hire

from offhook import usage
from offhook.usage import CallUnknown, Denied, Granted, MeterMissing, Reason, Renewal, Renewals


async def live(desk: Desk, number: str, *calls: str) -> None:
    for call in calls:
        assert isinstance(await desk.reserve(number, call), Granted)


async def audit(desk: Desk) -> list[usage.Violation]:
    async with desk.database.system() as session:
        return await usage.audit(session)


async def test_ul7_the_limit_is_shared_exactly_by_renewals_of_several_processes(
    wide: Desk,
) -> None:
    number = await wide.number("num_a", calls=17)
    calls = [f"call_{n}" for n in range(10)]
    await live(wide, number, *calls)
    processes = [Renewals(wide.database) for _ in range(3)]
    answers = await asyncio.gather(
        *(
            processes[n % 3].reserve(Renewal(wide.team, number, call, 1))
            for n, call in enumerate(calls)
        )
    )
    assert sum(isinstance(answer, Granted) for answer in answers) == 7
    assert sorted(answer.left or 0 for answer in answers if isinstance(answer, Granted)) == [
        *range(7)
    ]
    denied = [answer for answer in answers if isinstance(answer, Denied)]
    assert {answer.reason for answer in denied} == {Reason.LIMIT_REACHED}
    assert (await wide.balance(number)).pending == 17
    assert await audit(wide) == []


async def test_one_that_is_not_there_does_not_take_the_others_answers(wide: Desk) -> None:
    other = await hire(wide.database)
    number, theirs = await wide.number("num_a"), await other.number("num_b")
    await live(wide, number, "call_a", "call_ended")
    await live(other, theirs, "call_b")
    await wide.settle("call_ended", 10)
    renewals = Renewals(wide.database)
    answers = await asyncio.gather(
        renewals.reserve(Renewal(wide.team, number, "call_a", 1)),
        renewals.reserve(Renewal(wide.team, number, "call_nowhere", 1)),
        renewals.reserve(Renewal(wide.team, number, "call_a", 3)),  # minute 2 is not held
        renewals.reserve(Renewal(wide.team, theirs, "call_b", 1)),  # another team's
        renewals.reserve(Renewal(wide.team, number, "call_ended", 1)),
        renewals.reserve(Renewal(other.team, theirs, "call_b", 1)),
        renewals.reserve(Renewal(wide.team, number, "call_a", 1)),  # twice at once: one unit
        return_exceptions=True,
    )
    kinds = [type(answer) for answer in answers]
    assert kinds[0] is kinds[5] is kinds[6] is Granted
    assert kinds[1] is kinds[2] is CallUnknown
    assert kinds[3] is MeterMissing
    assert isinstance(answers[4], Denied)
    assert answers[4].reason is Reason.CALL_ENDED
    assert (await wide.balance(number)).pending == 2
    assert (await other.balance(theirs)).pending == 2
    assert await audit(wide) == []


async def test_a_renewal_over_the_months_end_draws_on_the_new_month(
    wide: Desk, clock: Clock
) -> None:
    """UL10: the old month is full, the new one's counters are made on the way."""
    clock.instant = clock.instant.replace(day=31, hour=23, minute=59, second=30)
    number = await wide.number("num_a", calls=2)
    await live(wide, number, "call_a", "call_b")
    renewals = Renewals(wide.database)
    answers = await asyncio.gather(
        *(renewals.reserve(Renewal(wide.team, number, call, 1)) for call in ("call_a", "call_b"))
    )
    assert [type(answer) for answer in answers] == [Granted, Granted]
    assert {answer.resets_at.month for answer in answers} == {7}
    clock.instant += timedelta(minutes=1)
    assert (await wide.balance(number)).pending == 2
    assert await audit(wide) == []


async def test_renewals_settlements_and_limits_at_once_wait_in_no_circle(wide: Desk) -> None:
    """Twelve calls over three numbers, each renewed and ended by other hands than its neighbour."""
    numbers = [await wide.number(f"num_{n}", calls=30) for n in range(3)]
    calls = {f"call_{n}": numbers[n % 3] for n in range(12)}
    for call, number in calls.items():
        await live(wide, number, call)
    processes = [Renewals(wide.database) for _ in range(3)]

    async def talk(n: int, call: str, number: str) -> int:
        for index in range(1, 6):
            answer = await processes[n % 3].reserve(Renewal(wide.team, number, call, index))
            assert isinstance(answer, Granted)
        return (await wide.settle(call, 350)).minutes

    async def edit(number: str) -> None:
        for value in (31, 30, 32):
            await wide.limit(number, usage.Service.CALLS, value)

    minutes = await asyncio.gather(
        *(talk(n, call, number) for n, (call, number) in enumerate(calls.items()))
    )
    await asyncio.gather(*(edit(number) for number in numbers))
    assert minutes == [6] * 12
    assert [(await wide.balance(number)).posted for number in numbers] == [24] * 3
    assert await audit(wide) == []


async def test_a_database_that_is_away_is_each_ones_error(wide: Desk) -> None:
    number = await wide.number("num_a")
    await live(wide, number, "call_a")
    gone = Renewals(type(wide.database)(wide.database.url.replace("test_", "gone_")))
    with pytest.raises(Exception, match="gone_"):
        await gone.reserve(Renewal(wide.team, number, "call_a", 1))


async def test_a_round_that_is_held_up_holds_up_no_other(wide: Desk) -> None:
    number, other = await wide.number("num_a"), await wide.number("num_b")
    await live(wide, number, "call_a")
    await live(wide, other, "call_b")
    renewals = Renewals(wide.database, held_up_s=0.01)
    async with wide.database.team(wide.team) as session:
        await usage.heartbeat(session, wide.team, "call_a")  # its row stays locked
        held_up = asyncio.create_task(renewals.reserve(Renewal(wide.team, number, "call_a", 1)))
        waiting = text("SELECT 1 FROM pg_locks WHERE NOT granted")
        while (await session.execute(waiting)).first() is None:
            pass  # each look is a question to the server, so others have their turn
        assert isinstance(await renewals.reserve(Renewal(wide.team, other, "call_b", 1)), Granted)
        assert not held_up.done()
    assert isinstance(await held_up, Granted)
