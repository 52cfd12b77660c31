"""Who is answered and who is not (C1), on a real database: the limit, the lines, the caller."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Self, cast

import pytest
from office import CALLER, Clock, Office, add_node, beat_nodes, open_office, voice_form
from sqlalchemy import select

from number_fixtures import make_enabled
from offhook import calls, contacts, inbox, numbers, usage
from offhook.calls import jobs, service
from offhook.calls.admission import Admitted, Refused
from offhook.calls.rules import CallState, End, Refusal
from offhook.carriers import Carriers, Unreachable, parse_inbound_call
from offhook.db import Database
from offhook.inbox import Conversation
from offhook.phone import E164

HIDDEN = (
    "+266696687", "+7378742833", "+86282452253", "+8656696",
    "Anonymous", "anonymous", "+", "", "sip:anonymous@anonymous.invalid",
)  # fmt: skip


@pytest.fixture
async def office(database: Database) -> Office:
    return await open_office(database)


REFUSED: dict[str, tuple[Callable[[Office], Awaitable[None]], Refusal]] = {
    "disabled": (lambda office: office.disable(), Refusal.DISABLED),
    "calls off": (
        lambda office: office.configure(calls_enabled=False), Refusal.CALLS_OFF,
    ),
    "agent paused": (lambda office: office.pause_agent(), Refusal.AGENT_NOT_LIVE),
    "suspended": (lambda office: office.suspend(), Refusal.SUSPENDED),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
async def test_a_call_that_may_not_be_answered_is_rejected_and_kept_out_of_sight(
    office: Office, case: str
) -> None:
    """C1: with its reason, hidden unless filtered for, never unread, never usage."""
    change, refusal = REFUSED[case]
    await change(office)
    assert await office.admit() == Refused(refusal, "rejected")
    await _is_kept(office, refusal)


async def _is_kept(office: Office, refusal: Refusal) -> None:
    """One conversation "not answered" with its reason; nothing on the ledger."""
    (call,) = [each for each in await office.calls() if each.state is CallState.REFUSED]
    async with office.database.team(office.team_id) as session:
        kept = await inbox.get(session, office.team_id, call.conversation_id)
        shown = await session.scalars(inbox.listed(office.team_id, inbox.Filter()))
        assert kept not in list(shown)
        filtered = inbox.Filter(state=inbox.State.NOT_ANSWERED)
        assert list(await session.scalars(inbox.listed(office.team_id, filtered))) == [kept]
        assert await usage.cost_of_call(session, office.team_id, call.id) is None
    assert (call.reason, kept.reason, kept.last_heard_at) == (refusal, refusal, None)
    assert await office.told("call.refused") == 1


async def test_a_used_up_limit_is_busy_and_writes_nothing_on_the_ledger(office: Office) -> None:
    """UL4, C1."""
    await office.limit(1)
    await office.admitted()
    refused = await office.admit(office.rings("+12025550199"))
    assert refused == Refused(Refusal.LIMIT_REACHED, "busy")
    await _is_kept(office, Refusal.LIMIT_REACHED)
    assert await office.balance() == (0, 1)


async def test_without_a_media_process_the_caller_hears_busy(database: Database) -> None:
    office = await open_office(database, lines=0)
    assert await office.admit() == Refused(Refusal.NO_CAPACITY, "busy")
    await _is_kept(office, Refusal.NO_CAPACITY)


async def test_a_full_media_process_is_busy_and_another_one_is_taken(database: Database) -> None:
    office = await open_office(database, lines=1)
    first = await office.admitted("+12025550101")
    refused = await office.admit(office.rings("+12025550102"))
    assert refused == Refused(Refusal.NO_CAPACITY, "busy")
    await add_node(database, 1, "ws://127.0.0.1:2")
    second = await office.admitted("+12025550103")
    assert {first.node_url, second.node_url} == {"ws://127.0.0.1:1", "ws://127.0.0.1:2"}


async def test_a_media_process_that_fell_silent_gets_no_call(
    clocked: Database, clock: Clock
) -> None:
    office = await open_office(clocked)
    clock.advance(seconds=9)
    assert await office.admit() == Refused(Refusal.NO_CAPACITY, "busy")


async def test_a_greeting_that_is_not_ready_is_our_fault_and_busy(office: Office) -> None:
    assert await office.admit(ready=False) == Refused(Refusal.OUR_FAULT, "busy")
    await _is_kept(office, Refusal.OUR_FAULT)
    assert await office.balance() == (0, 0)


async def test_a_strangers_number_is_rejected_and_leaves_no_trace(office: Office) -> None:
    async with office.database.system() as session:
        before = len(list(await session.scalars(select(Conversation))))
    assert await office.admit(parse_inbound_call(voice_form("+14155559999"))) == Refused(
        Refusal.UNKNOWN_NUMBER, "rejected"
    )
    async with office.database.system() as session:
        assert len(list(await session.scalars(select(Conversation)))) == before


async def test_an_answered_call_holds_its_first_minute_before_the_carrier_is_told(
    office: Office,
) -> None:
    """U4."""
    verdict = await office.admitted()
    assert await office.balance() == (0, 1)
    call = await office.call(verdict.call_id)
    assert (call.state, call.caller, call.epoch) == (CallState.ADMITTED, CALLER, 1)
    async with office.database.team(office.team_id) as session:
        contact = await contacts.find(session, office.team_id, E164(CALLER))
    assert contact is not None
    assert call.contact_id == contact.id


async def test_the_same_carrier_call_told_twice_is_one_call_with_one_answer(
    office: Office,
) -> None:
    """UM10, SEC2."""
    inbound = office.rings()
    assert await office.admit(inbound) == await office.admit(inbound)
    assert len(await office.calls()) == 1
    assert await office.balance() == (0, 1)
    assert await office.told("call.started") == 1


@pytest.mark.parametrize("caller", [CALLER, "anonymous"])
async def test_the_same_carrier_call_told_many_times_at_once_is_one_call(
    wide: Database, caller: str
) -> None:
    """UM10, SEC2: the carrier repeats while the first answer is still being made."""
    office = await open_office(wide)
    inbound = office.rings(caller)
    verdicts = await asyncio.gather(*(office.admit(inbound) for _ in range(8)))
    assert len({each.call_id for each in verdicts if isinstance(each, Admitted)}) == 1
    assert set(map(type, verdicts)) == {Admitted}
    assert await office.balance() == (0, 1)


async def test_a_refusal_told_twice_stays_a_refusal(office: Office) -> None:
    await office.limit(1)
    await office.admitted("+12025550101")
    inbound = office.rings("+12025550102")
    refused = await office.admit(inbound)
    await office.limit(None)
    assert await office.admit(inbound) == refused
    assert isinstance(await office.admit(office.rings("+12025550102")), Admitted)


@pytest.fixture
async def wide(database_url: str) -> AsyncIterator[Database]:
    """As `database`, with as many connections as a race needs."""
    database = Database(database_url, pool_size=24)
    yield database
    await database.close()


async def test_of_20_calls_at_once_for_the_last_minute_exactly_one_is_answered(
    wide: Database,
) -> None:
    """Case LB1, UL6, UX5; while somebody edits the limit between 1 and 2."""
    office = await open_office(wide, lines=40)
    await office.limit(1)
    calls = [office.rings(f"+120255501{n:02}") for n in range(20)]
    verdicts = await asyncio.gather(*(office.admit(each) for each in calls))
    assert Counter(type(each) for each in verdicts) == {Admitted: 1, Refused: 19}
    reasons = {each.refusal for each in verdicts if isinstance(each, Refused)}
    assert reasons == {Refusal.LIMIT_REACHED}
    assert await office.balance() == (0, 1)


async def test_edits_of_the_limit_in_the_rush_never_let_more_in_than_it_ever_allowed(
    wide: Database,
) -> None:
    """Case LB1, its last part, and UI1."""
    office = await open_office(wide, lines=40)
    await office.limit(1)

    async def edits() -> None:
        for n in range(40):
            await office.limit(1 + n % 2)

    calls = [office.rings(f"+120255501{n:02}") for n in range(20)]
    verdicts = await asyncio.gather(edits(), *(office.admit(each) for each in calls))
    admitted = [each for each in verdicts if isinstance(each, Admitted)]
    assert 1 <= len(admitted) <= 2
    assert await office.balance() == (0, len(admitted))


async def test_a_caller_has_two_lines_and_no_third(office: Office) -> None:
    """SEC12."""
    first = await office.live()
    await office.admitted()
    assert await office.admit() == Refused(Refusal.CALLER_LINES_FULL, "busy")
    assert isinstance(await office.admit(office.rings("+12025550199")), Admitted)
    async with office.database.team(office.team_id) as session:
        await service.finish(session, office.team_id, first.call_id, End.CALLER_HUNG_UP)
    assert isinstance(await office.admit(), Admitted)


async def test_ten_calls_of_one_caller_at_once_get_two_lines(wide: Database) -> None:
    """SEC12: a thousand calls from one number at once are no way around the cap."""
    office = await open_office(wide, lines=40)
    verdicts = await asyncio.gather(*(office.admit() for _ in range(10)))
    assert Counter(type(each) for each in verdicts) == {Admitted: 2, Refused: 8}


@pytest.mark.parametrize("spelling", HIDDEN)
async def test_whoever_hides_is_nobodys_contact_and_shares_nothing(
    office: Office, spelling: str
) -> None:
    """Case CI2, P5."""
    verdicts = [await office.admitted(spelling) for _ in range(3)]  # no shared cap either
    rows = [await office.call(each.call_id) for each in verdicts]
    assert {(row.contact_id, row.caller) for row in rows} == {(None, "")}
    assert len({row.conversation_id for row in rows}) == 3
    async with office.database.team(office.team_id) as session:
        assert not list(await session.scalars(select(contacts.Contact)))
        for row in rows:
            conversation = await inbox.get(session, office.team_id, row.conversation_id)
            told = await inbox.timeline(session, office.team_id, conversation)
            assert [each.conversation.id for each in told] == [row.conversation_id]


async def test_a_number_of_another_team_is_not_touched_by_this_ones_limit(
    office: Office,
) -> None:
    other = await open_office(office.database, lines=0)
    await office.limit(1)
    await office.admitted()
    assert isinstance(await other.admit(), Admitted)
    assert [call.team_id for call in await other.calls()] == [other.team_id]


async def test_a_caller_may_call_a_teams_second_number_besides(office: Office) -> None:
    """The cap is each number's own."""
    await office.admitted()
    await office.admitted()
    second = await make_enabled(office.database, office.team_id, office.agent_id)
    async with office.database.team(office.team_id) as session:
        number = await numbers.get(session, office.team_id, second)
    verdict = await office.admit(parse_inbound_call(voice_form(number.e164)))
    assert isinstance(verdict, Admitted)


# --- case LB4: calls cut off by a crash ---


class DeadCarrier:
    """Remembers whom it was asked to hang up, and cannot be reached."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def of(self, account_id: str | None) -> Self:
        return self

    async def hang_up(self, call_id: str) -> None:
        self.asked.append(call_id)
        raise Unreachable("The carrier is away.", outcome_unknown=True)


class BrokenCarrier(DeadCarrier):
    """What it answers is understood by nobody."""

    async def hang_up(self, call_id: str) -> None:
        raise ValueError(call_id)


async def _two_calls_that_died_at_70_s(database: Database, clock: Clock) -> Office:
    """Both have spoken, hold their second minute and showed their last sign of life at 70 s."""
    office = await open_office(database)
    live = [await office.live() for _ in range(2)]
    clock.advance(seconds=70)
    for call in live:
        async with database.team(office.team_id) as session:
            for index in (1, 2):
                await usage.reserve_minute(
                    session, office.team_id, number_id=office.number_id, call_id=call.call_id,
                    index=index,
                )  # fmt: skip
            await service.beat(session, office.team_id, call.call_id)
    return office


async def test_dead_calls_free_their_lines_after_the_lease_and_say_why_before_it(
    clocked: Database, clock: Clock
) -> None:
    """Case LB4: web and worker are dead too, so nobody sweeps; the caller rings again."""
    office = await _two_calls_that_died_at_70_s(clocked, clock)
    clock.advance(seconds=30)
    await beat_nodes(clocked)
    assert await office.admit() == Refused(Refusal.CALLER_LINES_FULL, "busy")
    clock.advance(seconds=91)
    await beat_nodes(clocked)
    assert isinstance(await office.admit(), Admitted)


@pytest.mark.parametrize("later_s", [121, 600, 3600])
@pytest.mark.parametrize("ledger_first", [False, True])
async def test_dead_calls_are_settled_at_their_last_sign_of_life(
    clocked: Database, clock: Clock, tmp_path: Path, later_s: int, *, ledger_first: bool
) -> None:
    """Case LB4, UC3, UI10; whichever sweeper comes first, and with the clock an hour ahead."""
    office = await _two_calls_that_died_at_70_s(clocked, clock)
    died_at = clock.instant
    clock.advance(seconds=later_s)
    carrier = DeadCarrier()
    if ledger_first:
        async with clocked.system() as session:
            await usage.settle_stale(session)
    await jobs.sweep(clocked, cast("Carriers", carrier), tmp_path)
    assert await office.balance() == (4, 0)
    rows = await office.calls()
    assert {(row.state, row.reason, row.ended_at) for row in rows} == {
        (CallState.ENDED, End.MEDIA_LOST, died_at)
    }
    assert sorted(carrier.asked) == sorted(row.carrier_call_id for row in rows)
    await jobs.sweep(clocked, cast("Carriers", carrier), tmp_path)
    assert len(carrier.asked) == 2
    assert await office.told("call.ended") == 2


async def test_a_dead_call_that_cannot_be_settled_keeps_no_other_from_it(
    clocked: Database, clock: Clock, tmp_path: Path
) -> None:
    """LB4: what is met with one call is its own, at every look."""
    office = await _two_calls_that_died_at_70_s(clocked, clock)
    clock.advance(seconds=121)
    await jobs.sweep(clocked, cast("Carriers", BrokenCarrier()), tmp_path)
    assert {row.state for row in await office.calls()} == {CallState.ENDED}


async def test_a_dead_call_whose_agent_never_spoke_costs_nothing(
    clocked: Database, clock: Clock, tmp_path: Path
) -> None:
    """UM5, UC3: it was connected and beat, but no audio was ever heard."""
    office = await open_office(clocked)
    call = await office.connect(await office.admitted())
    clock.advance(seconds=20)
    async with clocked.team(office.team_id) as session:
        await service.beat(session, office.team_id, call.call_id)
    clock.advance(seconds=121)
    await jobs.sweep(clocked, cast("Carriers", DeadCarrier()), tmp_path)
    assert await office.balance() == (0, 0)


async def test_a_call_that_never_connected_is_swept_and_costs_nothing(
    clocked: Database, clock: Clock, tmp_path: Path
) -> None:
    office = await open_office(clocked)
    verdict = await office.admitted()
    clock.advance(seconds=119)
    await jobs.sweep(clocked, cast("Carriers", DeadCarrier()), tmp_path)
    assert (await office.call(verdict.call_id)).state is CallState.ADMITTED
    clock.advance(seconds=2)
    await jobs.sweep(clocked, cast("Carriers", DeadCarrier()), tmp_path)
    call = await office.call(verdict.call_id)
    assert (call.state, call.reason) == (CallState.ENDED, End.NEVER_CONNECTED)
    assert await office.balance() == (0, 0)


async def test_a_call_that_beats_is_left_alone(
    clocked: Database, clock: Clock, tmp_path: Path
) -> None:
    office = await open_office(clocked)
    call = await office.live()
    for _ in range(60):
        clock.advance(seconds=5)
        async with clocked.team(office.team_id) as session:
            await service.beat(session, office.team_id, call.call_id)
        await jobs.sweep(clocked, cast("Carriers", DeadCarrier()), tmp_path)
    assert (await office.call(call.call_id)).state is CallState.LIVE


async def test_the_operator_is_told_how_many_lines_there_are_and_how_many_are_in_use(
    office: Office,
) -> None:
    async def lines() -> calls.Lines:
        async with office.database.system() as session:
            return await calls.lines(session)

    before = await lines()
    await office.live("+12025550188")
    after = await lines()
    assert (after.processes, after.capacity) == (before.processes, before.capacity)
    assert before.processes > 0
    assert after.live == before.live + 1
