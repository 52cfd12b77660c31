"""One call's line, as the rest of the process sees it: a handle whose methods never block.

Every method may be called from any one thread that is not the tick's. It writes into the line's
ring or leaves an order that the next tick carries out, in the order of the calls. The answers
come as events.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from offhook.media.codec import ALAW_TO_MULAW
from offhook.media.events import LineId
from offhook.media.options import LineOptions

if TYPE_CHECKING:
    from offhook.media.engine import Engine
    from offhook.media.seat import Seat


class Line:
    """A caller and an agent. Made by `Engine.open`; audio is G.711 at 8 kHz."""

    __slots__ = ("_alaw", "_closed", "_engine", "_reply", "_seat", "id")

    def __init__(self, engine: "Engine", seat: "Seat", line_id: LineId, *, alaw: bool) -> None:
        self._engine = engine
        self._seat = seat
        self._alaw = alaw
        self._closed = False
        self._reply = 0
        self.id = line_id

    @property
    def now_ms(self) -> int:
        """The line's audio time: what `at_ms` of its next events will be, or a tick less."""
        return self._seat.now_ms

    def feed(self, audio: bytes) -> None:
        """Take what the carrier sent, of any length, in the line's law."""
        if not self._closed:
            self._engine.intake.feed(
                self._seat.row, audio.translate(ALAW_TO_MULAW) if self._alaw else audio
            )

    def new_reply(self) -> int:
        """Begin a reply of the agent; an interruption kills all replies played before it."""
        self._reply += 1
        return self._reply

    def play(
        self, reply: int, piece: str, audio: bytes, *, text: str = "", last: bool = True
    ) -> None:
        """Speak mu-law `audio` as the piece named `piece` (say, a sentence) of `reply`.

        A piece may come in chunks: all but its final one with `last=False`. `text` is what the
        piece says, for `Heard.heard_text`. Nothing happens when the reply was interrupted.
        """
        self._order(self._seat.play, reply, piece, text, audio, last)

    def marked(self, name: str) -> None:
        """The carrier returned a mark."""
        self._order(self._seat.marked, name)

    def clear(self) -> None:
        """Silence the agent; `Cleared` tells what had been heard."""
        self._order(self._seat.clear)

    def words(self, text: str, *, final: bool = False) -> None:
        """Tell what the recogniser hears in the present or latest utterance.

        It decides whether talk over the agent is an interruption or a murmur, and shortens or
        lengthens the wait for the end of a turn. `final` with no words: it was not speech.
        """
        self._order(self._seat.words, text, final)

    def configure(self, options: LineOptions) -> None:
        """Use other options from the next tick on; the law cannot change."""
        self._order(self._seat.configure, options)

    def record(self, path: Path) -> None:
        """Record both sides into the WAV at `path` from now on (C3: after the notice)."""
        self._order(self._seat.record, path)

    def stop_recording(self) -> None:
        """Stop and save the recording; `RecordingSaved` follows."""
        self._order(self._seat.stop_recording)

    def listen(self, *, on: bool) -> None:
        """Post both sides with each tick's batch, as they are heard, or no more."""
        self._order(self._seat.listen, on)

    def bridge(self, guest: "Line | None") -> None:
        """Let the caller hear whoever feeds the line `guest`, in the agent's place; None: nobody.

        What the agent is given to say all the same goes before. Recordings keep it as the agent's.
        """
        self._order(self._seat.bridge, None if guest is None else guest._seat)  # noqa: SLF001 - another line's own

    def audio(self, start_ms: int, end_ms: int | None = None) -> bytes:
        """Give the caller's mu-law of that stretch, of the last 30 s and up to now.

        A recogniser takes its partial audio by it: `audio(started.start_ms)`, again and again.
        """
        return self._engine.caller_audio(self._seat, start_ms, end_ms)

    def close(self) -> None:
        """Hang up: save the recording, post nothing more but `RecordingSaved`."""
        if not self._closed:
            self._closed = True
            self._engine.close(self._seat)

    def _order(self, method: object, *arguments: object) -> None:
        if not self._closed:
            self._engine.order(self._seat, method, arguments)
