"""What the agent says on one line: the queue, the pacing, and what of it was really heard.

Pure bookkeeping with time as an argument. Frames are handed over a small lead ahead of real time,
so that a clear silences at once. Every 200 ms and at the end of each piece a mark goes out. What
was heard is the lesser of two witnesses: the carrier's marks, and the time that has passed (CM1,
CM2). A mark that comes after a clear witnesses nothing. A mark that never comes is waited for no
longer than the audio and 3 s (C6, CM4).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile

from offhook.media.codec import SILENCE
from offhook.media.events import Heard, Mark
from offhook.media.options import FRAME, TICK_MS, LineOptions

_HANG_MS = 120
"""The agent counts as audible this long after its last frame: the way to the ear takes time."""

_SLOW_SPEECH_MS_PER_CHARACTER = 70


@dataclass(slots=True)
class _Piece:
    """One stretch of speech with a name, for example a sentence."""

    name: str
    text: str
    reply: int
    audio: bytearray = field(default_factory=bytearray)
    whole: bool = False
    sent_ms: int = 0
    plays: list[int] = field(default_factory=list[int])
    """When each handed-over frame sounds."""
    confirmed_ms: int = 0
    confirmed_at: int | None = None
    over_by: int | None = None
    """Set when all is handed over: the latest moment at which its end mark is believed in."""

    def elapsed_ms(self, now_ms: int) -> int:
        """Audio whose time to sound has passed."""
        late = sum(1 for _ in takewhile(lambda at: at + TICK_MS > now_ms, reversed(self.plays)))
        return (len(self.plays) - late) * TICK_MS

    def witnessed_ms(self, now_ms: int, mark_every_ms: int) -> int:
        """Audio that the marks prove: the last one confirmed, and the time since then.

        The time since counts up to the next mark only: that one may be missing for a reason.
        """
        if self.confirmed_at is None:
            return 0
        since = min(max(now_ms - self.confirmed_at, 0), mark_every_ms)
        return min(self.confirmed_ms + since, self.sent_ms)


@dataclass(frozen=True, slots=True)
class Finished:
    """A piece is over, by its mark or by the end of the wait."""

    heard: Heard
    confirmed: bool


class Playout:
    """The agent's voice on one line. Instants are milliseconds of the line, on the tick."""

    def __init__(self, options: LineOptions) -> None:
        self._options = options
        self._pieces: deque[_Piece] = deque()
        self._marks: dict[str, tuple[_Piece, int]] = {}
        self._serial = 0
        self._horizon = -_HANG_MS
        self._sounding: deque[tuple[int, bytes]] = deque()
        self._latest_reply = 0
        self._cleared_reply = 0
        self._confirmed = True

    def configure(self, options: LineOptions) -> None:
        """Use other options from now on."""
        self._options = options

    def play(self, reply: int, piece: str, text: str, audio: bytes, *, last: bool) -> bool:
        """Queue mu-law audio of a piece; False when its reply has been cleared since."""
        if reply <= self._cleared_reply:
            return False
        self._latest_reply = max(self._latest_reply, reply)
        tail = self._pieces[-1] if self._pieces else None
        if tail is None or tail.name != piece or tail.reply != reply or tail.whole:
            if tail is not None:
                tail.whole = True
            tail = _Piece(piece, text, reply)
            self._pieces.append(tail)
        elif text:
            tail.text = text
        tail.audio += audio
        tail.whole = last
        return True

    @property
    def idle(self) -> bool:
        """Whether nothing is queued, sounding or waited for."""
        return not self._pieces and not self._sounding

    def talking(self, now_ms: int) -> bool:
        """Whether the caller hears the agent, or is about to."""
        return now_ms < self._horizon + _HANG_MS or any(
            len(piece.audio) >= FRAME for piece in self._pieces
        )

    def take(
        self, now_ms: int, shade: Callable[[bytes], bytes] | None = None
    ) -> tuple[list[bytes | Mark], list[str]]:
        """Hand over what is due: frames and marks in order, and the names of pieces begun.

        `shade` changes each frame on its way, for example its loudness.
        """
        out: list[bytes | Mark] = []
        begun: list[str] = []
        for piece in self._pieces:
            while self._horizon - now_ms < self._options.lead_ms:
                frame = _next_frame(piece)
                if frame is None:
                    break
                if shade is not None:
                    frame = shade(frame)
                if not piece.plays:
                    begun.append(piece.name)
                at_ms = max(self._horizon, now_ms)
                piece.plays.append(at_ms)
                piece.sent_ms += TICK_MS
                self._sounding.append((at_ms, frame))
                self._horizon = at_ms + TICK_MS
                out.append(frame)
                if piece.sent_ms % self._options.mark_every_ms == 0 and piece.audio:
                    out.append(self._mark(piece))
            if piece.whole and not piece.audio and piece.over_by is None:
                out.append(self._mark(piece))
                piece.over_by = max(self._horizon, now_ms) + self._options.mark_wait_ms
            if piece.over_by is None:
                break
        return out, begun

    def sounding(self, now_ms: int) -> bytes | None:
        """Give the frame that the caller hears from `now_ms` on, for the recording."""
        frame = None
        while self._sounding and self._sounding[0][0] <= now_ms:
            frame = self._sounding.popleft()[1]
        return frame

    def marked(self, name: str, now_ms: int) -> None:
        """Take the carrier's echo of a mark. Unknown names (cleared, repeated) say nothing."""
        known = self._marks.pop(name, None)
        if known is None:
            return
        piece, position_ms = known
        for earlier in self._pieces:
            if earlier is piece:
                break
            # Marks come back in order, so what was sent before has been played.
            earlier.confirmed_ms, earlier.confirmed_at = earlier.sent_ms, now_ms
        if piece.confirmed_at is None or position_ms >= piece.confirmed_ms:
            piece.confirmed_ms, piece.confirmed_at = position_ms, now_ms

    def finished(self, now_ms: int) -> list[Finished]:
        """Take out the pieces that are over."""
        done: list[Finished] = []
        while self._pieces:
            piece = self._pieces[0]
            if piece.over_by is None:
                # A synthesiser that died in the middle of a piece must not hold the line (C6).
                dry = len(piece.audio) < FRAME
                if dry and now_ms >= self._horizon + self._options.mark_wait_ms:
                    piece.whole = True
                break
            marked = piece.confirmed_at is not None and piece.confirmed_ms >= piece.sent_ms
            sounded = not piece.plays or piece.plays[-1] + TICK_MS <= now_ms
            if not (marked and sounded) and now_ms < piece.over_by:
                break
            self._pieces.popleft()
            self._marks = {n: m for n, m in self._marks.items() if m[0] is not piece}
            self._confirmed = self._confirmed and marked
            whole = _heard(piece, piece.sent_ms, complete=True)
            done.append(Finished(whole, marked))
        return done

    def settle(self) -> bool:
        """Say whether all since the last call was confirmed by marks; ask it when idle."""
        confirmed, self._confirmed = self._confirmed, True
        return confirmed

    def clear(self, now_ms: int) -> tuple[Heard, ...]:
        """Drop everything; give what was heard of each unfinished piece.

        Replies played so far are dead: what is still written to them is not spoken.
        """
        heard = tuple(self.heard(now_ms))
        self._pieces.clear()
        self._marks.clear()
        self._sounding.clear()
        self._horizon = now_ms - _HANG_MS
        self._cleared_reply = self._latest_reply
        self._confirmed = True
        return heard

    def heard(self, now_ms: int) -> list[Heard]:
        """What has been heard until now of each piece that is not over."""
        every = self._options.mark_every_ms
        return [
            _heard(piece, min(piece.elapsed_ms(now_ms), piece.witnessed_ms(now_ms, every)))
            for piece in self._pieces
        ]

    def _mark(self, piece: _Piece) -> Mark:
        self._serial += 1
        name = f"m{self._serial}"
        self._marks[name] = (piece, piece.sent_ms)
        return Mark(name)


def _next_frame(piece: _Piece) -> bytes | None:
    """Cut 160 bytes; the last of a whole piece is filled up with silence."""
    if len(piece.audio) < FRAME and not (piece.whole and piece.audio):
        return None
    frame = bytes(piece.audio[:FRAME])
    del piece.audio[:FRAME]
    return frame if len(frame) == FRAME else frame + bytes([SILENCE]) * (FRAME - len(frame))


def _heard(piece: _Piece, heard_ms: int, *, complete: bool = False) -> Heard:
    total_ms = piece.sent_ms + -(-len(piece.audio) // FRAME) * TICK_MS
    if not piece.whole:
        # Audio that is still being made: claim no more of the text than slow speech allows.
        total_ms = max(total_ms, len(piece.text) * _SLOW_SPEECH_MS_PER_CHARACTER)
    whole = complete or (piece.whole and 0 < total_ms <= heard_ms)
    start = piece.plays[0] if piece.plays and (heard_ms > 0 or complete) else None
    return Heard(piece.name, piece.text, heard_ms, total_ms, whole, start)
