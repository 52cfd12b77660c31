"""A line as the tick thread sees it: its row in the matrices, its turns, its play-out.

Only the tick thread touches a seat. It turns signals of `turns` and news of `playout` into events
and collects what is to be sent in this tick.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from offhook.media import codec, events
from offhook.media.events import Clear, Event, Heard, LineId, Outgoing
from offhook.media.options import FRAME, TICK_MS, LineOptions
from offhook.media.playout import Playout
from offhook.media.turns import Kind, Signal, Turns

if TYPE_CHECKING:
    from offhook.media.engine import Engine

_BEFORE_MS: Final = 300
_AFTER_MS: Final = 200
"""Audio around a turn that a recogniser wants: soft beginnings and endings."""


class Seat:
    """Everything of one line but its samples."""

    def __init__(self, engine: "Engine", row: int, line_id: LineId, options: LineOptions) -> None:
        self._engine = engine
        self.row = row
        self.id = line_id
        self.opened_tick = engine.tick_number
        self.options = options
        self.turns = Turns(options)
        self.playout = Playout(options)
        self.out: list[Outgoing] = []
        self.events: list[Event] = []
        self.guest: Seat | None = None
        """Whose voice the caller hears in the agent's place."""
        self._talking = False
        self._gain = 1.0

    @property
    def now_ms(self) -> int:
        """The line's time: the end of the frame that the latest tick took."""
        return (self._engine.tick_number - self.opened_tick) * TICK_MS

    # Orders, carried out at the beginning of a tick.

    def play(self, reply: int, piece: str, text: str, audio: bytes, last: bool) -> None:
        if self.playout.play(reply, piece, text, audio, last=last):
            self._engine.speaking.add(self)

    def marked(self, name: str) -> None:
        self.playout.marked(name, self.now_ms)

    def clear(self) -> None:
        self.events.append(events.Cleared(self.id, self.now_ms, self._silence()))

    def words(self, text: str, final: bool) -> None:
        self.announce(self.turns.words(text, self.now_ms, final=final))

    def configure(self, options: LineOptions) -> None:
        self.options = options
        self.turns.configure(options)
        self.playout.configure(options)
        self._set_floor()

    def record(self, path: Path) -> None:
        self._engine.begin_recording(self, path)
        self.events.append(events.RecordingStarted(self.id, self.now_ms))

    def stop_recording(self) -> None:
        self._engine.tracks.end(self.row)

    def listen(self, on: bool) -> None:
        (self._engine.listened.add if on else self._engine.listened.discard)(self)

    def bridge(self, guest: "Seat | None") -> None:
        self.guest = guest
        (self._engine.bridged.discard if guest is None else self._engine.bridged.add)(self)

    # Steps of a tick.

    def relay(self, frame: bytes) -> None:
        """Send a frame of the guest."""
        alaw = self.options.law == "alaw"
        self.out.append(frame.translate(codec.MULAW_TO_ALAW) if alaw else frame)

    def voice(self, voiced: bool, edge_ms: int) -> None:
        """Take an edge of the caller's voice."""
        edge_ms = max(edge_ms, 0)
        self.announce(self.turns.voice(edge_ms) if voiced else self.turns.hush(edge_ms))

    def speak(self) -> None:
        """Hand over what is due of the agent's speech, and note what is over."""
        now = self.now_ms
        frames, begun = self.playout.take(now, self._shade())
        if self.options.law == "alaw":
            self.out.extend(
                f.translate(codec.MULAW_TO_ALAW) if isinstance(f, bytes) else f for f in frames
            )
        else:
            self.out.extend(frames)
        self.events.extend(events.PieceStarted(self.id, now, name) for name in begun)
        for done in self.playout.finished(now):
            self.events.append(events.PiecePlayed(self.id, now, done.heard, done.confirmed))
        self._notice_agent(self.playout.talking(now))
        if self.playout.idle and not self._talking:
            self._engine.speaking.discard(self)
            self.events.append(events.PlayedOut(self.id, now, self.playout.settle()))

    def announce(self, signals: list[Signal]) -> None:
        """Turn signals into events."""
        for signal in signals:
            self.events.append(self._event(signal))
        self._engine.set_deadline(self)

    def _event(self, signal: Signal) -> Event:
        line, at, start, end = self.id, self.now_ms, signal.start_ms, signal.end_ms
        event: Event
        match signal.kind:
            case Kind.STARTED | Kind.TALKOVER:
                over_agent = signal.kind is Kind.TALKOVER
                event = events.SpeechStarted(line, at, start, over_agent)
            case Kind.PAUSED:
                event = events.SpeechPaused(line, at, start, end)
            case Kind.RESUMED:
                event = events.SpeechResumed(line, at, start)
            case Kind.ENDED:
                audio = self._engine.caller_audio(self, start - _BEFORE_MS, end + _AFTER_MS)
                event = events.TurnEnded(line, at, start, end, signal.voiced_ms, audio)
            case Kind.INTERRUPTED:
                event = events.BargeIn(line, at, self._silence())
            case Kind.MURMURED:
                event = events.Murmur(line, at, start, end)
            case Kind.SILENT:
                event = events.CallerSilent(line, at, end - start, signal.times, signal.ever_spoke)
        return event

    def _silence(self) -> tuple[Heard, ...]:
        """Stop the agent at once: no frame of it leaves after the clear (CM2)."""
        heard = self.playout.clear(self.now_ms)
        self.out = [Clear()]
        self._gain = 1.0
        self._engine.speaking.discard(self)
        self._notice_agent(talking=False)
        return heard

    def _notice_agent(self, talking: bool) -> None:
        if talking is self._talking:
            return
        self._talking = talking
        self._set_floor()
        self.announce(self.turns.agent(talking, self.now_ms))

    def _set_floor(self) -> None:
        options = self.options
        floor = options.talkover_floor_dbfs if self._talking else options.floor_dbfs
        self._engine.detector.floor_dbfs[self.row] = floor

    def _shade(self) -> Callable[[bytes], bytes] | None:
        """Give the change of loudness for this tick's frames, a ramp of one frame long."""
        target = self.options.duck_gain if self.turns.ducked else 1.0
        if self._gain == target == 1.0:
            return None
        ramp = np.linspace(self._gain, target, FRAME, dtype=np.float32)
        self._gain = target

        def shade(frame: bytes) -> bytes:
            nonlocal ramp
            samples = codec.decode_mulaw(np.frombuffer(frame, np.uint8)) * ramp
            ramp = np.full(FRAME, target, np.float32)
            return codec.encode_mulaw(samples.astype(np.int16)).tobytes()

        return shade
