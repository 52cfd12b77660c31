"""A call after its admission: connected once, alive, asked to end, ended once, its recording."""

import asyncio
import os
from pathlib import Path

import pytest
from office import SECRET, Clock, Office, open_office

from number_fixtures import make_team
from offhook import inbox, numbers, usage
from offhook.calls import jobs, recordings, service
from offhook.calls.models import Call
from offhook.calls.rules import CallState, End
from offhook.calls.service import CallNotFound, StreamRefused
from offhook.calls.stopping import when_number_stopped
from offhook.calls.tokens import stream_token
from offhook.db import Database


@pytest.fixture
async def office(database: Database) -> Office:
    return await open_office(database)


async def finish(
    office: Office, call_id: str, reason: End = End.CALLER_HUNG_UP, seconds: float | None = None
) -> bool:
    async with office.database.team(office.team_id) as session:
        return await service.finish(session, office.team_id, call_id, reason, seconds=seconds)


# --- the stream's token (SEC4, UM10) ---


async def test_a_stream_with_its_token_is_connected_and_told_what_it_needs(
    office: Office,
) -> None:
    verdict = await office.admitted()
    connected = await office.connect(verdict)
    assert (connected.call_id, connected.number_id) == (verdict.call_id, office.number_id)
    assert connected.snapshot.agent_id == office.agent_id
    assert 0 <= connected.answered_ago_ms < 10_000
    assert (await office.call(verdict.call_id)).state is CallState.LIVE
    assert await office.told("call.answered") == 1


async def test_a_token_connects_once(office: Office) -> None:
    verdict = await office.admitted()
    results = await asyncio.gather(
        *(office.connect(verdict) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(each, StreamRefused) for each in results) == 3
    assert await office.told("call.answered") == 1


async def test_a_token_of_another_call_or_epoch_or_made_up_is_refused(office: Office) -> None:
    first, second = await office.admitted(), await office.admitted()
    for token in (
        stream_token(SECRET, second.call_id, 1),
        stream_token(SECRET, first.call_id, 2),
        stream_token(b"x" * 32, first.call_id, 1),
        "made up",
        "\N{SNOWMAN}",
    ):
        with pytest.raises(StreamRefused):
            await office.connect(first, token)
    assert (await office.call(first.call_id)).state is CallState.ADMITTED
    await office.connect(first)


async def test_a_token_of_a_call_that_nobody_made_is_refused(office: Office) -> None:
    async with office.database.system() as session:
        with pytest.raises(StreamRefused):
            await service.connect(session, SECRET, "call_none", stream_token(SECRET, "x", 1))


@pytest.mark.parametrize(("after_s", "connects"), [(10, True), (10.001, False)])
async def test_a_token_is_good_for_ten_seconds(
    clocked: Database, clock: Clock, after_s: float, *, connects: bool
) -> None:
    office = await open_office(clocked)
    verdict = await office.admitted()
    clock.advance(seconds=after_s)
    if connects:
        assert (await office.connect(verdict)).answered_ago_ms == 10_000
        return
    with pytest.raises(StreamRefused):
        await office.connect(verdict)


async def test_a_call_that_is_over_is_not_connected(office: Office) -> None:
    verdict = await office.admitted()
    await finish(office, verdict.call_id)
    with pytest.raises(StreamRefused):
        await office.connect(verdict)


# --- the end ---


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [(0.0, 1), (0.4, 1), (60.0, 1), (60.001, 2), (119.5, 2), (178.0, 3)],
)
async def test_every_started_minute_counts(office: Office, seconds: float, minutes: int) -> None:
    """UM2."""
    call = await office.live()
    assert await finish(office, call.call_id, seconds=seconds)
    assert await office.balance() == (minutes, 0)


async def test_a_call_whose_agent_never_spoke_costs_nothing(office: Office) -> None:
    """UM5."""
    call = await office.connect(await office.admitted())
    assert await finish(office, call.call_id, End.AGENT_HUNG_UP, seconds=14)
    assert await office.balance() == (0, 0)
    assert (await office.call(call.call_id)).reason == End.AGENT_HUNG_UP


async def test_a_caller_who_is_gone_before_the_agent_speaks_is_called_so(office: Office) -> None:
    call = await office.connect(await office.admitted())
    await finish(office, call.call_id)
    assert (await office.call(call.call_id)).reason == End.NEVER_CONNECTED


async def test_an_end_told_by_many_at_once_is_one_end(office: Office) -> None:
    """UC1, U7: the media process, the carrier's callbacks and the sweeper all say so."""
    call = await office.live()
    reasons = [End.CALLER_HUNG_UP, End.MEDIA_LOST, End.AGENT_HUNG_UP, End.CALLER_HUNG_UP]
    ended = await asyncio.gather(*(finish(office, call.call_id, each) for each in reasons))
    assert sum(ended) == 1
    assert await office.balance() == (1, 0)
    for event in ("call.ended", "transcript.ready"):
        assert await office.told(event) == 1


async def test_a_second_end_changes_neither_reason_nor_minutes(office: Office) -> None:
    call = await office.live()
    await finish(office, call.call_id, seconds=30)
    before = await office.call(call.call_id)
    assert not await finish(office, call.call_id, End.MEDIA_LOST, seconds=500)
    after = await office.call(call.call_id)
    assert (after.reason, after.ended_at) == (before.reason, before.ended_at)
    assert await office.balance() == (1, 0)


async def test_the_conversation_is_closed_with_the_call(office: Office) -> None:
    call = await office.live()
    await finish(office, call.call_id)
    async with office.database.team(office.team_id) as session:
        conversation = await inbox.get(session, office.team_id, call.conversation_id)
    assert (conversation.state, conversation.reason) == (inbox.State.CLOSED, End.CALLER_HUNG_UP)


async def test_a_refused_call_cannot_be_ended(office: Office) -> None:
    await office.disable()
    await office.admit()
    (call,) = await office.calls()
    assert not await finish(office, call.id)
    assert (await office.call(call.id)).state is CallState.REFUSED


async def test_a_wish_to_end_reaches_the_call_with_its_next_sign_of_life(
    office: Office,
) -> None:
    """I5: the first wish stands; a call that is over takes none."""
    call = await office.live()
    async with office.database.team(office.team_id) as session:
        assert await service.beat(session, office.team_id, call.call_id) is None
        for reason in (End.ENDED_BY_PERSON, End.NUMBER_DISABLED):
            await service.request_end(session, office.team_id, call.call_id, reason)
    async with office.database.team(office.team_id) as session:
        assert await service.beat(session, office.team_id, call.call_id) == End.ENDED_BY_PERSON
        asked = await service.asked(session, office.team_id, call.call_id)
        assert asked == service.Asked(End.ENDED_BY_PERSON)
    await finish(office, call.call_id)
    async with office.database.team(office.team_id) as session:
        await service.request_end(session, office.team_id, call.call_id, End.SUSPENDED)
        assert await service.beat(session, office.team_id, call.call_id) is None


@pytest.mark.parametrize(
    ("stopped", "ends"),
    [(None, True), (usage.Service.CALLS, True), (usage.Service.SMS, False)],
)
async def test_disabling_a_number_asks_its_live_calls_to_end_and_no_others(
    office: Office, stopped: usage.Service | None, *, ends: bool
) -> None:
    """N9; switching texts off ends no call."""
    call = await office.live()
    other = await open_office(office.database, lines=0)
    foreign = await other.live()
    async with office.database.team(office.team_id) as session:
        number = await numbers.get(session, office.team_id, office.number_id)
        await when_number_stopped(session, number, stopped)
    asked = (await office.call(call.call_id)).end_requested
    assert asked == (End.NUMBER_DISABLED if ends else None)
    assert (await other.call(foreign.call_id)).end_requested is None


# --- another team (SEC7) ---


async def test_another_teams_call_is_not_found_and_not_touched(office: Office) -> None:
    call = await office.live()
    stranger = await make_team(office.database, "Garage")
    async with office.database.team(stranger) as session:
        for step in (
            service.get(session, stranger, call.call_id),
            service.request_end(session, stranger, call.call_id, End.ENDED_BY_PERSON),
            service.finish(session, stranger, call.call_id, End.ENDED_BY_PERSON),
            service.recording_saved(session, stranger, call.call_id, "a.wav", 1000),
        ):
            with pytest.raises(CallNotFound):
                await step
        await service.spoke(session, stranger, call.call_id)
        assert await service.beat(session, stranger, call.call_id) is None
        # Nor where a query forgot to name the team: the rows are not there (row-level security).
        assert await session.get(Call, call.call_id) is None
    row = await office.call(call.call_id)
    assert (row.state, row.end_requested, row.recording) == (CallState.LIVE, None, None)


# --- recordings (C3) ---


async def _recorded(office: Office, folder: Path, frames: int | None) -> str:
    """A call whose media process died while it recorded; `frames` are on disk, None: no file."""
    call = await office.live()
    path = folder / "recordings" / f"{call.call_id}.wav"
    async with office.database.team(office.team_id) as session:
        await service.recording_began(session, office.team_id, call.call_id, str(path))
    if frames is not None:
        path.parent.mkdir()
        part = path.with_name(path.name + ".part")
        part.write_bytes(b"\0" * 58 + b"\xff" * (2 * frames))
    return call.call_id


@pytest.mark.parametrize(
    ("frames", "state", "length_ms", "event"),
    [
        (16_000, "ready", 2000, "recording.ready"),
        (0, "failed", None, "recording.failed"),
        (None, "failed", None, "recording.failed"),
    ],
)
async def test_what_a_dead_process_recorded_is_made_whole_or_said_to_be_lost(
    office: Office, tmp_path: Path, frames: int | None, state: str, length_ms: int | None,
    event: str,
) -> None:  # fmt: skip
    """Kill matrix (c): the part file is finished by a worker."""
    call_id = await _recorded(office, tmp_path, frames)
    await finish(office, call_id, End.MEDIA_LOST)
    await jobs.finish_recording(office.database, office.team_id, call_id)
    call = await office.call(call_id)
    assert call.recording == state
    assert call.recording_ms == pytest.approx(length_ms, abs=1) if length_ms else True
    assert await office.told(event) == 1
    if state == "ready":
        whole = await asyncio.to_thread(Path(call.recording_path or "").read_bytes)
        assert (whole[:4], len(whole)) == (b"RIFF", 58 + 2 * (frames or 0))


async def test_the_recordings_of_other_live_calls_are_let_be(
    office: Office, tmp_path: Path
) -> None:
    """Finishing one dead call's file must not take another's from under its writer."""
    dead = await _recorded(office, tmp_path, 16_000)
    other = tmp_path / "recordings" / "call_other.wav.part"
    other.write_bytes(b"\0" * 58 + b"\xff" * 800)
    await finish(office, dead, End.MEDIA_LOST)
    await jobs.finish_recording(office.database, office.team_id, dead)
    assert other.stat().st_size == 58 + 800


def test_what_nobody_has_written_to_for_a_while_is_made_whole_at_the_start(
    tmp_path: Path,
) -> None:
    parts = [tmp_path / "recordings" / "team_1" / f"{n}.wav.part" for n in range(2)]
    parts[0].parent.mkdir(parents=True)
    for part in parts:
        part.write_bytes(b"\0" * 58 + b"\xff" * 800)
    os.utime(parts[0], (0, 0))
    recordings.recover(tmp_path)
    assert not parts[0].exists()
    assert recordings.length_ms(parts[0].with_suffix("")) == 49
    assert parts[1].exists()


async def test_a_recording_told_twice_is_one_event(office: Office) -> None:
    call = await office.live()
    for _ in range(2):
        async with office.database.team(office.team_id) as session:
            await service.recording_saved(session, office.team_id, call.call_id, "a.wav", 1000)
    async with office.database.team(office.team_id) as session:
        await service.recording_lost(session, office.team_id, call.call_id)
    assert (await office.call(call.call_id)).recording == "ready"
    assert await office.told("recording.ready") == 1
    assert await office.told("recording.failed") == 0
