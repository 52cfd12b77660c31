"""Nothing begins on a number that is stopped, whoever was first (UI9, UN1, N9)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from office import Clock, Office, open_office
from sqlalchemy import text

from number_fixtures import BY
from offhook import billing, numbers, usage
from offhook.calls import admission
from offhook.calls.admission import Admitted, Refused
from offhook.calls.rules import End, Refusal
from offhook.calls.stopping import when_number_stopped
from offhook.db import Database
from offhook.numbers import stopping


@pytest.fixture
async def office(clocked: Database) -> AsyncIterator[Office]:
    numbers.when_stopped(when_number_stopped)
    billing.when_suspended(numbers.stop_suspended)
    yield await open_office(clocked)
    stopping.forget(when_number_stopped)


async def somebody_waits(database: Database) -> None:
    """Until a transaction waits for another one's lock."""
    async with asyncio.timeout(30), database.system() as session:
        waiting = text("SELECT 1 FROM pg_locks WHERE NOT granted")
        while (await session.execute(waiting)).first() is None:
            pass  # each look is a question to the server, so others have their turn


@pytest.mark.parametrize(
    ("how", "reason"), [("disable", End.NUMBER_DISABLED), ("suspend", End.SUSPENDED)]
)
async def test_a_number_that_stops_waits_for_a_call_being_admitted_and_ends_it(
    office: Office, how: str, reason: End
) -> None:
    """And says why (N11)."""
    async with office.database.system() as session:
        verdict = await admission.admit(session, office.rings())
        assert isinstance(verdict, Admitted)
        stops = asyncio.create_task(getattr(office, how)())
        await somebody_waits(office.database)
    await stops
    (call,) = await office.calls()
    assert call.end_requested == reason


async def test_a_call_that_comes_while_its_number_stops_waits_and_is_refused(
    office: Office,
) -> None:
    async with office.database.team(office.team_id) as session:
        await numbers.disable(session, office.team_id, office.number_id, BY)
        admitting = asyncio.create_task(office.admit())
        await somebody_waits(office.database)
    assert await admitting == Refused(Refusal.DISABLED, "rejected")
    async with office.database.system() as session:
        assert await numbers.audit(session) == []


@pytest.mark.parametrize("how", ["disable", "suspend"])
async def test_the_audit_notices_a_minute_that_began_on_a_stopped_number(
    office: Office, clock: Clock, how: str
) -> None:
    """UI9; the last minute may begin within the 2 s that a live call has to end (UN1)."""
    await getattr(office, how)()
    for seconds, found in ((2, []), (1, ["UI9"])):
        clock.instant += timedelta(seconds=seconds)
        async with office.database.system() as session:
            await usage.reserve_minute(
                session,
                office.team_id,
                number_id=office.number_id,
                call_id=f"call_{seconds}",
                index=0,
            )
            await usage.settle_call(session, office.team_id, call_id=f"call_{seconds}", seconds=5)
            seen = [*await numbers.audit(session), *await billing.audit(session)]
        assert [each.rule for each in seen] == found
