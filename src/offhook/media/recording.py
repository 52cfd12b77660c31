"""Two-channel recordings that survive a crash: caller left, agent right, as they were heard (C3).

A recording is a mu-law WAV from its first byte (8 kHz, stereo), appended to as the call goes on,
so that after kill -9 only the lengths in its head are missing; `finish` and `recover` write them.
A part file that is there already is gone on with.
One thread writes, one makes it durable each second; the tick only hands bytes over. Files are the
only thing this module knows of the world.
"""

import os
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from offhook.media.options import SAMPLE_RATE

PART_SUFFIX: Final = ".part"
SYNC_EVERY_S: Final = 1.0
RESERVE_BYTES: Final = 512 * 1024 * 1024
"""Recordings stop while this much is still free, so that the database never meets a full disk."""

MOST_WAITING: Final = 8_192
"""Pieces of half a second, 64 MB in all: a disk that stands still must not fill the memory."""

_CHANNELS: Final = 2
_MULAW: Final = 7  # WAVE_FORMAT_MULAW, RFC 2361
_HEAD: Final = struct.Struct("<4sI4s4sIHHIIHHH4sII4sI")
HEAD_BYTES: Final = _HEAD.size


def wav_head(sample_frames: int) -> bytes:
    """Build the head of a stereo mu-law WAV with a fact chunk, as non-PCM formats must have."""
    data = sample_frames * _CHANNELS
    rate = SAMPLE_RATE * _CHANNELS
    form = (_MULAW, _CHANNELS, SAMPLE_RATE, rate, _CHANNELS, 8, 0)
    riff = (b"RIFF", HEAD_BYTES - 8 + data, b"WAVE", b"fmt ", 18)
    return _HEAD.pack(*riff, *form, b"fact", 4, sample_frames, b"data", data)


def finish(part: Path) -> Path:
    """Write the lengths into a part file, make it durable, take off the suffix; idempotent.

    Half a sample frame at the end, from a crash in the middle of a write, is cut off.
    """
    whole = part.with_suffix("")
    if not part.exists() and whole.exists():
        return whole
    with part.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        frames = max(size - HEAD_BYTES, 0) // _CHANNELS
        file.truncate(HEAD_BYTES + frames * _CHANNELS)
        file.seek(0)
        file.write(wav_head(frames))
        file.flush()
        os.fsync(file.fileno())
    part.rename(whole)
    return whole


def recover(folder: Path) -> list[Path]:
    """Finish every recording that a dead process left in `folder`; call it before new calls."""
    return [finish(part) for part in sorted(folder.glob(f"*{PART_SUFFIX}"))]


@dataclass(eq=False, slots=True)
class Recording:
    """One recording being written. `path` is the WAV that it becomes. `over`: it takes no more,
    for a reason that was told; `failed`: nor can what was handed over be written.
    """

    path: Path
    on_failure: Callable[[str], None]
    on_finished: Callable[[Path], None]
    descriptor: int | None = None
    over: bool = False
    failed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def part(self) -> Path:
        """The file while it grows."""
        return self.path.with_name(self.path.name + PART_SUFFIX)


class Recorder:
    """The two threads behind all recordings of a process."""

    def __init__(
        self, *, reserve_bytes: int = RESERVE_BYTES, most_waiting: int = MOST_WAITING
    ) -> None:
        self._reserve = reserve_bytes
        self._most_waiting = most_waiting
        self._queue: SimpleQueue[tuple[Recording, bytes | None] | None] = SimpleQueue()
        self._dirty: set[Recording] = set()
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._writer = threading.Thread(target=self._write_all, name="recording-writer")
        self._syncer = threading.Thread(target=self._sync_all, name="recording-sync")

    def start(self) -> None:
        """Start the threads."""
        self._writer.start()
        self._syncer.start()

    def stop(self) -> None:
        """Write and finish what was handed over, then end the threads."""
        self._queue.put(None)
        self._writer.join()
        self._stopped.set()
        self._syncer.join()

    def append(self, recording: Recording, audio: bytes) -> None:
        """Hand over interleaved mu-law, caller first. Never blocks."""
        if recording.over:
            return
        if self._queue.qsize() >= self._most_waiting:
            self._give_up(recording, "the disk is too slow")
        else:
            self._queue.put((recording, audio))

    def close(self, recording: Recording) -> None:
        """Finish the recording after all that was appended. Never blocks."""
        self._queue.put((recording, None))

    def _write_all(self) -> None:
        while (item := self._queue.get()) is not None:
            recording, audio = item
            if recording.failed and audio is not None:
                continue
            try:
                if audio is None:
                    self._finish(recording)
                else:
                    self._write(recording, audio)
            except OSError as error:
                self._fail(recording, str(error))

    def _write(self, recording: Recording, audio: bytes) -> None:
        if recording.descriptor is None:
            self._open(recording)
        if recording.descriptor is None:
            return
        written = 0
        while written < len(audio):
            written += os.write(recording.descriptor, audio[written:])
        with self._guard:
            self._dirty.add(recording)

    def _open(self, recording: Recording) -> None:
        recording.path.parent.mkdir(parents=True, exist_ok=True)
        if self._disk_is_full(recording.path.parent):
            self._fail(recording, "the disk is nearly full")
            return
        flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        recording.descriptor = os.open(recording.part, flags, 0o600)
        if os.fstat(recording.descriptor).st_size < HEAD_BYTES:
            os.ftruncate(recording.descriptor, 0)
            os.write(recording.descriptor, wav_head(0))

    def _disk_is_full(self, folder: Path) -> bool:
        disk = os.statvfs(folder)
        return disk.f_bavail * disk.f_frsize < self._reserve

    def _finish(self, recording: Recording) -> None:
        self._release(recording)
        if recording.part.exists():
            recording.on_finished(finish(recording.part))

    def _fail(self, recording: Recording, reason: str) -> None:
        recording.failed = True
        self._release(recording)
        self._give_up(recording, reason)

    def _give_up(self, recording: Recording, reason: str) -> None:
        """Take no more audio of it, and tell once why; what is written is finished at its end."""
        with self._guard:
            was_over, recording.over = recording.over, True
        if not was_over:
            recording.on_failure(reason)

    def _release(self, recording: Recording) -> None:
        with self._guard:
            self._dirty.discard(recording)
        with recording.lock:
            if recording.descriptor is not None:
                os.close(recording.descriptor)
                recording.descriptor = None

    def _sync_all(self) -> None:
        """Make what was written durable once a second; the writer never waits for a disk."""
        while not self._stopped.wait(SYNC_EVERY_S):
            with self._guard:
                dirty, self._dirty = self._dirty, set()
            for recording in dirty:
                try:
                    self._sync(recording)
                except OSError as error:
                    self._give_up(recording, str(error))

    def _sync(self, recording: Recording) -> None:
        with recording.lock:
            if recording.descriptor is None:
                return
            os.fdatasync(recording.descriptor)
        if self._disk_is_full(recording.path.parent):
            self._give_up(recording, "the disk is nearly full")
