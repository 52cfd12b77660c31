"""The engine: one thread, one tick of 20 ms, all calls of the process at once as matrices.

    orders -> take a frame of every caller -> voice edges -> turns -> the agents' frames
           -> recordings -> one batch of frames and events

Everything that grows with the number of calls is a matrix operation; Python runs only for lines on
which something happened. The tick touches arrays and queues; sockets, vendors and files live in
other threads. It knows nobody: what leaves goes through `post`, called from the tick thread.
"""

import gc
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from offhook.media import codec, events
from offhook.media.events import Batch, Event, LineId, Outgoing
from offhook.media.intake import Intake
from offhook.media.line import Line
from offhook.media.options import BYTES_PER_MS, FRAME, TICK_MS, LineOptions
from offhook.media.pace import Pace, Pacer
from offhook.media.recording import RESERVE_BYTES, Recorder, Recording
from offhook.media.seat import Seat
from offhook.media.tracks import Tracks
from offhook.media.vad import Detector

log = logging.getLogger(__name__)

_NEVER: Final = 1 << 62
_HISTORY_TICKS: Final = 1500
"""30 s of every caller are kept, the window of the usual recogniser."""

_CATCH_UP_MAX_S: Final = 0.5
"""After a longer standstill of the machine the missed ticks are skipped, not run in a burst."""

_SWITCH_INTERVAL_S: Final = 0.0005
"""Other threads give up the interpreter this soon when the tick wants it."""


class LinesFull(Exception):  # noqa: N818 - an answer to admission, not a defect
    """All lines of this engine are taken."""


class Engine:
    """All lines of a process. `post` gets one `Batch` per tick in which something happened.

    `post` is called from the tick thread, and for `RecordingSaved` and `RecordingFailed` from the
    recorder's: it must only pass the batch on, as `loop.call_soon_threadsafe` does.
    """

    def __init__(
        self,
        post: Callable[[Batch], None],
        *,
        max_lines: int = 64,
        reserve_bytes: int = RESERVE_BYTES,
    ) -> None:
        self._post = post
        self.intake = Intake(max_lines)
        self.detector = Detector(max_lines)
        self.recorder = Recorder(reserve_bytes=reserve_bytes)
        self.tracks = Tracks(max_lines, self.recorder)
        self.speaking: set[Seat] = set()
        self.listened: set[Seat] = set()
        self.bridged: set[Seat] = set()
        self.max_lines = max_lines
        self._history = np.zeros((max_lines, _HISTORY_TICKS, FRAME), np.uint8)
        self._agents = np.full((max_lines, FRAME), codec.SILENCE, np.uint8)
        self._deadlines = np.full(max_lines, _NEVER, np.int64)
        self._seats: list[Seat | None] = [None for _ in range(max_lines)]
        self._rows = np.zeros(0, np.intp)
        self._free = deque(range(max_lines))
        self._orders: deque[tuple[Seat | None, Callable[..., None], tuple[Any, ...]]] = deque()
        self._touched: set[Seat] = set()
        self.tick_number = 0
        self._pacer = Pacer()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="media-tick")

    # For the rest of the process, from any thread.

    def start(self) -> None:
        """Start ticking. The process is the engine's from now on: the garbage made so far is
        frozen, so that no collection walks through it in the middle of a tick.
        """
        gc.collect()
        gc.freeze()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        self.recorder.start()
        self._thread.start()

    def stop(self) -> None:
        """Stop ticking, save every recording, end the threads."""
        self._stopping.set()
        self._thread.join()
        try:
            self.tracks.end_all()
        finally:
            self.recorder.stop()

    def open(self, line_id: LineId, options: LineOptions | None = None) -> Line:
        """Open a line. Raises LinesFull; admission knows `max_lines` and asks first."""
        options = options or LineOptions()
        try:
            row = self._free.popleft()
        except IndexError:
            raise LinesFull(f"all {self.max_lines} lines are taken") from None
        self.intake.open(row)
        seat = Seat(self, row, line_id, options)
        self._orders.append((None, self._seat, (seat,)))
        return Line(self, seat, line_id, alaw=options.law == "alaw")

    @property
    def lines(self) -> int:
        """Lines in use."""
        return self.max_lines - len(self._free)

    def pace(self) -> Pace:
        """How punctual the tick has been (frame lateness p50 and p99, busy share)."""
        return self._pacer.pace(TICK_MS)

    def reset_pace(self) -> None:
        """Begin the statistics anew."""
        self._pacer.reset()

    # For `Line` and `Seat`.

    def order(self, seat: Seat, method: Any, arguments: tuple[object, ...]) -> None:
        """Have `method` carried out for `seat` at the next tick."""
        self._orders.append((seat, method, arguments))

    def close(self, seat: Seat) -> None:
        """Free the seat at the next tick."""
        self._orders.append((None, self._unseat, (seat,)))

    def set_deadline(self, seat: Seat) -> None:
        """Keep the seat's next timer in the matrix, and look at the seat at this tick's end."""
        deadline = seat.turns.deadline_ms
        opened_ms = seat.opened_tick * TICK_MS
        self._deadlines[seat.row] = _NEVER if deadline is None else deadline + opened_ms
        self._touched.add(seat)

    def begin_recording(self, seat: Seat, path: Path) -> None:
        """Record the seat's line into `path`."""
        line, at_ms = seat.id, seat.now_ms

        def failed(reason: str) -> None:
            self._post(Batch([], [events.RecordingFailed(line, at_ms, reason)]))

        def saved(whole: Path) -> None:
            self._post(Batch([], [events.RecordingSaved(line, at_ms, whole)]))

        self.tracks.begin(seat.row, Recording(path, failed, saved))

    def caller_audio(self, seat: Seat, start_ms: int, end_ms: int | None) -> bytes:
        """Cut the caller's mu-law out of the history."""
        now = seat.now_ms
        end = now if end_ms is None else min(end_ms, now)
        start = max(start_ms, 0, now - (_HISTORY_TICKS - 2) * TICK_MS)
        if start >= end:
            return b""
        first, last = start // TICK_MS, -(-end // TICK_MS)
        ticks = (np.arange(first, last) + seat.opened_tick + 1) % _HISTORY_TICKS
        audio = self._history[seat.row, ticks].reshape(-1)
        skip = (start - first * TICK_MS) * BYTES_PER_MS
        return audio[skip : skip + (end - start) * BYTES_PER_MS].tobytes()

    # The tick.

    def tick(self) -> None:
        """Do 20 ms for all lines. The engine's thread calls it; a test may, instead of a thread."""
        self._carry_out_orders()
        self.tick_number += 1
        rows = self._rows
        heard: list[tuple[LineId, bytes]] = []
        if len(rows):
            frames = self.intake.take(rows)
            caller = self._history[:, self.tick_number % _HISTORY_TICKS]
            caller[rows] = frames
            self._sound_agents()
            self._sound_guests(caller)
            self._hear(frames)
            self._look_at_timers()
            for seat in list(self.speaking):
                self._guarded(seat, seat.speak)
                self._touched.add(seat)
            self.tracks.step(self.tick_number, caller, self._agents)
            heard = self._overheard(caller)
        self._collect(heard)

    def _carry_out_orders(self) -> None:
        orders = self._orders
        while orders:
            seat, method, arguments = orders.popleft()
            if seat is None:
                method(*arguments)
            elif self._seats[seat.row] is seat:
                self._guarded(seat, method, *arguments)
                self._touched.add(seat)

    def _sound_agents(self) -> None:
        """Lay the agents' frames that sound in this tick beside the callers' frames."""
        self._agents[:] = codec.SILENCE
        for seat in self.speaking:
            frame = seat.playout.sounding(seat.now_ms - TICK_MS)
            if frame is not None:
                self._agents[seat.row] = np.frombuffer(frame, np.uint8)

    def _sound_guests(self, fed: NDArray[np.uint8]) -> None:
        """Let callers hear who is bridged to them, unless the agent has something to say."""
        for seat in self.bridged:
            guest = seat.guest
            if guest is not None and self._seats[guest.row] is guest and seat.playout.idle:
                self._agents[seat.row] = fed[guest.row]
                seat.relay(fed[guest.row].tobytes())
                self._touched.add(seat)

    def _overheard(self, caller: NDArray[np.uint8]) -> list[tuple[LineId, bytes]]:
        """Both sides of the lines that are listened to."""
        return [
            (seat.id, np.stack([caller[seat.row], self._agents[seat.row]], axis=1).tobytes())
            for seat in self.listened
        ]

    def _hear(self, frames: NDArray[np.uint8]) -> None:
        voices = self.detector.step(self._rows, frames)
        ago_ms = voices.ago_ms.tolist()
        row: int
        for at, row in enumerate(voices.rows.tolist()):
            seat = self._seats[row]
            if seat is not None:
                self._guarded(seat, seat.voice, bool(voices.voiced[at]), seat.now_ms - ago_ms[at])

    def _look_at_timers(self) -> None:
        now = self.tick_number * TICK_MS
        for row in np.nonzero(self._deadlines <= now)[0].tolist():
            seat = self._seats[row]
            if seat is not None:
                self._guarded(seat, self._expire, seat)

    def _expire(self, seat: Seat) -> None:
        seat.announce(seat.turns.tick(seat.now_ms))

    def _guarded(self, seat: Seat, step: Callable[..., None], *arguments: Any) -> None:
        try:
            step(*arguments)
        except Exception as defect:  # one call's defect must not silence the others
            log.exception("line %s failed", seat.id)
            self._touched.discard(seat)
            self._unseat(seat)
            self._post(Batch([], [events.LineFailed(seat.id, seat.now_ms, repr(defect))]))

    def _collect(self, heard: list[tuple[LineId, bytes]]) -> None:
        """Post what the lines have to send and to tell, and what is overheard."""
        out: list[tuple[LineId, list[Outgoing]]] = []
        news: list[Event] = []
        for seat in self._touched:
            if seat.out:
                out.append((seat.id, seat.out))
                seat.out = []
            if seat.events:
                news.extend(seat.events)
                seat.events = []
        self._touched.clear()
        if out or news or heard:
            self._post(Batch(out, news, heard))

    def _seat(self, seat: Seat) -> None:
        seat.opened_tick = self.tick_number
        self._seats[seat.row] = seat
        self.detector.open(seat.row, seat.options.floor_dbfs)
        self.set_deadline(seat)
        self._renumber()

    def _unseat(self, seat: Seat) -> None:
        if self._seats[seat.row] is not seat:
            return
        self._seats[seat.row] = None
        self._deadlines[seat.row] = _NEVER
        for those in (self.speaking, self.listened, self.bridged, self._touched):
            those.discard(seat)
        self.tracks.end(seat.row)
        self._renumber()
        self._free.append(seat.row)

    def _renumber(self) -> None:
        taken = [row for row, seat in enumerate(self._seats) if seat is not None]
        self._rows = np.array(taken, np.intp)

    def _run(self) -> None:
        due = time.perf_counter()
        try:
            while not self._stopping.is_set():
                due += TICK_MS / 1000
                wait = due - time.perf_counter()
                if wait > 0:
                    time.sleep(wait)
                began = time.perf_counter()
                if began - due > _CATCH_UP_MAX_S:
                    self._pacer.skipped += int((began - due) * 1000 / TICK_MS)
                    due = began
                self.tick()
                done = time.perf_counter()
                self._pacer.note((done - due) * 1000, (done - began) * 1000)
        except Exception as defect:
            log.exception("the media tick failed")
            self._post(
                Batch([], [events.EngineFailed("", self.tick_number * TICK_MS, repr(defect))])
            )
