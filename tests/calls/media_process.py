"""A whole media process but for its vendors, and callers on the simulated carrier's lines: real
sockets, the engine's thread, the database.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, cast

from office import SECRET, Office, open_office
from sqlalchemy import select
from stage import ScriptedBrain, ScriptedRecogniser, ToneSynthesiser

from offhook.agents import Brain
from offhook.calls.admission import Admitted
from offhook.calls.models import Call, MediaNode
from offhook.calls.node import Node
from offhook.calls.parts import Parts
from offhook.calls.rules import CallState
from offhook.calls.tokens import stream_token
from offhook.carriers import Carriers
from offhook.carriers.simulator.stream import Microphone, Stream
from offhook.db import Database
from offhook.settings import Settings
from offhook.speech import VoiceCache
from task_fixtures import plain_runner

WITHIN_S = 40


class Line:
    """The carrier's API, as far as a media process uses it."""

    def __init__(self) -> None:
        self.hung_up: list[str] = []
        self.limits: list[int] = []
        self.redirected: list[str] = []

    async def of(self, account_id: str | None) -> Self:
        return self

    async def hang_up(self, call_id: str) -> None:
        self.hung_up.append(call_id)

    async def limit_call(self, call_id: str, *, seconds: int) -> None:
        self.limits.append(seconds)

    async def redirect(self, call_id: str, *, document: str) -> None:
        self.redirected.append(document)


class Telephone:
    """Keeps what it plays; `sound_ms`: how much of it was not silence."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.sound_ms = 0

    def play(self, audio: bytes) -> None:
        self.frames.append(audio)
        self.sound_ms += 20 * bool(audio.strip(b"\xff"))

    def tell(self, event: dict[str, Any]) -> None: ...


class Caller:
    """Somebody on the simulated carrier's line, in real time."""

    def __init__(self, url: str, verdict: Admitted, token: str = "") -> None:
        self.telephone = Telephone()
        self.microphone = Microphone()
        self.stream = Stream(
            url=f"{url}/stream",
            call_id="CA" + "0" * 32,
            account_id="AC" + "0" * 32,
            parameters={
                "call": verdict.call_id,
                "token": token or stream_token(SECRET, verdict.call_id, verdict.epoch),
            },
            handset=cast("Any", self.telephone),
            microphone=self.microphone,
        )
        self.task = asyncio.create_task(self.stream.run())

    async def hang_up(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def hears(self, ms: int) -> None:
        await until(lambda: self.telephone.sound_ms >= ms)


async def until(condition: Callable[[], object | Awaitable[object]]) -> None:
    """Wait until something is so; not for ever."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + WITHIN_S
    while loop.time() < give_up_at:
        answer = condition()
        if await answer if isinstance(answer, Awaitable) else answer:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {WITHIN_S} s")


class Process:
    """A running media process and its surroundings."""

    def __init__(
        self,
        office: Office,
        settings: Settings,
        *,
        words: tuple[str, ...],
        synthesiser: ToneSynthesiser | None = None,
        recogniser: ScriptedRecogniser | None = None,
    ) -> None:
        self.office = office
        self.carrier = Line()
        self.brain = ScriptedBrain("Yes, from eight to noon.")
        synthesiser = synthesiser or ToneSynthesiser()
        self.stopping = asyncio.Event()
        self.node = Node(
            Parts(
                settings=settings,
                secret=SECRET,
                database=office.database,
                carriers=cast("Carriers", self.carrier),
                brain=cast("Brain", self.brain),
                recogniser=recogniser or ScriptedRecogniser(*words),
                synthesiser=synthesiser,
                voices=VoiceCache(synthesiser, settings.home_path / "voice"),
                runner=plain_runner(office.database, settings),
            )
        )
        self.task = asyncio.create_task(self.node.run(self.stopping))

    @property
    def url(self) -> str:
        return self.node.url

    async def is_there(self) -> list[MediaNode]:
        async with self.office.database.system() as session:
            return list(await session.scalars(select(MediaNode)))

    async def ended(self, call_id: str) -> Call:
        """The call, once it has ended."""

        async def over() -> bool:
            return (await self.office.call(call_id)).state is CallState.ENDED

        await until(over)
        return await self.office.call(call_id)

    async def recorded(self, call_id: str) -> Call:
        """The call, once its recording can be played."""

        async def ready() -> bool:
            return (await self.office.call(call_id)).recording == "ready"

        await until(ready)
        return await self.office.call(call_id)

    async def stop(self) -> None:
        self.stopping.set()
        async with asyncio.timeout(30):
            await self.task


@asynccontextmanager
async def running(
    database: Database,
    folder: Path,
    *words: str,
    team_id: str = "",
    synthesiser: ToneSynthesiser | None = None,
    recogniser: ScriptedRecogniser | None = None,
) -> AsyncGenerator[Process]:
    """A media process of a number's office; what is understood stands in `words`."""
    office = await open_office(database, lines=0, team_id=team_id)
    settings = Settings.model_validate({"home": str(folder), "media_port": 0, "media_lines": 4})
    process = Process(office, settings, words=words, synthesiser=synthesiser, recogniser=recogniser)
    await process.node.up.wait()
    await until(process.is_there)
    try:
        yield process
    finally:
        await process.stop()
