"""The telephones of a day's people: texts by the network's HTTP, calls by a handset, with sound.

What callers say is flite's voice, made once a machine; how long they stay is in the sound they
play. Who is refused for our want of a line or a voice calls again, as people do.
"""

import asyncio
import base64
import time
import wave
from pathlib import Path

import httpx
import numpy as np
from sounds import silence, speech

from offhook.carriers.simulator import handset
from offhook.carriers.simulator.account import handset_token
from offhook.media import codec
from offhook.settings import Settings, secret_key
from oneday.script import FOR_PERSON, SPOKEN, Do

CALLS_AT_ONCE = 3
TRIES = 6
AGAIN_AFTER_S = 3.0
CALL_S = 240.0
PICTURE = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c49444154789c63f8cfc00000030101001805b58e0000000049454e44ae426082"
    )
).decode()
"""One red pixel."""
REFUSED = frozenset({Do.CALL_LIMIT, Do.CALL_DISABLED, Do.CALL_BLOCKED})
FOR_SOMEBODY = frozenset({Do.CALL_PERSON, Do.CALL_BUSY, Do.CALL_ALONE})


class Telephones:
    """All of them; `folder` keeps the sounds."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._secret = secret_key(settings)
        self._folder = folder
        self._lines = asyncio.Semaphore(CALLS_AT_ONCE)
        self._client = httpx.AsyncClient(
            base_url=settings.simulator_url, trust_env=False, timeout=60
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def text(self, person: str, to: str, body: str, *, picture: bool = False) -> str:
        """Text somebody; the carrier's id of it."""
        token = handset_token(self._secret, person, now_s=int(time.time()))
        media = [{"content_type": "image/png", "data": PICTURE}] if picture else []
        answer = await self._client.post(
            "/handset/texts",
            json={"to": to, "body": body, "media": media},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    async def call(self, person: str, to: str, do: Do) -> None:
        """Call as this step says, to the call's end."""
        async with self._lines:
            if do is Do.CALL_THIRD:
                await self._three(person, to)
            elif do in REFUSED:
                assert not await self._once(person, to, do), f"{to} answered {person}: {do}"
            else:
                await self._answered(person, to, do)

    async def _answered(
        self, person: str, to: str, do: Do, picked_up: asyncio.Event | None = None
    ) -> None:
        for _ in range(TRIES):
            if await self._once(person, to, do, picked_up):
                return
            await asyncio.sleep(AGAIN_AFTER_S)
        raise AssertionError(f"{to} never answered {person}")

    async def _three(self, person: str, to: str) -> None:
        """Two calls at once are taken, a third is not."""
        talks: list[asyncio.Task[None]] = []
        for _ in range(2):
            picked_up = asyncio.Event()
            talk = self._answered(person, to, Do.CALL_MUTE, picked_up)
            talks.append(asyncio.create_task(talk))
            await picked_up.wait()
        assert not await self._once(person, to, Do.CALL_MUTE), f"{to} took three calls of {person}"
        await asyncio.gather(*talks)

    async def _once(
        self, person: str, to: str, do: Do, picked_up: asyncio.Event | None = None
    ) -> bool:
        """Whether it was answered."""

        def show(line: str) -> None:
            if line == "Answered" and picked_up is not None:
                picked_up.set()

        try:
            async with asyncio.timeout(CALL_S):
                await handset.place_call(
                    self._settings,
                    to,
                    wav=self._sound(do),
                    sender=person,
                    hidden=do is Do.CALL_HIDDEN,
                    show=show,
                )
        except handset.CallRefused:
            return False
        return True

    def _sound(self, do: Do) -> Path:
        """What the caller says, and how long they then keep quiet without hanging up."""
        path = self._folder / f"{do.name}.wav"
        if not path.exists():
            if do in FOR_SOMEBODY:
                sound = speech(FOR_PERSON) + silence(90_000)
            elif do is Do.CALL_LONG:
                sound = 4 * (speech(SPOKEN) + silence(16_000))
            elif do is Do.CALL_MUTE:
                sound = silence(60_000)
            else:
                sound = speech(SPOKEN)
            _write(path, sound)
        return path


def _write(path: Path, mulaw: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(codec.decode_mulaw(np.frombuffer(mulaw, np.uint8)).tobytes())
