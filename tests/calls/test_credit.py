"""A live call's credit on the real ledger: told, hung up, renewed; the clock moves by hand."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from day import Day, day_of
from office import Clock, beat_nodes

from offhook import usage
from offhook.calls import service
from offhook.calls.admission import Refused
from offhook.calls.away import PATIENCE_S
from offhook.calls.rules import End, Refusal
from offhook.db import Database


@pytest.fixture
async def day(clocked: Database, clock: Clock, tmp_path: Path) -> AsyncIterator[Day]:
    async with day_of(clocked, clock, tmp_path) as day:
        yield day


TOLD, ENDED, LIMIT = "told", "ended", End.LIMIT_REACHED


async def test_with_three_minutes_the_caller_is_told_at_160_s_and_the_call_ends_at_178_s(
    day: Day,
) -> None:
    """Case LB2, U4, UL5."""
    await day.limit(3)
    call = await day.call()
    await day.to(178)
    assert call.said == [(TOLD, 160, LIMIT), (ENDED, 178, LIMIT)]
    await call.settle()
    assert await day.office.balance() == (3, 0)
    await beat_nodes(day.office.database)
    refused = await day.office.admit()
    assert refused == Refused(Refusal.LIMIT_REACHED, "busy")


async def test_every_month_starts_at_nothing_and_a_call_lives_over_its_end(day: Day) -> None:
    """Case LB2, UL10, UM6, U9: the limit is filled in each month, and no job runs."""
    await day.limit(2)
    call = await day.call()
    await day.to(118)
    await call.settle()
    assert await day.office.balance() == (2, 0)
    day.begin(datetime(2026, 6, 1, tzinfo=UTC))
    assert await day.office.balance() == (0, 0)
    day.begin(datetime(2026, 6, 30, 23, 58, 30, tzinfo=UTC))
    call = await day.call()
    await day.to(85)
    assert await day.office.balance() == (0, 2)  # June is full
    await day.to(100)
    assert (await day.office.balance(), call.said) == ((0, 1), [])  # July's first is held
    await day.to(238)
    assert call.said == [(TOLD, 220, LIMIT), (ENDED, 238, LIMIT)]
    await call.settle()
    assert await day.office.balance() == (2, 0)
    day.begin(datetime(2026, 8, 1, tzinfo=UTC))
    assert await day.office.balance() == (0, 0)
    await day.call()
    assert await day.office.told("limit.reached") == 3


@pytest.mark.parametrize("raised_to", [2, None])
async def test_a_limit_raised_in_the_last_minute_lets_the_call_go_on(
    day: Day, raised_to: int | None
) -> None:
    """UL9: the change commits half a second before the hang-up."""
    await day.limit(1)
    call = await day.call()
    await day.to(57.5)
    assert call.said == [(TOLD, 40, LIMIT)]
    await day.limit(raised_to)
    await day.to(99)
    assert call.said == [(TOLD, 40, LIMIT)]
    await day.limit(2)
    await day.to(118)
    assert call.said[1:] == [(TOLD, 100, LIMIT), (ENDED, 118, LIMIT)]


async def test_a_limit_raised_after_the_hang_up_comes_too_late(day: Day) -> None:
    await day.limit(1)
    call = await day.call()
    await day.to(58)
    await day.limit(9)
    await day.to(200)
    assert call.said == [(TOLD, 40, LIMIT), (ENDED, 58, LIMIT)]


async def test_a_limit_changed_to_what_is_not_enough_tells_the_caller_nothing_twice(
    day: Day,
) -> None:
    await day.limit(1)
    call = await day.call()
    await day.to(45)
    await day.limit(1)
    await day.to(58)
    assert call.said == [(TOLD, 40, LIMIT), (ENDED, 58, LIMIT)]


async def test_a_lowered_limit_lets_the_granted_minute_be_finished(day: Day) -> None:
    """UL8, UX7: 200 used, 300 lowered to 100, one call in its fifth minute."""
    await day.limit(300)
    earlier = await day.office.live("+12025550199")
    async with day.office.database.team(day.office.team_id) as session:
        await service.finish(
            session, day.office.team_id, earlier.call_id, End.CALLER_HUNG_UP, seconds=200 * 60
        )
    call = await day.call()
    await day.to(250)
    assert await day.office.balance() == (200, 5)
    await day.limit(100)
    await day.to(298)
    assert call.said == [(TOLD, 280, LIMIT), (ENDED, 298, LIMIT)]
    await call.settle()
    assert await day.office.balance() == (205, 0)


@pytest.mark.parametrize("minutes", [3, 4, 5])
async def test_two_live_calls_share_the_last_minutes_exactly(day: Day, minutes: int) -> None:
    """UL7: renewals in commit order; the total is the limit, to the minute."""
    await day.limit(minutes)
    calls = [await day.call(f"+1202555010{n}") for n in range(2)]
    await day.to(300)
    ends = sorted(call.ended_at for call in calls)
    assert ends[0] + ends[1] == minutes * 60 - 4
    assert ends[1] - ends[0] <= 60
    for call in calls:
        await call.settle()
    assert await day.office.balance() == (minutes, 0)


async def test_a_ledger_that_does_not_answer_never_carries_a_call_past_its_minute(
    day: Day,
) -> None:
    """U4: asked again 0.1 s before the hang-up, while another transaction holds the counter."""
    office = day.office
    await day.limit(1)
    call = await day.call()
    await day.to(57.9)
    async with office.database.team(office.team_id) as session:
        await usage.set_limit(
            session, office.team_id, number_id=office.number_id,
            service=usage.Service.CALLS, value=5,
        )  # fmt: skip
        call.credit.limit_changed()
        async with asyncio.timeout(PATIENCE_S / 2):
            await day.to(58)
    assert call.said == [(TOLD, 40, LIMIT), (ENDED, 58, LIMIT)]


async def test_a_spend_cap_ends_a_live_call_like_a_limit_and_the_next_is_busy(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A raised cap wakes a call in its last minute; the reason is the cap's own."""
    monkeypatch.setattr("offhook.usage.rules.FREE_MINUTES", 1)
    cap = End.SPEND_CAP
    await day.cap("0")
    call = await day.call()
    await day.to(45)
    assert call.said == [(TOLD, 40, cap)]
    await day.cap("0.02")
    await day.to(118)
    assert call.said[1:] == [(TOLD, 100, cap), (ENDED, 118, cap)]
    await call.settle(cap)
    await beat_nodes(day.office.database)
    assert await day.office.admit() == Refused(Refusal.SPEND_CAP, "busy")
    assert await day.office.balance() == (2, 0)
