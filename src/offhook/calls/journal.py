"""What the ledger must still be told: a file per media process, written through to the disk.

While the database is away a live call goes on by its process's word (UL13): minutes that were
granted without the ledger, how far each call has come, and ends. Each fact is one line with a
checksum, on disk before it counts, so that a cut last line is one that never counted. The file is
locked while its process lives; an unlocked file is a dead process's and may be replayed by anybody
(replay.py). Empty as soon as the ledger knows everything. Knows no database.
"""

import asyncio
import fcntl
import json
import logging
import os
import threading
import zlib
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

log = logging.getLogger(__name__)
SUFFIX = ".journal"
OWNER_ONLY = 0o600


def folder_of(home: Path) -> Path:
    return home / "journal"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line about one call. `seconds`: since its answer, by a monotonic clock (UM7).

    `minute`: the index of a minute that was granted without the ledger. `ended`: why the call
    ended. Neither: a sign of life. `spoke`: whether the agent was ever heard (UM5).
    """

    call_id: str
    team_id: str
    number_id: str
    seconds: float
    spoke: bool
    minute: int | None = None
    ended: str | None = None


@dataclass(slots=True)
class Untold:
    """What the ledger does not know of one call: the sum of its facts."""

    call_id: str
    team_id: str
    number_id: str
    minutes: set[int] = field(default_factory=set[int])
    seconds: float = 0.0
    spoke: bool = False
    ended: str | None = None
    facts: int = 0

    def add(self, fact: Fact) -> None:
        """The first end stands, as on the ledger."""
        self.facts += 1
        self.spoke |= fact.spoke
        if fact.minute is not None:
            self.minutes.add(fact.minute)
        if self.ended is None:
            self.seconds = fact.seconds if fact.ended else max(self.seconds, fact.seconds)
            self.ended = fact.ended


def line(fact: Fact) -> bytes:
    """`<crc32 in hex> <JSON>`, newline."""
    body = json.dumps(asdict(fact), separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def parse(data: bytes) -> list[Fact]:
    """The whole lines of a file; what was cut off or damaged is passed over and logged."""
    facts: list[Fact] = []
    for number, raw in enumerate(data.split(b"\n"), 1):
        if not raw:
            continue
        checksum, _, body = raw.partition(b" ")
        if checksum != b"%08x" % zlib.crc32(body):
            log.warning("line %s of the journal is not whole and never counted", number)
            continue
        try:
            facts.append(Fact(**json.loads(body)))
        except (ValueError, TypeError):
            log.exception("line %s of the journal was written by another version", number)
    return facts


def by_call(facts: Iterable[Fact]) -> dict[str, Untold]:
    """The facts of each call, summed up."""
    calls: dict[str, Untold] = {}
    for fact in facts:
        untold_of(calls, fact).add(fact)
    return calls


def untold_of(calls: dict[str, Untold], fact: Fact) -> Untold:
    """The sum that `fact` belongs to, begun if there is none."""
    new = Untold(fact.call_id, fact.team_id, fact.number_id)
    return calls.setdefault(fact.call_id, new)


class Journal:
    """The journal of this process. `untold` is what it holds, by call."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}{SUFFIX}"
        # Locked before it has its name: nobody may take it for a dead process's.
        making = folder / f"{name}.new"
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND
        self._file = os.open(making, flags, OWNER_ONLY)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        making.rename(self.path)
        _sync_folder(folder)
        self._writing = asyncio.Lock()
        self._file_lock = threading.Lock()  # a write goes on when whoever waited was cancelled
        self.untold: dict[str, Untold] = {}

    async def write(self, fact: Fact) -> None:
        """On return the fact survives the death of process and machine. Raises OSError."""
        async with self._writing:
            await asyncio.to_thread(self._append, line(fact))
            untold_of(self.untold, fact).add(fact)

    async def told(self, call_id: str, facts: int) -> None:
        """The ledger knows the first `facts` facts of this call; later ones are kept."""
        async with self._writing:
            untold = self.untold.get(call_id)
            if untold is None or untold.facts != facts:
                return
            del self.untold[call_id]
            if not self.untold:
                await asyncio.to_thread(self._empty)

    def close(self) -> None:
        """What the ledger knows needs no file; what it does not is left for others to replay."""
        if not self.untold:
            self.path.unlink(missing_ok=True)
        os.close(self._file)

    def _append(self, data: bytes) -> None:
        with self._file_lock:
            before = os.fstat(self._file).st_size
            try:
                written = os.write(self._file, data)
                os.fsync(self._file)
            except OSError:
                os.ftruncate(self._file, before)
                raise
            if written != len(data):
                os.ftruncate(self._file, before)
                raise OSError("the journal's disk is full")

    def _empty(self) -> None:
        with self._file_lock:
            os.ftruncate(self._file, 0)
            os.fsync(self._file)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def left_behind(path: Path) -> Generator[dict[str, Untold] | None]:
    """What a dead process left in this file, locked meanwhile; None: its process lives.

    The caller removes the file once the ledger knows all of it.
    """
    try:
        opened = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield by_call(parse(path.read_bytes())) if path.exists() else None
    except BlockingIOError:
        yield None
    finally:
        os.close(opened)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"*{SUFFIX}"))


def calls_in(folder: Path) -> frozenset[str]:
    """The calls that some journal knows better than the ledger: not to be settled by a lease."""
    known: set[str] = set()
    for path in files(folder):
        try:
            known |= by_call(parse(path.read_bytes())).keys()
        except FileNotFoundError:  # its process has just told everything and left
            continue
    return frozenset(known)
