"""The audio of one caller's running turn, with a look-back for how it began. Pure.

Positions are bytes since the hearing was opened; eight of them are a millisecond.
"""

from offhook.speech.port import BYTES_PER_MS

_LOOK_BACK_MS = 2_000
_SETTLE_AFTER_MS = 18_000
_SETTLE_WITHIN_MS = 8_000
_BLOCK = 20 * BYTES_PER_MS


class TurnAudio:
    """Keeps a look-back between turns and the whole of an open one.

    A long turn is settled from its beginning: `settled` forgets what has been transcribed for
    good, so that neither partials nor the final listen to it again.
    """

    def __init__(self) -> None:
        self._audio = bytearray()
        self._position = 0  # of the first byte kept
        self.open = False

    @property
    def start_ms(self) -> int:
        """Where the kept audio begins."""
        return self._position // BYTES_PER_MS

    @property
    def end_ms(self) -> int:
        return (self._position + len(self._audio)) // BYTES_PER_MS

    def feed(self, mulaw: bytes) -> None:
        self._audio += mulaw
        if not self.open:
            self._forget(len(self._audio) - _LOOK_BACK_MS * BYTES_PER_MS)

    def begin(self, lead_ms: int) -> None:
        """Opens a turn `lead_ms` before the newest sample; nothing in an open turn."""
        if not self.open:
            self._forget(len(self._audio) - lead_ms * BYTES_PER_MS)
            self.open = True

    def end(self, through_ms: int) -> None:
        """Closes the turn; what came behind `through_ms` may already belong to the next one."""
        self.open = False
        self._forget(through_ms * BYTES_PER_MS - self._position)
        self._forget(len(self._audio) - _LOOK_BACK_MS * BYTES_PER_MS)

    def audio(self) -> bytes:
        """What of the open turn is not settled."""
        return bytes(self._audio) if self.open else b""

    def to_settle(self) -> int:
        """How many bytes to settle now, up to a quiet place; 0 while the turn is short."""
        if not self.open or len(self._audio) < _SETTLE_AFTER_MS * BYTES_PER_MS:
            return 0
        end = len(self._audio) - _BLOCK
        begin = len(self._audio) - _SETTLE_WITHIN_MS * BYTES_PER_MS
        return min(range(begin, end, _BLOCK), key=self._loudness)

    def settled(self, length: int) -> None:
        self._forget(length)

    def _forget(self, length: int) -> None:
        if length > 0:
            del self._audio[:length]
            self._position += length

    def _loudness(self, start: int) -> int:
        """Of the 100 ms around `start`; mu-law's upper code values are the quiet ones."""
        block = self._audio[max(start - 2 * _BLOCK, 0) : start + 3 * _BLOCK]
        return sum(0x7F - (code & 0x7F) for code in block)
