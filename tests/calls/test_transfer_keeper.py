"""Calls that no media process carries: minutes, limits and the end of each (U4, N9, UC3, UM9)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Self, cast

import pytest
from office import Clock, Office, open_office

from offhook import numbers
from offhook.calls import service
from offhook.calls.models import Call
from offhook.calls.phrases import ENGLISH
from offhook.calls.rules import CallState, End
from offhook.calls.stopping import when_number_stopped
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers import targets
from offhook.calls.transfers.keeper import Keeper
from offhook.calls.transfers.models import Transfer
from offhook.calls.transfers.rules import Failure, TransferState
from offhook.carriers import CallRecord, Carriers, Unreachable
from offhook.carriers import CallState as CarrierState
from offhook.db import Database, Jobs
from offhook.numbers import stopping


class Line:
    """What the keeper asks of a carrier, and what it hears."""

    def __init__(self) -> None:
        self.hung_up: list[str] = []
        self.limits: list[int] = []
        self.documents: list[str] = []
        self.record: CallRecord | None = None
        self.away = False
        self.defect: Exception | None = None

    async def of(self, account_id: str | None) -> Self:
        return self

    async def hang_up(self, call_id: str) -> None:
        self.hung_up.append(call_id)

    async def redirect(self, call_id: str, *, document: str) -> None:
        self.documents.append(document)

    async def limit_call(self, call_id: str, *, seconds: int) -> None:
        if self.away:
            raise Unreachable("The carrier is away.", outcome_unknown=True)
        if self.defect is not None:
            raise self.defect
        self.limits.append(seconds)

    async def find_call(self, call_id: str) -> CallRecord | None:
        return self.record


class Away:
    """A call whose caller is being put through, and who looks after it."""

    def __init__(self, office: Office, clock: Clock, call_id: str) -> None:
        self.office = office
        self.clock = clock
        self.call_id = call_id
        self.line = Line()
        self.keeper = self.another_worker()

    def another_worker(self) -> Keeper:
        return Keeper(self.office.database, cast("Carriers", self.line))

    async def look(self, after_s: float) -> None:
        """Let time pass, then look."""
        self.clock.advance(seconds=after_s)
        await self.keeper.look()

    async def call(self) -> Call:
        return await self.office.call(self.call_id)

    async def transfer(self) -> Transfer:
        async with self.office.database.team(self.office.team_id) as session:
            (row,) = await transfers.of_call(session, self.office.team_id, self.call_id)
            return row


Leaves = Callable[..., Awaitable[Away]]


@pytest.fixture
async def leaves(clocked: Database, clock: Clock) -> Leaves:
    """A call of a number with this limit, whose caller has just left to be put through."""
    office = await open_office(clocked)

    async def leave(minutes: int | None = None) -> Away:
        await office.limit(minutes)
        connected = await office.live()
        async with office.database.team(office.team_id) as session:
            target = await targets.add(
                session, office.team_id, name="Anna", number="+12025550177", ring_s=20,
                announced=False,
            )  # fmt: skip
            wish = transfers.Wish(target.id, "run_1", connected.granted)
            await service.leave(session, office.team_id, connected.call_id, wish)
        return Away(office, clock, connected.call_id)

    return leave


async def test_minutes_go_on_and_the_carrier_knows_where_they_end(leaves: Leaves) -> None:
    """U4, UM9: each minute is reserved before it begins."""
    away = await leaves(10)
    await away.look(10)
    assert away.line.limits == [58]
    await away.look(30)
    assert await away.office.balance() == (0, 2)
    assert away.line.limits == [58, 118]
    await away.look(1)
    assert away.line.limits == [58, 118]
    await away.look(60)
    assert await away.office.balance() == (0, 3)
    assert (await away.call()).state is CallState.TRANSFERRED
    async with away.office.database.team(away.office.team_id) as session:
        await service.finish(session, away.office.team_id, away.call_id, End.CALLER_HUNG_UP)
    assert await away.office.balance() == (2, 0)  # ended in its second minute


async def test_what_is_met_with_one_call_keeps_no_other_from_its_minutes(leaves: Leaves) -> None:
    """U4"""
    away = await leaves(10)
    office = away.office
    connected = await office.live("+12025550188")
    async with office.database.team(office.team_id) as session:
        (target,) = await targets.listed(session, office.team_id)
        wish = transfers.Wish(target.id, "run_2", connected.granted)
        await service.leave(session, office.team_id, connected.call_id, wish)
    away.line.defect = ZeroDivisionError()
    await away.look(45)
    assert await office.balance() == (0, 4)  # the next minute of both
    away.line.defect = None
    await away.look(1)
    assert away.line.limits == [118, 118]


async def test_a_call_without_a_limit_is_not_walled_in(leaves: Leaves) -> None:
    away = await leaves(None)
    await away.look(45)
    assert away.line.limits == []
    assert await away.office.balance() == (0, 2)


async def test_at_the_limit_the_caller_is_told_and_the_call_ended(leaves: Leaves) -> None:
    """U4, UL5: nothing passes the last granted minute."""
    away = await leaves(1)
    await away.look(41)
    assert (await away.transfer()).final == End.LIMIT_REACHED
    assert away.line.documents == []
    await away.look(10)
    (document,) = away.line.documents
    assert ENGLISH.time_is_up.split("'", maxsplit=1)[0] in document
    assert document.endswith("<Hangup/></Response>")
    await away.look(3)
    assert len(away.line.documents) == 1
    await away.look(4)
    call = await away.call()
    assert (call.state, call.reason) == (CallState.ENDED, End.LIMIT_REACHED)
    assert away.line.hung_up == [call.carrier_call_id]
    assert await away.office.balance() == (1, 0)
    transfer = await away.transfer()
    assert (transfer.state, transfer.failure) == (TransferState.FAILED, Failure.ENDED)


async def test_a_limit_raised_in_the_last_minute_lets_the_call_go_on(leaves: Leaves) -> None:
    """UL9."""
    away = await leaves(1)
    await away.look(41)
    await away.office.limit(5)
    await away.look(5)
    assert (await away.transfer()).final is None
    assert await away.office.balance() == (0, 2)
    assert away.line.limits[-1] == 118


async def test_the_longest_duration_holds_while_somebody_else_talks(leaves: Leaves) -> None:
    """C5, UL14: 30 minutes."""
    away = await leaves(None)
    for _ in range(29):
        await away.look(60)
    assert away.line.documents == []
    await away.look(52)
    assert len(away.line.documents) == 1
    await away.look(7)
    assert (await away.call()).reason == End.LONGEST_DURATION
    assert await away.office.balance() == (30, 0)


async def test_disabling_the_number_ends_it_by_a_job(leaves: Leaves) -> None:
    """N9: no media process is there to hear of it."""
    away = await leaves(None)
    numbers.when_stopped(when_number_stopped)
    try:
        await away.office.disable()
    finally:
        stopping.forget(when_number_stopped)
    jobs = Jobs(away.office.database)
    jobs.add(service.END_JOB, away.keeper.end_now)
    await jobs.run_due()
    call = await away.call()
    assert (call.state, call.reason) == (CallState.ENDED, End.NUMBER_DISABLED)
    assert away.line.hung_up == [call.carrier_call_id]
    assert await away.office.balance() == (1, 0)
    await jobs.run_due()
    assert len(away.line.hung_up) == 1


async def test_what_a_dead_worker_left_undone_another_one_does(leaves: Leaves) -> None:
    """The minute was granted, and the carrier had not heard of it."""
    away = await leaves(10)
    await away.look(10)
    away.line.away = True
    await away.look(31)
    assert (await away.transfer()).walled == 1
    away.line.away = False
    away.keeper = away.another_worker()
    await away.look(1)
    assert away.line.limits == [58, 118]
    assert await away.office.balance() == (0, 2)


async def test_workers_that_look_at_once_take_a_minute_once(leaves: Leaves) -> None:
    away = await leaves(10)
    away.clock.advance(seconds=45)
    other = away.another_worker()
    await other.look()
    await away.keeper.look()
    assert await away.office.balance() == (0, 2)
    assert (await away.transfer()).granted == 2


async def test_a_call_whose_end_was_never_told_is_settled_by_the_carriers_record(
    leaves: Leaves,
) -> None:
    """Dropped callbacks: the carrier is asked before each further minute."""
    away = await leaves(10)
    call = await away.call()
    away.line.record = CallRecord(
        call.carrier_call_id, call.caller, away.office.e164, CarrierState.COMPLETED,
        call.answered_at, call.answered_at + timedelta(seconds=33), 33, call.answered_at,
    )  # fmt: skip
    await away.look(30)
    assert (await away.call()).state is CallState.TRANSFERRED
    await away.look(15)
    call = await away.call()
    assert (call.state, call.reason) == (CallState.ENDED, End.CALLER_HUNG_UP)
    assert call.ended_at == call.answered_at + timedelta(seconds=33)
    assert await away.office.balance() == (1, 0)


async def test_nobody_looked_for_a_while_and_an_unlimited_call_goes_on(leaves: Leaves) -> None:
    """Its minutes are taken after the fact; nobody hangs up on people who talk."""
    away = await leaves(None)
    await away.look(100)
    for _ in range(3):
        await away.look(0)
    assert (await away.call()).state is CallState.TRANSFERRED
    assert await away.office.balance() == (0, 3)


async def test_a_call_that_nobody_looks_after_is_settled_by_its_lease(leaves: Leaves) -> None:
    """UC3, LB4."""
    away = await leaves(None)
    await away.look(20)
    away.clock.advance(seconds=119)
    async with away.office.database.system() as session:
        assert await service.stale(session) == []
    away.clock.advance(seconds=2)
    async with away.office.database.system() as session:
        assert [call.id for call in await service.stale(session)] == [away.call_id]
    async with away.office.database.team(away.office.team_id) as session:
        assert await service.finish_dead(session, away.office.team_id, away.call_id)
    assert (await away.call()).reason == End.MEDIA_LOST
    assert await away.office.balance() == (1, 0)
    assert (await away.transfer()).failure is Failure.ENDED
