"""The ledger is away under live calls (UL13): a real PostgreSQL that lets nobody in."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Self, cast

import pytest
from day import Call, Day, day_of
from office import Clock, open_office
from outage import Outage, stopped
from sounds import speech
from stage import ScriptedBrain, ScriptedRecogniser, Stage, connected, snapshot

from offhook import agents, usage
from offhook.agents.offline import OfflineBrain
from offhook.calls import jobs, journal, replay, service
from offhook.calls.journal import Fact, Journal
from offhook.calls.rules import CallState, End
from offhook.carriers import Carriers
from offhook.db import Database
from offhook.supervisor import EmbeddedPostgres

TOLD, ENDED = "told", "ended"
AWAY, LIMIT = End.LEDGER_AWAY, End.LIMIT_REACHED


class Silence:
    """A carrier that is only asked to hang up."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def of(self, account_id: str | None) -> Self:
        return self

    async def hang_up(self, call_id: str) -> None:
        self.asked.append(call_id)


@pytest.fixture
async def day(clocked: Database, clock: Clock, tmp_path: Path) -> AsyncIterator[Day]:
    async with day_of(clocked, clock, tmp_path) as day:
        yield day


@pytest.fixture
def outage(postgres: EmbeddedPostgres, clocked: Database) -> Outage:
    return Outage(postgres, clocked)


async def soon(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - real time passes
            await asyncio.sleep(0.01)


async def swept(day: Day) -> list[str]:
    """A worker's round; the calls that it hung up."""
    carrier = Silence()
    await jobs.sweep(day.office.database, cast("Carriers", carrier), day.home)
    return carrier.asked


async def ended(day: Day, call: Call) -> tuple[CallState, str | None, int]:
    row = await day.office.call(call.connected.call_id)
    assert row.ended_at is not None
    return row.state, row.reason, round((row.ended_at - row.answered_at).total_seconds())


async def test_a_limited_call_finishes_its_minute_and_ends_for_a_fault_of_ours(
    day: Day, outage: Outage
) -> None:
    await day.limit(10)
    call = await day.call()
    await day.to(30)
    outage.begin()
    await day.to(58)
    assert call.said == [(TOLD, 50, AWAY), (ENDED, 58, AWAY)]
    outage.end()
    await call.settle(AWAY)
    assert await ended(day, call) == (CallState.ENDED, "ledger_away", 58)
    assert await day.office.balance() == (1, 0)


async def test_a_renewal_is_tried_again_after_5_s(day: Day, outage: Outage) -> None:
    await day.limit(10)
    call = await day.call()
    await day.to(39)
    outage.begin()
    await day.to(42)
    outage.end()
    await day.to(99)
    assert call.said == []
    assert await day.office.balance() == (0, 2)


async def test_an_unlimited_call_goes_on_by_the_journal_and_the_ledger_learns_its_minutes(
    day: Day, outage: Outage
) -> None:
    call = await day.call()
    await day.to(30)
    outage.begin()
    await day.to(170)
    assert call.said == []
    assert journal.calls_in(journal.folder_of(day.home)) == {call.connected.call_id}
    outage.end()
    await replay.own(day.office.database, day.journal)
    assert day.journal.path.read_bytes() == b""
    assert await day.office.balance() == (0, 4)
    await day.to(225)
    await call.settle(End.CALLER_HUNG_UP)
    assert await day.office.balance() == (4, 0)


async def test_the_next_renewal_brings_the_ledger_up_to_date_by_itself(
    day: Day, outage: Outage
) -> None:
    call = await day.call()
    await day.to(30)
    outage.begin()
    await day.to(200)
    outage.end()
    await day.to(230)
    assert await day.office.balance() == (0, 5)
    await replay.own(day.office.database, day.journal)
    assert await day.office.balance() == (0, 5), "told twice, reserved once"
    assert call.said == []


async def test_an_unlimited_call_ends_after_15_minutes_alone(day: Day, outage: Outage) -> None:
    call = await day.call()
    await day.to(30)
    outage.begin()
    await day.to(16 * 60 - 2)
    assert call.said == [(TOLD, 16 * 60 - 10, AWAY), (ENDED, 16 * 60 - 2, AWAY)]
    await call.ended_without_ledger(AWAY)
    outage.end()
    await replay.own(day.office.database, day.journal)
    await replay.own(day.office.database, day.journal)
    assert await ended(day, call) == (CallState.ENDED, "ledger_away", 16 * 60 - 2)
    assert await day.office.balance() == (16, 0)


async def test_a_limit_set_before_the_ledger_learnt_of_the_minutes_is_not_passed(
    day: Day, outage: Outage
) -> None:
    """UI1: whoever asks first gets the unit; the customer pays within the limit."""
    call = await day.call()
    await day.to(30)
    outage.begin()
    await day.to(200)
    outage.end()
    await day.limit(2)
    await day.to(238)
    assert call.said == [(TOLD, 220, LIMIT), (ENDED, 238, LIMIT)]
    await call.settle()
    assert await day.office.balance() == (2, 0)


async def test_an_end_without_the_ledger_is_settled_by_the_calls_own_clock(
    day: Day, outage: Outage
) -> None:
    """The sweeper would settle at the last heart-beat, a minute too early; it waits (UC3)."""
    call = await day.call()
    await day.to(5)
    outage.begin()
    await day.to(125)
    await call.ended_without_ledger()
    await day.to(600)
    outage.end()
    assert await swept(day) == []
    assert await day.office.balance() == (0, 1)
    await replay.own(day.office.database, day.journal)
    assert await ended(day, call) == (CallState.ENDED, "caller_hung_up", 125)
    assert await day.office.balance() == (3, 0)
    await replay.own(day.office.database, day.journal)
    assert await swept(day) == []
    assert await day.office.balance() == (3, 0)


async def test_what_a_killed_process_wrote_down_is_told_by_the_worker(
    day: Day, outage: Outage
) -> None:
    """Its other call, without an end, ended with it: at the last sign of life in the journal."""
    first, second = await day.call(), await day.call("+12025550199")
    await day.to(5)
    outage.begin()
    await day.to(125)
    await first.ended_without_ledger()
    await day.to(170)
    await day.over()
    await day.to(1_000)
    outage.end()
    rows = await day.office.calls()
    assert sorted(await swept(day)) == sorted(row.carrier_call_id for row in rows)
    assert await ended(day, first) == (CallState.ENDED, "caller_hung_up", 125)
    state, reason, seconds = await ended(day, second)
    assert (state, reason) == (CallState.ENDED, "media_lost")
    assert 160 <= seconds <= 170
    assert await day.office.balance() == (6, 0)
    assert journal.files(journal.folder_of(day.home)) == []
    assert await swept(day) == []


async def test_an_end_that_the_ledger_has_already_stands(day: Day, outage: Outage) -> None:
    """Never doubled: the sweeper of another machine came first, and the customer pays less."""
    call = await day.call()
    await day.to(5)
    outage.begin()
    await day.to(125)
    await call.ended_without_ledger()
    outage.end()
    await call.settle(End.MEDIA_LOST, seconds=5)
    await replay.own(day.office.database, day.journal)
    assert await ended(day, call) == (CallState.ENDED, "media_lost", 5)
    assert await day.office.balance() == (1, 0)


async def test_an_end_that_another_version_wrote_down_is_an_end_at_its_time(day: Day) -> None:
    """What a journal holds never keeps a media process from saying that it is there."""
    call = await day.call()
    await day.to(70)
    connected = call.connected
    about = (connected.call_id, connected.team_id, connected.number_id)
    await day.journal.write(Fact(*about, 65.0, spoke=True, ended="abducted"))
    await replay.own(day.office.database, day.journal)
    assert await ended(day, call) == (CallState.ENDED, "media_lost", 65)
    assert day.journal.untold == {}


async def test_a_journal_with_nothing_untold_spares_nobody(day: Day) -> None:
    """The lease settles (UC3)."""
    call = await day.call()
    await day.to(30)
    await day.over()
    await day.to(200)
    assert len(await swept(day)) == 1
    assert (await ended(day, call))[:2] == (CallState.ENDED, "media_lost")


def replayed_by_another_process(url: str, home: Path, failpoint: str) -> int:
    """Its exit status. A copy of this process, since a new one would import for seconds."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.environ["OFFHOOK_FAILPOINT"] = failpoint

    async def work() -> None:
        await replay.of_the_dead(Database(url), cast("Carriers", Silence()), home)
        os._exit(0)

    thread = threading.Thread(target=asyncio.run, args=(work(),))
    thread.start()
    thread.join()
    os._exit(1)


@pytest.mark.kills
@pytest.mark.parametrize("attempt", range(int(os.environ.get("OFFHOOK_KILLS", "1"))))
async def test_a_replay_that_is_killed_is_taken_up_again_and_doubles_nothing(
    database: Database, tmp_path: Path, attempt: int
) -> None:
    """Faults c, settlement: kill -9 after each call that was told, then once more in peace."""
    office = await open_office(database)
    kept = Journal(journal.folder_of(tmp_path), "node_killed")
    for index in range(3):
        call = await office.live(f"+1202555010{index}")
        about = (call.call_id, office.team_id, office.number_id)
        await kept.write(Fact(*about, seconds=45.0, spoke=True, minute=1))
        await kept.write(Fact(*about, seconds=61.0, spoke=True, ended="silence"))
    kept.close()
    for nth in (1, 2, 3, 0):
        status = replayed_by_another_process(database.url, tmp_path, f"journal.told:{nth}")
        assert status == (137 if nth else 0)
        assert (await office.balance())[0] == (2 * nth or 6)
    assert await office.balance() == (6, 0)
    assert await office.told("call.ended") == 3
    assert journal.files(journal.folder_of(tmp_path)) == []
    async with database.system() as session:
        assert not list(await usage.audit(session))


async def test_a_server_that_says_nothing_does_not_keep_a_caller_whose_call_is_over(
    postgres: EmbeddedPostgres, database: Database, tmp_path: Path
) -> None:
    """U4, UL13: the line talks on, the carrier is told to hang up in time, the end is kept."""
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=ScriptedBrain("Yes, from eight."), recogniser=ScriptedRecogniser("Are you open?"),
    )  # fmt: skip
    await stage.agent_is_silent()
    loop = asyncio.get_running_loop()
    async with stopped(postgres):
        await stage.run(speech("Are you open?"))
        await stage.agent_is_silent()
        ends_at = loop.time()
        stage.conversation.end(End.SILENCE)
        await soon(lambda: stage.carrier.hung_up)
        assert loop.time() - ends_at < 2, "the carrier's next minute has begun"
        await soon(lambda: stage.journal.untold)
    assert await stage.ended() is End.SILENCE
    assert await stage.turns() == [
        ("agent", "Good morning."),
        ("caller", "Are you open?"),
        ("agent", "Yes, from eight."),
        ("notice", "The caller said nothing more."),
    ]
    await replay.of_the_dead(database, cast("Carriers", stage.carrier), tmp_path)
    async with database.team(stage.connected.team_id) as session:
        call = await service.get(session, stage.connected.team_id, stage.connected.call_id)
        cost = await usage.cost_of_call(session, call.team_id, call.id)
    assert (call.state, call.reason) == (CallState.ENDED, "silence")
    assert cost is not None
    assert cost.minutes == 1


async def test_a_question_to_a_database_that_says_nothing_is_answered_in_words_within_a_second(
    postgres: EmbeddedPostgres, database: Database
) -> None:
    """C9: the knowledge cannot be asked, and the caller is told so instead of waiting."""
    team_id = (await connected(database, snapshot())).team_id
    search = agents.search_in(database, team_id, snapshot(), patience_s=1.0)
    await search("Are you open?")  # the model of meaning is loaded
    briefing = agents.Briefing(
        team_id, snapshot(), agents.Channel.CALL,
        [agents.Said(agents.Speaker.CALLER, "Are you open on Sunday?")], search,
    )  # fmt: skip
    began = asyncio.get_running_loop().time()
    async with stopped(postgres):
        parts = [part async for part in OfflineBrain().reply(briefing)]
        assert asyncio.get_running_loop().time() - began < 3
    text = "".join(part.delta for part in parts if isinstance(part, agents.Text))
    assert text.startswith("I am sorry, I cannot look that up just now.")
    assert any(isinstance(part, agents.NeedsPerson) for part in parts)
