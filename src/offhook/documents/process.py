"""Reading a document in a process of its own, which is ended when it takes too long (K1).

    async with Reader() as reader:
        document = await reader.read("menu.pdf", data)      # may raise one of problems.py

The process is started at the first document, reads one after the other, and is replaced after a
document that broke it. Knows no format: what is done with the bytes is child.py's.
"""

import asyncio
import contextlib
import json
import os
import signal
import struct
import sys
from types import TracebackType
from typing import Any, Self

from offhook.documents.blocks import Document
from offhook.documents.bounds import MAX_TEXT_CHARS, MEMORY_BYTES, READ_S, STUCK_S
from offhook.documents.problems import BY_CODE, SourceTooSlow, SourceUnreadable
from offhook.documents.sitemap import Sitemap

# In JSON a character takes at most twelve bytes: two halves of a pair, escaped.
MAX_ANSWER_BYTES = 12 * MAX_TEXT_CHARS + 100_000
ENDING_S = 1.0
"""A process whose pipe has closed ends by itself; one that wrote nonsense may not."""


class Reader:
    """A reading process; for one reader at a time.

    A document may take `read_s` of processor time, and `stuck_s` by the clock; the process may
    have `memory_bytes`.
    """

    def __init__(
        self,
        *,
        read_s: float = READ_S,
        stuck_s: float = STUCK_S,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._memory_bytes = memory_bytes
        self.read_s = read_s
        self.stuck_s = stuck_s
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that reads now."""
        return self._process.pid if self._process else None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    async def read(self, name: str, data: bytes, content_type: str = "") -> Document:
        """The document as Markdown; `content_type` is that of a web page's answer.

        Raises one of problems.py, among them SourceTooSlow, and SourceUnreadable where the
        process died of it.
        """
        return Document(**await self._told(name, data, content_type=content_type))

    async def sitemap(self, name: str, data: bytes) -> Sitemap:
        """The addresses that a sitemap names. Raises as `read` does."""
        return Sitemap(**await self._told(name, data, sitemap=True))

    async def _told(
        self, name: str, data: bytes, *, content_type: str = "", sitemap: bool = False
    ) -> dict[str, Any]:
        request = {
            "name": name,
            "content_type": content_type,
            "sitemap": sitemap,
            "read_s": self.read_s,
        }
        process = self._process or await self._start()
        try:
            async with asyncio.timeout(self.stuck_s):
                answer = await _asked(process, request, data)
        except TimeoutError:
            await self._end()
            raise _too_slow(name, self.stuck_s) from None
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            if await self._end(within_s=ENDING_S) == -signal.SIGXCPU:
                raise _too_slow(name, self.read_s) from None
            raise SourceUnreadable(
                f"“{name}” could not be read: the reading process ended over it.",
                remedy="Save it again, or split it.",
            ) from None
        except BaseException:
            await self._end()  # half an answer is in the pipe
            raise
        if "read" in answer:
            return answer["read"]
        raise BY_CODE[answer["code"]](answer["sentence"], remedy=answer["remedy"])

    async def _start(self) -> asyncio.subprocess.Process:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "offhook.documents.child",
            str(os.getpid()),
            str(self._memory_bytes),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # Nothing of ours is in its environment: no address of the database, no key.
            env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"},
        )
        return self._process

    async def _end(self, within_s: float = 0) -> int | None:
        """What the process ended with; one that lives on is killed. To kill one that has just
        ended can hide what it ended with.
        """
        process, self._process = self._process, None
        if process is None:
            return None
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(process.wait(), within_s)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()


def _too_slow(name: str, seconds: float) -> SourceTooSlow:
    return SourceTooSlow(
        f"“{name}” was not read within {seconds:.0f} seconds.",
        remedy="Split it, or leave out what nobody asks about.",
    )


async def _asked(
    process: asyncio.subprocess.Process, request: dict[str, Any], data: bytes
) -> dict[str, Any]:
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the reading process was started without pipes")
    process.stdin.write(json.dumps({**request, "size": len(data)}).encode() + b"\n")
    process.stdin.write(data)
    await process.stdin.drain()
    (size,) = struct.unpack("!Q", await process.stdout.readexactly(8))
    if size > MAX_ANSWER_BYTES:
        raise ValueError(size)
    return json.loads(await process.stdout.readexactly(size))
