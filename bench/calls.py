"""Simulated calls against one media process on one core, with stand-in speech vendors.

    PYTHONPATH=src:tests/media python bench/calls.py [--seconds 20] [CALLS ...]

Each number of calls runs in a fresh process, pinned to one core, in real time: the engine's thread
and an event loop that stands for the sockets (feeds each caller's frames, returns marks). Callers
ask a question made by flite, again and again, out of step with each other. The stand-in recogniser
gives its words 80 ms after a pause, the stand-in synthesiser its first audio 120 ms after the turn.
Prints core per call, frame lateness p50 and p99, end of speech to first audio, memory per call.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections import deque
from multiprocessing import get_context
from pathlib import Path

from sounds import silence, speech

from offhook.media import (
    TICK_MS,
    Batch,
    Engine,
    Event,
    Line,
    Mark,
    Outgoing,
    SpeechPaused,
    TurnEnded,
)

QUESTION = "Hello, could you tell me whether you are open on Sunday?"
ANSWER = "Yes, on Sunday we are open from nine in the morning until one in the afternoon."
WORDS_AFTER_S = 0.08
AUDIO_AFTER_S = 0.12
PAUSE_MS = 8000
COLUMNS = "calls  core/call  of it tick  late p50  late p99  first audio p50  p95  MB/call  turns"


class Caller:
    """One far end: what it says, and when its last word left it."""

    def __init__(self, line: Line, talk: list[bytes], spoken_frames: int, offset: int) -> None:
        self.line = line
        self._talk = talk
        self._spoken = spoken_frames
        self._at = -offset
        self._ended_at: float | None = None
        self._marks: list[tuple[float, str]] = []
        self._horizon = 0.0
        self.waits_ms: list[float] = []

    def feed(self, now: float) -> None:
        """Say the next 20 ms and return the marks whose audio was played."""
        at = self._at % len(self._talk)
        self.line.feed(self._talk[at] if self._at >= 0 else b"\xff" * 160)
        if self._at >= 0 and at == self._spoken:
            self._ended_at = now
        self._at += 1
        while self._marks and self._marks[0][0] <= now:
            self.line.marked(self._marks.pop(0)[1])

    def take(self, outgoing: list[Outgoing], now: float) -> None:
        """Hear the agent."""
        for item in outgoing:
            if isinstance(item, Mark):
                self._marks.append((self._horizon, item.name))
            elif isinstance(item, bytes):
                self._horizon = max(self._horizon, now) + TICK_MS / 1000
                if self._ended_at is not None:
                    self.waits_ms.append((now - self._ended_at) * 1000)
                    self._ended_at = None


class Bench:
    """The stand-in for the calls room."""

    def __init__(self, count: int, folder: Path) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop

        def post(batch: Batch) -> None:
            loop.call_soon_threadsafe(self._on_batch, batch)

        self.engine = Engine(post, max_lines=count, reserve_bytes=0)
        question, self._answer = speech(QUESTION), speech(ANSWER, "rms")
        talk = question + silence(PAUSE_MS)
        frames = [talk[at : at + 160] for at in range(0, len(talk) // 160 * 160, 160)]
        self.callers: dict[str, Caller] = {}
        self.turns = 0
        for number in range(count):
            line = self.engine.open(str(number))
            line.record(folder / f"{number}.wav")
            offset = number * 7919 % len(frames)
            self.callers[line.id] = Caller(line, frames, len(question) // 160, offset)

    def _on_batch(self, batch: Batch) -> None:
        now = time.perf_counter()
        for line_id, outgoing in batch.out:
            self.callers[line_id].take(outgoing, now)
        for event in batch.events:
            self._on_event(event)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, SpeechPaused):
            line = self.callers[event.line].line
            self._loop.call_later(WORDS_AFTER_S, line.words, QUESTION)
        elif isinstance(event, TurnEnded):
            self.turns += 1
            self._loop.call_later(AUDIO_AFTER_S, self._reply, self.callers[event.line].line)

    def _reply(self, line: Line) -> None:
        line.play(line.new_reply(), "reply", self._answer, text=ANSWER)

    async def feed(self, seconds: float) -> None:
        """Feed every caller in real time."""
        due = time.perf_counter()
        end = due + seconds
        while due < end:
            due += TICK_MS / 1000
            await asyncio.sleep(max(due - time.perf_counter(), 0))
            now = time.perf_counter()
            for caller in self.callers.values():
                caller.feed(now)


def resident_mb() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def measure(count: int, seconds: float) -> str:
    """One row of the table."""
    with tempfile.TemporaryDirectory() as folder:
        Engine(
            deque[Batch](maxlen=1).append, max_lines=1
        ).tick()  # load the network before measuring memory
        before = resident_mb()
        bench = Bench(count, Path(folder))
        bench.engine.start()
        await bench.feed(2)
        bench.engine.reset_pace()
        cpu, began = time.process_time(), time.perf_counter()
        await bench.feed(seconds)
        share = (time.process_time() - cpu) / (time.perf_counter() - began) / count
        memory = (resident_mb() - before) / count
        pace = bench.engine.pace()
        bench.engine.stop()
    waits = sorted(wait for caller in bench.callers.values() for wait in caller.waits_ms)
    p50 = statistics.median(waits) if waits else float("nan")
    p95 = waits[int(len(waits) * 0.95)] if waits else float("nan")
    return (
        f"{count:>5}  {share:>9.3%}  {pace.busy_share / count:>10.3%}"
        f"  {pace.lateness_p50_ms:>5.1f} ms  {pace.lateness_p99_ms:>5.1f} ms"
        f"  {p50:>12.0f} ms  {p95:>3.0f}  {memory:>7.2f}  {bench.turns:>5}"
    )


def main() -> None:
    """Run each number of calls in a process of its own."""
    parser = argparse.ArgumentParser(description="Simulated calls on one core.")
    parser.add_argument("calls", nargs="*", type=int, default=[1, 50, 200, 400])
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args()
    print(COLUMNS, flush=True)
    for count in options.calls:
        process = get_context("spawn").Process(target=row, args=(count, options.seconds))
        process.start()
        process.join()


def row(count: int, seconds: float) -> None:
    """Measure on the last core that this process may use."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(asyncio.run(measure(count, seconds)), flush=True)


if __name__ == "__main__":
    main()
