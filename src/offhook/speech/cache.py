"""Audio of fixed sentences, kept on disk: a greeting is synthesised before the call is answered.

A file holds mu-law 8 kHz and is named by the digest of synthesiser, voice, language and text, so a
changed greeting or voice is another file. It knows no agent and no call.
"""

import asyncio
import hashlib
import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile

from offhook.speech.port import Synthesiser

MOST_FILES = 2_000
"""About 100 MB of greetings; beyond it the longest unused are removed."""


class VoiceCache:
    r"""The spoken forms of fixed texts.

    cache = VoiceCache(synthesiser, settings.home_path / "cache" / "voice")
    await cache.audio("Hello, this is Miller's Bakery.")  # b"\xff\x7e...", from disk if known
    """

    def __init__(self, synthesiser: Synthesiser, folder: Path) -> None:
        self._synthesiser = synthesiser
        self._folder = folder
        self._making: dict[Path, asyncio.Task[bytes]] = {}

    async def audio(self, text: str, *, voice: str = "", language: str = "en") -> bytes:
        """All of `text` as mu-law 8 kHz. Raises what `Synthesiser.speak` raises.

        Asked for twice at once, it is made once. A file that cannot be written costs only time.
        """
        path = self._path(text, voice, language)
        if (kept := await asyncio.to_thread(_read, path)) is not None:
            return kept
        making = self._making.get(path)
        if making is None:
            making = asyncio.create_task(self._make(path, text, voice, language))
            self._making[path] = making
            making.add_done_callback(lambda task: self._made(path, task))
        return await asyncio.shield(making)

    def _made(self, path: Path, making: asyncio.Task[bytes]) -> None:
        self._making.pop(path, None)
        if not making.cancelled():
            making.exception()  # who asked may have gone; then nobody else looks at it

    def _path(self, text: str, voice: str, language: str) -> Path:
        key = json.dumps([self._synthesiser.identity, voice, language, text])
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.ulaw"

    async def _make(self, path: Path, text: str, voice: str, language: str) -> bytes:
        speaking = self._synthesiser.speak(text, voice=voice, language=language)
        spoken = b"".join([chunk async for chunk in speaking])
        if spoken:
            await asyncio.to_thread(_write, path, spoken)
        return spoken


def _read(path: Path) -> bytes | None:
    try:
        kept = path.read_bytes()
        os.utime(path)  # the longest unused go first
    except OSError:
        return None
    return kept or None


def _write(path: Path, spoken: bytes) -> None:
    """Whole or not at all: a reader never sees half a greeting."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, suffix=".new", delete=False) as partial:
            partial.write(spoken)
        Path(partial.name).replace(path)
        _prune(path.parent)
    except OSError:
        return  # a full disk must not keep a caller from being greeted


def _prune(folder: Path) -> None:
    files = sorted(folder.glob("*.ulaw"), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in files[MOST_FILES:]:
        old.unlink(missing_ok=True)
