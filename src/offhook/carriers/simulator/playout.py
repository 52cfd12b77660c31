"""What the carrier holds for the caller's ear: audio and marks, in order, played in real time.

`tick` is asked once each 20 ms. A mark comes back when everything before it has been played; a
clear drops the audio and gives all outstanding marks back at once (CM2). Pure; no clock.
"""

from collections import deque

from offhook.carriers.twilio.streams import FRAME_BYTES, SILENCE


class Playout:
    """The buffer of one stream: mu-law bytes at 8 kHz."""

    def __init__(self) -> None:
        self._items: deque[bytearray | str] = deque()
        self.played_bytes = 0

    def push(self, audio: bytes) -> None:
        if self._items and isinstance(last := self._items[-1], bytearray):
            last += audio
        elif audio:
            self._items.append(bytearray(audio))

    def mark(self, name: str) -> None:
        self._items.append(name)

    def clear(self) -> list[str]:
        """Drop what was not played; the names of the marks that were waiting."""
        waiting = [item for item in self._items if isinstance(item, str)]
        self._items.clear()
        return waiting

    def tick(self) -> tuple[bytes | None, list[str]]:
        """The next 20 ms (None: nothing to play) and the marks reached by their end.

        Less than a frame before a mark or the end is filled up with silence.
        """
        frame = bytearray()
        while self._items and len(frame) < FRAME_BYTES:
            item = self._items[0]
            if isinstance(item, str):
                break
            missing = FRAME_BYTES - len(frame)
            frame += item[:missing]
            del item[:missing]
            if not item:
                self._items.popleft()
        reached: list[str] = []
        while self._items and isinstance(name := self._items[0], str):
            reached.append(name)
            self._items.popleft()
        if not frame:
            return None, reached
        self.played_bytes += len(frame)
        return bytes(frame) + SILENCE[len(frame) :], reached
