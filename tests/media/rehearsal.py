"""One line of an engine without thread, network or clock: a caller, a carrier, written patterns.

`Rehearsal.run` plays the caller's audio into the line, 20 ms at a time, and gives the engine's
frames to a `FarEnd` that plays them in real time and returns marks as its rule says. Nothing is
random: what is late or missing stands in a pattern.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from itertools import cycle
from typing import TypeVar

from sounds import silence

from offhook.media import Batch, Clear, Engine, Event, LineOptions, Mark, Outgoing

E = TypeVar("E", bound=Event)


class Marks(Enum):
    """When the carrier returns a mark."""

    PLAYED = "when the audio before it was played"
    LATE = "1.5 s after that"
    NEVER = "never"
    ON_CLEAR = "all outstanding ones, in the same millisecond as a clear"
    AT_ONCE = "as soon as it arrives, played or not"


@dataclass
class FarEnd:
    """The carrier's player: one frame each 20 ms, marks in their order."""

    rule: Marks
    queue: deque[Outgoing] = field(default_factory=deque[Outgoing])
    played: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])
    received: list[tuple[int, Outgoing]] = field(default_factory=list[tuple[int, Outgoing]])
    clears: list[int] = field(default_factory=list[int])
    echoes: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    def take(self, outgoing: list[Outgoing], now_ms: int) -> None:
        """Take what the engine sends."""
        for item in outgoing:
            self.received.append((now_ms, item))
            if isinstance(item, Clear):
                self.clears.append(now_ms)
                if self.rule is Marks.ON_CLEAR:
                    names = [m.name for _, m in self.received if isinstance(m, Mark)]
                    self.echoes += [(now_ms, name) for name in names]
                self.queue.clear()
            elif isinstance(item, Mark) and self.rule is Marks.AT_ONCE:
                self.echoes.append((now_ms, item.name))
            else:
                self.queue.append(item)

    def play(self, now_ms: int) -> None:
        """Play 20 ms."""
        while self.queue and isinstance(mark := self.queue[0], Mark):
            self.queue.popleft()
            if self.rule in (Marks.PLAYED, Marks.LATE):
                self.echoes.append((now_ms + (1500 if self.rule is Marks.LATE else 0), mark.name))
        if self.queue and isinstance(frame := self.queue.popleft(), bytes):
            self.played.append((now_ms, frame))

    def returned(self, now_ms: int) -> list[str]:
        """Marks that come back by now."""
        due = [name for at, name in self.echoes if at <= now_ms]
        self.echoes = [(at, name) for at, name in self.echoes if at > now_ms]
        return due


class Rehearsal:
    """A call on paper. `events` is what the engine told."""

    def __init__(
        self,
        options: LineOptions | None = None,
        marks: Marks = Marks.PLAYED,
        reserve_bytes: int = 0,
    ) -> None:
        self.batches: list[Batch] = []
        self.engine = Engine(self.batches.append, max_lines=1, reserve_bytes=reserve_bytes)
        self.line = self.engine.open("call", options)
        self.far = FarEnd(marks)
        self.events: list[Event] = []
        self.now_ms = 0

    def run(self, audio: bytes, pattern: str = "1") -> None:
        """Let the caller say `audio`.

        `pattern` says how many frames arrive in each tick, over and over: "003" brings three at
        once, "1110" loses a quarter.
        """
        frames = deque(audio[at : at + 160] for at in range(0, len(audio), 160))
        for count in cycle(pattern):
            if not frames:
                return
            for _ in range(min(int(count), len(frames))):
                self.line.feed(frames.popleft())
            self.step()

    def quiet(self, ms: int) -> None:
        """Let the caller be silent."""
        self.run(silence(ms))

    def step(self) -> None:
        """Do one tick of everything."""
        self.far.play(self.now_ms)
        self._give_back()
        self.engine.tick()
        self.now_ms += 20
        for batch in self.batches:
            for _, outgoing in batch.out:
                self.far.take(outgoing, self.now_ms)
            self.events += batch.events
        self.batches.clear()
        self._give_back()

    def _give_back(self) -> None:
        for name in self.far.returned(self.now_ms):
            self.line.marked(name)

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def until(self, kind: type[E], limit_ms: int = 10_000) -> E:
        """Let the caller be silent until another event of that kind comes."""
        known = len(self.of(kind))
        for _ in range(limit_ms // 20):
            self.quiet(20)
            if len(found := self.of(kind)) > known:
                return found[-1]
        raise AssertionError(f"no {kind.__name__} within {limit_ms} ms")
