"""A media process: its streams, its watchers, its end."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from media_process import WITHIN_S, Caller, Process, running, until
from office import SECRET, Office
from sounds import speech
from sqlalchemy import update
from stage import ScriptedHearing, ScriptedRecogniser
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from number_fixtures import BY
from offhook import inbox, numbers
from offhook.app import Words
from offhook.calls import recordings
from offhook.calls.joining.companion import Companion
from offhook.calls.models import Call
from offhook.calls.node import EngineStopped
from offhook.calls.phrases import ENGLISH
from offhook.calls.rules import CallState, End
from offhook.calls.stopping import when_number_stopped, words_url
from offhook.calls.stream import MAX_FRAME_BYTES, MediaStream, Watcher, listen
from offhook.calls.tokens import stream_token, watch_token
from offhook.carriers import streams
from offhook.db import Database
from offhook.numbers import stopping as number_stopping

OTHER = "+12025550199"
QUESTION = "Are you open on Sunday morning?"
POLICY, SIZE = 1008, 1009
TURNS = 6


@pytest.fixture
async def process(database: Database, tmp_path: Path) -> AsyncIterator[Process]:
    async with running(database, tmp_path, QUESTION) as process:
        yield process


async def test_a_call_is_greeted_answered_recorded_and_billed(process: Process) -> None:
    """Audio in both directions; the caller's stop ends the call."""
    office = process.office
    verdict = await office.admitted()
    assert verdict.node_url == process.url
    caller = Caller(process.url, verdict)
    await caller.hears(5 * 350 - 100)  # "This call is recorded." and "Hello!"
    caller.microphone.hear(speech(QUESTION))
    await caller.hears(10 * 350 - 100)
    await until(lambda: process.brain.briefings)
    await caller.hang_up()
    call = await process.ended(verdict.call_id)
    assert call.reason == End.CALLER_HUNG_UP
    assert await office.balance() == (1, 0)
    async with office.database.team(office.team_id) as session:
        turns = await inbox.turns_of(session, office.team_id, call.conversation_id)
    spoken = [(turn.speaker.value, turn.text) for turn in turns]
    assert spoken[:2] == [("agent", "This call is recorded. Hello!"), ("caller", QUESTION)]
    assert process.carrier.limits == [30 * 60]
    call = await process.recorded(call.id)
    assert recordings.length_ms(Path(call.recording_path or "")) == call.recording_ms
    assert (call.recording_ms or 0) > 2000


async def test_keys_that_a_caller_presses_are_a_turn(process: Process) -> None:
    """C6."""
    verdict = await process.office.admitted()
    caller = Caller(process.url, verdict)
    await caller.hears(5 * 350 - 100)
    for key in "12#":
        caller.microphone.digits.put_nowait(key)
    await until(lambda: process.brain.briefings)
    assert process.brain.briefings[0].unanswered == ["12"]
    await caller.hang_up()
    await process.ended(verdict.call_id)


async def _closed(socket: ClientConnection, *, within_s: float = 30) -> int:
    """The code with which the other side closed."""
    async with asyncio.timeout(within_s):
        try:
            async for _ in socket:
                pass
        except ConnectionClosed:
            pass
    return socket.close_code or 0


def _start(call_id: str, token: str) -> str:
    return streams.dump(
        streams.Start("MZ1", "CA" + "0" * 32, "AC1", {"call": call_id, "token": token})
    )


@asynccontextmanager
async def _dialled(url: str) -> AsyncGenerator[ClientConnection]:
    async with connect(f"{url}/stream", proxy=None, compression=None) as socket:
        yield socket


async def test_a_stream_without_the_calls_token_is_closed(process: Process) -> None:
    """SEC4."""
    verdict = await process.office.admitted()
    other = await process.office.admitted()
    for token in ("", "made up", stream_token(SECRET, other.call_id, 1)):
        async with _dialled(process.url) as socket:
            await socket.send(_start(verdict.call_id, token))
            assert await _closed(socket) == POLICY
    async with _dialled(process.url) as socket:
        await socket.send(_start("call_x\0", stream_token(SECRET, "call_x\0", 1)))
        assert await _closed(socket) == POLICY
    assert (await process.office.call(verdict.call_id)).state is CallState.ADMITTED


async def test_a_second_stream_of_one_call_is_refused_and_the_first_goes_on(
    process: Process,
) -> None:
    """UM10, SEC4."""
    verdict = await process.office.admitted()
    caller = Caller(process.url, verdict)
    await caller.hears(100)
    async with _dialled(process.url) as socket:
        token = stream_token(SECRET, verdict.call_id, verdict.epoch)
        await socket.send(_start(verdict.call_id, token))
        assert await _closed(socket) == POLICY
    before = caller.telephone.sound_ms
    await caller.hears(before + 300)
    await caller.hang_up()
    await process.ended(verdict.call_id)
    assert await process.office.balance() == (1, 0)


async def test_a_watcher_needs_the_calls_token_and_hears_its_words(process: Process) -> None:
    """C2: partial words go from media to whoever watches, and the end of the call closes that."""
    office = process.office
    verdict = await office.admitted()
    caller = Caller(process.url, verdict)
    await caller.hears(100)
    for token in ("", watch_token(SECRET, "call_other")):
        wrong = f"{process.url}/watch/{verdict.call_id}?token={token}"
        async with connect(wrong, proxy=None) as socket:
            assert await _closed(socket) == POLICY
    async with office.database.team(office.team_id) as session:
        url = await words_url(session, office.team_id, verdict.call_id, SECRET)
    assert url is not None
    async with connect(url, proxy=None) as socket:
        await caller.hears(5 * 350 - 100)
        caller.microphone.hear(speech(QUESTION))
        async with asyncio.timeout(WITHIN_S):
            async for message in socket:
                if QUESTION in str(message):
                    break
        await caller.hang_up()
        await _closed(socket)


async def test_whoever_watches_a_call_that_rings_gets_its_words_when_it_is_answered(
    database: Database, tmp_path: Path
) -> None:
    """C2, C8: as the page of a call does that we have just begun."""
    async with running(database, tmp_path, *[QUESTION] * TURNS) as process:
        office, came = process.office, list[dict[str, str]]()
        verdict = await office.admitted()
        await _state(office, verdict.call_id, CallState.DIALLING)

        async def follow() -> None:
            words = Words(office.database, SECRET)
            async for each in words.follow(office.team_id, f"words:{verdict.call_id}"):
                came.append(each)

        following = asyncio.create_task(follow())
        await asyncio.wait({following}, timeout=1)
        assert not following.done()
        await _state(office, verdict.call_id, CallState.ADMITTED)
        caller = Caller(process.url, verdict)
        await caller.hears(5 * 350 - 100)
        briefings = process.brain.briefings
        while not came and len(briefings) < TURNS:  # it looks once in a second
            before = len(briefings)
            caller.microphone.hear(speech(QUESTION))
            await until(lambda: len(briefings) > before)  # noqa: B023 - waited for here
        await until(lambda: came)
        await caller.hang_up()
        await process.ended(verdict.call_id)
        async with asyncio.timeout(WITHIN_S):
            await following  # the call is over


async def _state(office: Office, call_id: str, state: CallState) -> None:
    async with office.database.team(office.team_id) as session:
        await session.execute(update(Call).where(Call.id == call_id).values(state=state))


async def test_disabling_the_number_ends_the_call_at_once(process: Process) -> None:
    """N9, UN1: within 2 s at most; the started minute counts."""
    office = process.office
    number_stopping.when_stopped(when_number_stopped)
    try:
        verdict = await office.admitted()
        caller = Caller(process.url, verdict)
        await caller.hears(100)
        async with office.database.team(office.team_id) as session:
            await numbers.disable(session, office.team_id, office.number_id, BY)
        async with asyncio.timeout(2):
            await caller.task
    finally:
        number_stopping.forget(when_number_stopped)
    call = await process.ended(verdict.call_id)
    assert call.reason == End.NUMBER_DISABLED
    assert process.carrier.hung_up == [call.carrier_call_id]
    assert await office.balance() == (1, 0)


async def test_a_process_that_is_told_to_stop_says_goodbye_and_settles(
    database: Database, tmp_path: Path
) -> None:
    async with running(database, tmp_path) as process:
        office = process.office
        verdict = await office.admitted()
        caller = Caller(process.url, verdict)
        await caller.hears(5 * 350 - 100)
        before = caller.telephone.sound_ms
        await process.stop()
        assert caller.telephone.sound_ms - before >= 12 * 350 - 500  # the farewell's words
        call = await process.ended(verdict.call_id)
        assert call.reason == End.STOPPING
        assert await office.balance() == (1, 0)
        assert await process.is_there() == []
        async with asyncio.timeout(30):
            await asyncio.gather(caller.task, return_exceptions=True)


async def test_a_caller_who_comes_while_the_process_stops_is_not_taken(process: Process) -> None:
    verdict = await process.office.admitted()
    first = Caller(process.url, await process.office.admitted(OTHER))
    await first.hears(100)
    process.stopping.set()
    await asyncio.sleep(0)
    async with _dialled(process.url) as socket:
        token = stream_token(SECRET, verdict.call_id, verdict.epoch)
        await socket.send(_start(verdict.call_id, token))
        assert await _closed(socket) == POLICY
    await process.stop()
    assert (await process.office.call(verdict.call_id)).state is CallState.ADMITTED
    await asyncio.gather(first.task, return_exceptions=True)


async def test_an_engine_that_has_failed_ends_its_process_and_no_caller_is_left_in_silence(
    database: Database, tmp_path: Path
) -> None:
    """C9: the carrier says what this process cannot say, and the next call is another's."""
    async with running(database, tmp_path) as process:
        verdict = await process.office.admitted()
        caller = Caller(process.url, verdict)
        await caller.hears(100)
        process.node.engine.detector = None  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
        call = await process.ended(verdict.call_id)
        assert call.reason == End.MEDIA_LOST
        [said] = process.carrier.redirected
        assert ENGLISH.trouble in unescape(said)
        with pytest.raises(EngineStopped):
            await process.stop()
        assert await process.is_there() == []
        process.task = asyncio.create_task(asyncio.sleep(0))
        await asyncio.gather(caller.task, return_exceptions=True)


class HardOfHearing(ScriptedRecogniser):
    """Its first hearing fails outright when somebody begins to speak."""

    def open(self, **options: Any) -> ScriptedHearing:
        hearing = super().open(**options)
        if not self.opened:
            hearing.begin = _fail  # type: ignore[method-assign]  # pyright: ignore[reportAttributeAccessIssue]
        self.opened = True
        return hearing

    opened = False


def _fail(lead_ms: int = 0) -> None:
    raise ZeroDivisionError


async def test_what_fails_in_one_call_ends_it_with_an_apology_and_the_others_go_on(
    database: Database, tmp_path: Path
) -> None:
    """C9."""
    recogniser = HardOfHearing(QUESTION)
    async with running(database, tmp_path, recogniser=recogniser) as process:
        unheard, heard = await process.office.admitted(), await process.office.admitted(OTHER)
        first = Caller(process.url, unheard)
        await first.hears(5 * 350 - 100)
        second = Caller(process.url, heard)
        await second.hears(5 * 350 - 100)
        for caller in (first, second):
            caller.microphone.hear(speech(QUESTION))
        call = await process.ended(unheard.call_id)
        assert call.reason == End.TROUBLE
        await until(lambda: process.brain.briefings)
        assert (await process.office.call(heard.call_id)).state is CallState.LIVE
        await second.hang_up()
        await process.ended(heard.call_id)
        await asyncio.gather(first.task, return_exceptions=True)


# --- the socket alone: what a stranger may do to it (SEC4, SEC26) ---


class Takers:
    """Takes every stream and never answers."""

    def __init__(self) -> None:
        self.taken: list[streams.Start] = []

    def take(self, media_stream: MediaStream, start: streams.Start) -> None:
        self.taken.append(start)

    def watch(self, watcher: Watcher, call_id: str, token: str) -> bool:
        return False

    def unwatch(self, watcher: Watcher, call_id: str) -> None: ...

    def join(self, companion: Companion, call_id: str, query: str) -> bool:
        return False

    def leave(self, companion: Companion) -> None: ...


async def _against_a_socket(
    attack: Callable[[ClientConnection], Coroutine[Any, Any, None]], *, start_within_s: float = 5
) -> tuple[int, Takers]:
    takers = Takers()
    server, port = await listen(takers, "127.0.0.1", 0, start_within_s=start_within_s)
    try:
        async with _dialled(f"ws://127.0.0.1:{port}") as socket:
            with suppress(ConnectionClosed):
                await attack(socket)
            return await _closed(socket), takers
    finally:
        server.close()
        await server.wait_closed()


async def test_a_stream_that_does_not_start_is_closed() -> None:
    async def attack(socket: ClientConnection) -> None:
        await socket.send(streams.dump(streams.Connected()))

    code, takers = await _against_a_socket(attack, start_within_s=0.2)
    assert (code, takers.taken) == (POLICY, [])


async def test_a_flood_of_messages_is_closed() -> None:
    """SEC26: a carrier sends some fifty a second."""

    async def attack(socket: ClientConnection) -> None:
        await socket.send(_start("call_1", "token"))
        media = streams.dump(streams.Media("MZ1", b"\xff" * 160, 0, 1, 1))
        for _ in range(2000):
            await socket.send(media)

    code, takers = await _against_a_socket(attack)
    assert code == POLICY
    assert len(takers.taken) == 1


async def test_a_frame_beyond_the_limit_is_closed() -> None:
    async def attack(socket: ClientConnection) -> None:
        await socket.send("x" * (MAX_FRAME_BYTES + 1))

    assert (await _against_a_socket(attack))[0] != 0


async def test_rubbish_is_passed_over_and_a_second_start_is_no_second_call() -> None:
    async def attack(socket: ClientConnection) -> None:
        for rubbish in ("", "{", "[]", '{"event":7}', '{"event":"media"}', "\0", "null"):
            await socket.send(rubbish)
        await socket.send(b"\xff\xfe")
        for _ in range(2):
            await socket.send(_start("call_1", "token"))
        await socket.send(streams.dump(streams.Stop("MZ1", "CA1", "AC1", 3)))

    code, takers = await _against_a_socket(attack)
    assert code == 1000
    assert len(takers.taken) == 1


async def test_other_paths_are_not_found() -> None:
    server, port = await listen(Takers(), "127.0.0.1", 0)
    try:
        with pytest.raises(InvalidStatus, match="404"):
            await connect(f"ws://127.0.0.1:{port}/other", proxy=None)
    finally:
        server.close()
        await server.wait_closed()
