"""Races for the last unit on real connections (LB1, UL6, UL7, UT5, UI1)."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from usage_desk import Desk

from offhook import usage
from offhook.usage import Direction, Granted, Service, kernel, statements


async def granted(wanted: list[Awaitable[object]]) -> int:
    return sum(isinstance(got, Granted) for got in await asyncio.gather(*wanted))


async def audit(desk: Desk) -> list[usage.Violation]:
    async with desk.database.system() as session:
        return await usage.audit(session)


async def edits(desk: Desk, number: str, service: Service) -> None:
    for index in range(100):
        await desk.limit(number, service, 1 + index % 2)


async def test_lb1_of_twenty_callers_for_one_minute_one_is_answered(wide: Desk) -> None:
    number = await wide.number("num_a", calls=1)
    assert await granted([wide.reserve(number, f"call_{n}") for n in range(20)]) == 1
    state = await wide.balance(number)
    assert (state.posted, state.pending) == (0, 1)
    assert await audit(wide) == []


async def test_lb1_of_two_replies_for_the_last_message_one_is_written(wide: Desk) -> None:
    number = await wide.number("num_a", sms=2)
    await wide.take(number, "in_1")
    replies = [wide.take(number, f"out_{n}", Direction.OUTBOUND) for n in range(2)]
    assert await granted([*replies]) == 1
    assert (await wide.balance(number, Service.SMS)).pending == 1


async def test_lb1_limit_edits_during_both_never_let_one_pass(wide: Desk) -> None:
    """The limit flips between 1 and 2 while everybody tries."""
    number = await wide.number("num_a", calls=1, sms=1)
    tries: list[Callable[[int], Awaitable[object]]] = [
        lambda n: wide.reserve(number, f"call_{n}"),
        lambda n: wide.take(number, f"in_{n}"),
        lambda n: wide.take(number, f"out_{n}", Direction.OUTBOUND),
    ]
    await asyncio.gather(
        edits(wide, number, Service.CALLS),
        edits(wide, number, Service.SMS),
        *(attempt(n) for n in range(20) for attempt in tries),
    )
    for service in Service:
        state = await wide.balance(number, service)
        assert 1 <= state.posted + state.pending <= 2
    assert await audit(wide) == []


async def test_ul7_renewals_share_what_is_left_exactly(wide: Desk) -> None:
    number = await wide.number("num_a", calls=7)
    calls = [f"call_{n}" for n in range(5)]
    assert await granted([wide.reserve(number, call) for call in calls]) == 5
    assert await granted([wide.reserve(number, call, 1) for call in calls]) == 2
    assert (await wide.balance(number)).left == 0


async def test_the_same_key_at_once_is_one_unit(wide: Desk) -> None:
    """UI3, UM10, UT12."""
    number = await wide.number("num_a")
    assert await granted([wide.reserve(number, "call_a") for _ in range(8)]) == 8
    assert await granted([wide.take(number, "in_1") for _ in range(8)]) == 8
    assert (await wide.balance(number)).pending == 1
    assert (await wide.balance(number, Service.SMS)).posted == 1
    await asyncio.gather(*(wide.settle("call_a", 30) for _ in range(8)))
    state = await wide.balance(number)
    assert (state.posted, state.pending) == (1, 0)
    assert await audit(wide) == []


async def test_a_limit_that_is_read_but_not_locked_would_be_noticed(
    wide: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant of LB1: the statement looks at the counter as it was when the statement began."""
    as_it_was = (
        "SELECT posted + pending + 1 <= limit_units FROM usage_counters AS seen "
        "WHERE seen.number_id = %(number_id)s AND seen.service = %(service)s"
    )
    mutant = statements.RESERVE.replace(statements.WITHIN_LIMIT, as_it_was)
    assert mutant != statements.RESERVE
    monkeypatch.setattr(kernel, "RESERVE", mutant)
    number = await wide.number("num_a", calls=1)
    await wide.call(number, "call_first", 30)
    await wide.limit(number, Service.CALLS, 2)
    assert await granted([wide.reserve(number, f"call_{n}") for n in range(20)]) > 1
    assert {violation.rule for violation in await audit(wide)} == {"UI1"}
