"""Simulated calls against one whole media process on one core, with stand-in speech vendors.

    PYTHONPATH=src:tests:tests/calls:tests/media python bench/calls.py [--seconds 30] [CALLS ...]

The media process is the real one (sockets, engine, conversations, database, recordings), pinned to
the machine's last core; the callers are in this process, on the first one, beside PostgreSQL. Each
caller is admitted, connects by WebSocket with its token, hears the notice and the greeting, asks a
question made by flite, hears the answer, and asks again after eight seconds; in real time and out
of step with each other. The stand-in recogniser gives its words after 80 ms, the stand-in
synthesiser its first audio after 120 ms. The limit for a frame's lateness is its own 20 ms.
"""

import argparse
import asyncio
import logging
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self, cast

import uvloop
from office import SECRET, open_office
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,  # pyright: ignore[reportUnknownVariableType] - half annotated by its owner
)
from sounds import silence, speech
from sqlalchemy import Select, func, select

from _database import new_database, postgres
from offhook import media, usage
from offhook.agents import Brain, Briefing, Part, Text
from offhook.app import open_runner
from offhook.calls.admission import Admitted
from offhook.calls.models import Call, MediaNode
from offhook.calls.node import Node
from offhook.calls.parts import Parts
from offhook.calls.tokens import stream_token
from offhook.carriers import Carriers, streams
from offhook.db import Database
from offhook.settings import Settings
from offhook.speech import Heard, Partial, VoiceCache
from offhook.supervisor import EmbeddedPostgres
from offhook.tasks import Runner

QUESTION = "Hello, could you tell me whether you are open on Sunday?"
ANSWER = "Yes, on Sunday we are open from nine in the morning until one in the afternoon."
WORDS_AFTER_S = 0.08
AUDIO_AFTER_S = 0.12
PAUSE_MS = 8000
FRAME_S = 0.02
GREETED_S = 8.0
LATE_LIMIT_MS = 20.0
DATABASE = "bench"
COLUMNS = (
    "calls  core/call  of it tick  late p50  late p99  p99/limit  first audio p50     p95"
    "  MB/call  answers  lost"
)


# --- the media process ---


class StandInHearing:
    """Understands the question, always."""

    def __init__(self) -> None:
        self._open = False

    def feed(self, mulaw: bytes) -> None: ...

    def begin(self, lead_ms: int = 300) -> None:
        self._open = True

    async def finalise(self) -> Heard:
        await asyncio.sleep(WORDS_AFTER_S)
        return Heard(QUESTION if self._open else "", 0, 0)

    def end(self) -> None:
        self._open = False

    async def close(self) -> None: ...


class StandIns:
    """Recogniser, synthesiser, brain and carrier of the bench."""

    identity = "stand-in"

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    async def start(self) -> None: ...

    def open(
        self,
        *,
        language: str = "en",
        hints: Sequence[str] = (),
        on_partial: Callable[[Partial], None] | None = None,
    ) -> StandInHearing:
        return StandInHearing()

    async def speak(
        self, text: str, *, voice: str = "", language: str = "en"
    ) -> AsyncIterator[bytes]:
        await asyncio.sleep(AUDIO_AFTER_S)
        for at in range(0, len(self._answer), 1600):
            yield self._answer[at : at + 1600]

    async def reply(self, briefing: Briefing) -> AsyncIterator[Part]:
        yield Text(ANSWER)

    async def of(self, account_id: str | None) -> Self:
        return self

    async def hang_up(self, call_id: str) -> None: ...

    async def limit_call(self, call_id: str, *, seconds: int) -> None: ...

    def capacity(self) -> int:
        return 1000

    def load(self) -> int:
        return 0

    async def close(self) -> None: ...


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@dataclass(frozen=True, slots=True)
class Report:
    """What the media process says of itself."""

    cpu_s: float
    wall_s: float
    resident_mb: float
    pace: media.Pace


def run_media(home: str, url: str, count: int, pipe: Connection, core: int) -> None:
    """The process under test; answers each word on the pipe with a Report."""
    os.sched_setaffinity(0, {core})
    uvloop.run(_media(home, url, count, pipe))


async def _media(home: str, url: str, count: int, pipe: Connection) -> None:
    settings = Settings.model_validate({"home": home, "media_port": 0, "media_lines": count})
    database = Database(url, pool_size=10)
    async with open_runner(settings, database) as runner:
        await _answer(settings, database, runner, pipe)


async def _answer(settings: Settings, database: Database, runner: Runner, pipe: Connection) -> None:
    stand_ins = StandIns(speech(ANSWER, "rms"))
    parts = Parts(
        settings=settings,
        secret=SECRET,
        database=database,
        carriers=cast("Carriers", stand_ins),
        brain=cast("Brain", stand_ins),
        recogniser=stand_ins,
        synthesiser=stand_ins,
        voices=VoiceCache(stand_ins, settings.home_path / "voice"),
        runner=runner,
    )
    node = Node(parts)
    stopping = asyncio.Event()
    running = asyncio.create_task(node.run(stopping))
    await node.up.wait()
    while await asyncio.to_thread(pipe.recv) == "report":
        pace = node.engine.pace()
        pipe.send(Report(time.process_time(), time.perf_counter(), resident_mb(), pace))
        node.engine.reset_pace()
    stopping.set()
    await running
    await database.close()


# --- the callers ---


class Caller(WSListener):
    """One far end: says its frames, plays what it is sent in real time, returns the marks."""

    def __init__(self, call: Admitted, frames: list[bytes], spoken: int, offset_s: float) -> None:
        self._call = call
        self._frames = frames
        self._spoken = spoken
        self._silent_frame = frames[-1]
        self._begins_at = time.perf_counter() + GREETED_S + offset_s
        self._at = 0
        self._transport: WSTransport | None = None
        self._marks: list[tuple[float, str]] = []
        self._played_until = 0.0
        self._asked_at: float | None = None
        self._through = False
        self.greeted = False
        self.lost = False
        self.waits_ms: list[float] = []

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        call = self._call
        token = stream_token(SECRET, call.call_id, call.epoch)
        parameters = {"call": call.call_id, "token": token}
        for message in (streams.Connected(), streams.Start("MZ1", "CA1", "AC1", parameters)):
            transport.send(WSMsgType.TEXT, streams.dump(message).encode())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        self.lost = not self._through

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is not WSMsgType.TEXT:
            return
        payload = frame.get_payload_as_bytes()
        now = time.perf_counter()
        if payload.startswith(b'{"event":"media"'):
            self.greeted = True
            self._played_until = max(self._played_until, now) + FRAME_S
            if self._asked_at is not None:
                self.waits_ms.append((now - self._asked_at) * 1000)
                self._asked_at = None
            return
        match streams.parse_to_carrier(payload):
            case streams.SendMark(name=name):
                self._marks.append((self._played_until, name))
            case streams.Clear():
                self._played_until = now
                self._marks = [(now, name) for _, name in self._marks]
            case _:
                pass

    def tick(self, now: float) -> None:
        """The next 20 ms."""
        if self._transport is None:
            return
        frame = self._silent_frame
        if now >= self._begins_at:
            at = self._at % len(self._frames)
            frame = self._frames[at]
            if at == self._spoken:
                self._asked_at = now
            self._at += 1
        self._transport.send(WSMsgType.TEXT, frame)
        while self._marks and self._marks[0][0] <= now:
            mark = streams.dump(streams.Mark("MZ1", self._marks.pop(0)[1], 1))
            self._transport.send(WSMsgType.TEXT, mark.encode())

    def hang_up(self) -> None:
        """The caller is through; what happens now is no loss."""
        self._through = True
        if self._transport is not None:
            self._transport.disconnect()


def talk() -> tuple[list[bytes], int]:
    """The messages of one round, question and pause, and how many of them are speech."""
    question = speech(QUESTION)
    audio = question + silence(PAUSE_MS)
    return [
        streams.dump(streams.Media("MZ1", audio[at : at + 160], at // 8, at // 160 + 1, 1)).encode()
        for at in range(0, len(audio) // 160 * 160, 160)
    ], len(question) // 160


async def tick(callers: list[Caller], seconds: float, stopped: Callable[[], bool]) -> None:
    """Let every caller live in real time, at most so long."""
    due = time.perf_counter()
    end = due + seconds
    while due < end and not stopped():
        due += FRAME_S
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        now = time.perf_counter()
        for caller in callers:
            caller.tick(now)


async def measure(count: int, seconds: float, url: str, pipe: Connection) -> str:
    """One row of the table."""
    database = Database(url, pool_size=10)
    office = await open_office(database, lines=0)
    await _at_least(database, select(func.count()).select_from(MediaNode), 1)
    frames, spoken = talk()
    callers: list[Caller] = []
    ringing = asyncio.create_task(tick(callers, 300, lambda: len(callers) == count))
    before = await _report(pipe)
    for number in range(count):
        call = await office.admitted(f"+1202{5550000 + number}")
        offset_s = number * 7919 % len(frames) * FRAME_S
        caller = Caller(call, frames, spoken, offset_s)
        await _dial(caller, f"{call.node_url}/stream")
        callers.append(caller)
    await ringing
    await tick(callers, GREETED_S + 4, lambda: False)
    for caller in callers:
        caller.waits_ms.clear()
    begun = await _report(pipe)
    await tick(callers, seconds, lambda: False)
    done = await _report(pipe)
    for caller in callers:
        caller.hang_up()
    await _settled(database, count)
    async with database.team(office.team_id) as session:
        assert not await usage.audit(session)
    await database.close()
    assert all(caller.greeted for caller in callers)
    return _row(callers, count, before, begun, done)


async def _dial(caller: Caller, url: str) -> None:
    await ws_connect(lambda: caller, url)


def _row(callers: list[Caller], count: int, before: Report, begun: Report, done: Report) -> str:
    core = (done.cpu_s - begun.cpu_s) / (done.wall_s - begun.wall_s) / count
    pace = done.pace
    waits = sorted(wait for caller in callers for wait in caller.waits_ms)
    p50 = statistics.median(waits) if waits else float("nan")
    p95 = waits[int(len(waits) * 0.95)] if waits else float("nan")
    memory = (done.resident_mb - before.resident_mb) / count
    lost = sum(caller.lost for caller in callers)
    return (
        f"{count:>5}  {core:>9.2%}  {pace.busy_share / count:>10.2%}"
        f"  {pace.lateness_p50_ms:>5.1f} ms  {pace.lateness_p99_ms:>5.1f} ms"
        f"  {pace.lateness_p99_ms / LATE_LIMIT_MS:>9.2f}  {p50:>12.0f} ms  {p95:>4.0f} ms"
        f"  {memory:>7.2f}  {len(waits):>7}  {lost:>4}"
    )


async def _settled(database: Database, count: int) -> None:
    """Every call has ended and is settled."""
    ended = select(func.count()).select_from(Call).where(Call.ended_at.is_not(None))
    await _at_least(database, ended, count)


async def _at_least(database: Database, statement: Select[int], count: int) -> None:
    """Wait until a query counts so many; not for ever."""
    for _ in range(600):
        async with database.system() as session:
            if (await session.scalar(statement) or 0) >= count:
                return
        await asyncio.sleep(0.1)
    raise TimeoutError(f"not {count} within a minute: {statement}")


async def _report(pipe: Connection) -> Report:
    pipe.send("report")
    return cast("Report", await asyncio.to_thread(pipe.recv))


def run(count: int, seconds: float, server: EmbeddedPostgres, core: int) -> None:
    """One number of calls: a fresh database and a fresh media process."""
    url = new_database(server, f"{DATABASE}_{count}")
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    with tempfile.TemporaryDirectory() as home:
        arguments = (home, url, count, theirs, core)
        process = spawn.Process(target=run_media, args=arguments, daemon=True)
        process.start()
        try:
            print(uvloop.run(measure(count, seconds, url, ours)), flush=True)
            ours.send("stop")
            process.join(60)
        finally:
            if process.is_alive():
                process.kill()


def main() -> None:
    """Run each number of calls."""
    parser = argparse.ArgumentParser(description="Simulated calls on one core.")
    parser.add_argument("calls", nargs="*", type=int, default=[1, 50, 200])
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    logging.getLogger("procrastinate").setLevel(logging.ERROR)  # that its app is in __main__
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})  # PostgreSQL inherits it; media has the last
    with postgres() as server:
        print(COLUMNS, flush=True)
        for count in options.calls:
            run(count, options.seconds, server, max(everywhere))


if __name__ == "__main__":
    main()
