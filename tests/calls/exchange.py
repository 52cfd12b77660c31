"""A whole telephone exchange in one event loop: the simulated carrier, our web server, a media
process, a worker's keeper. Real sockets and documents; only vendors of words are scripted.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from office import SECRET, Office, open_office
from sqlalchemy import select
from stage import MS_PER_WORD, ScriptedBrain, ScriptedRecogniser, ToneSynthesiser
from telephone import Phone, telephone

from offhook import inbox, numbers, teams
from offhook.agents import Brain, HandOver, Part, Text
from offhook.calls.models import Call, MediaNode
from offhook.calls.node import Node
from offhook.calls.parts import Parts
from offhook.calls.rules import CallState
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers import targets
from offhook.calls.transfers.keeper import Keeper
from offhook.calls.transfers.models import Transfer
from offhook.calls.transfers.rules import TransferState
from offhook.carriers import Callbacks, Carriers, Search
from offhook.carriers.simulator.server import Simulator, running
from offhook.db import Database
from offhook.settings import Settings
from offhook.speech import VoiceCache
from offhook.vault import open_vault
from offhook.web import create_app, server
from ports import free_port
from task_fixtures import plain_runner
from web_fixtures import room_routers

CALLER = "+12025550147"
ANNA = "+12025550177"
WITHIN_S = 40
LOOK_EVERY_S = 0.1
GOODBYE = "One moment, I'll put you through."


@dataclass
class Told:
    """What became of the tasks' runs."""

    runs: list[tuple[str, bool, str]] = field(default_factory=list[tuple[str, bool, str]])

    async def __call__(
        self, session: object, team_id: str, run_id: str, sentence: str, /, *, done: bool
    ) -> None:
        self.runs.append((run_id, done, sentence))


@dataclass
class Exchange:
    """Everything that runs."""

    office: Office
    simulator: Simulator
    settings: Settings
    brain: ScriptedBrain
    synthesiser: ToneSynthesiser
    node: Node
    keeper: Keeper
    told: Told
    carriers: Carriers
    voices: VoiceCache
    target_id: str = ""

    async def target(self, *, announced: bool, ring_s: int = 25) -> None:
        """The owner lists Anna."""
        office = self.office
        async with office.database.team(office.team_id) as session:
            target = await targets.add(
                session, office.team_id, name="Anna", number=ANNA, ring_s=ring_s,
                announced=announced,
            )  # fmt: skip
        self.target_id = target.id

    def hand_over(self, run_id: str = "run_1") -> Sequence[Part]:
        return [Text(GOODBYE), HandOver(run_id, self.target_id)]

    @asynccontextmanager
    async def telephone(self, number: str) -> AsyncGenerator[Phone]:
        async with telephone(self.simulator, self.settings, number) as phone:
            yield phone

    async def call(self) -> Call:
        (call,) = await self.office.calls()
        return call

    async def transfer(self) -> Transfer:
        async with self.office.database.team(self.office.team_id) as session:
            return (await session.scalars(select(Transfer))).one()

    async def transfer_becomes(self, state: TransferState) -> None:
        async def so() -> bool:
            return (await self.transfer()).state is state

        await until(so)

    async def becomes(self, state: CallState, *, epoch: int = 1) -> Call:
        """The call, once it is in this state."""

        async def so() -> bool:
            calls = await self.office.calls()
            return bool(calls) and (calls[0].state, calls[0].epoch) == (state, epoch)

        await until(so)
        return await self.call()

    async def says(self, text: str) -> None:
        """Until the agent was heard to say this."""

        async def said() -> bool:
            return bool(await self.office.calls()) and text in str(await self.turns())

        await until(said)

    async def turns(self) -> list[tuple[str, str]]:
        call = await self.call()
        async with self.office.database.team(call.team_id) as session:
            turns = await inbox.turns_of(session, call.team_id, call.conversation_id)
        return [(turn.speaker.value, turn.text) for turn in turns]

    async def log(self, event: str) -> list[dict[str, object]]:
        return [each.data for each in await self.simulator.log() if each.event == event]


@asynccontextmanager
async def exchange(
    database: Database, folder: Path, *, words: Sequence[str], ms_per_word: int = MS_PER_WORD
) -> AsyncGenerator[Exchange]:
    """The office's number answers; what the caller is understood to say stands in `words`."""
    settings = Settings.model_validate(
        {
            "home": str(folder),
            "port": free_port(),
            "simulator_port": free_port(),
            "media_port": 0,
            "media_lines": 4,
        }
    )
    told = Told()
    async with running(settings) as simulator:
        accounts = Carriers(settings, numbers.account_lookup(database, open_vault(settings)))
        base = f"{settings.web_url}/carriers/twilio"
        callbacks = Callbacks(f"{base}/voice", f"{base}/sms", f"{base}/call-status")
        (offer,) = await accounts.operator.search(Search(area_code="415", limit=1))
        await accounts.operator.buy(offer.e164, order_tag="ord_1", callbacks=callbacks)
        office = await open_office(database, lines=0, e164=offer.e164)
        synthesiser, brain = ToneSynthesiser(ms_per_word=ms_per_word), ScriptedBrain()
        voices = VoiceCache(synthesiser, folder / "voice")
        node = Node(
            Parts(
                settings=settings,
                secret=SECRET,
                database=database,
                carriers=accounts,
                brain=cast("Brain", brain),
                recogniser=ScriptedRecogniser(*words),
                synthesiser=synthesiser,
                voices=voices,
                runner=plain_runner(database, settings),
            )
        )
        transfers.when_known(told)
        async with _web(settings, database, accounts, voices), _media(node, database):
            keeper = Keeper(database, accounts)
            looking = asyncio.create_task(_look(keeper))
            try:
                yield Exchange(
                    office, simulator, settings, brain, synthesiser, node, keeper, told, accounts,
                    voices,
                )  # fmt: skip
            finally:
                looking.cancel()
                await asyncio.gather(looking, return_exceptions=True)
                transfers.forget(told)
        await accounts.aclose()


async def _look(keeper: Keeper) -> None:
    while True:
        await keeper.look()
        await asyncio.sleep(0.3)


@asynccontextmanager
async def _web(
    settings: Settings, database: Database, accounts: Carriers, voices: VoiceCache
) -> AsyncGenerator[None]:
    app = create_app(settings, identify=teams.identify, csrf_exempt=("/carriers/",))
    app.state.database = database
    app.state.secret = SECRET
    app.state.carriers = accounts
    app.state.voices = voices
    for router in room_routers(("calls",)):
        app.include_router(router)
    web = server(app, host=settings.host, port=settings.port, log_level="warning", lifespan="off")
    serving = asyncio.create_task(web.serve())
    await web.up.wait()
    try:
        yield
    finally:
        web.stop()
        await serving


@asynccontextmanager
async def _media(node: Node, database: Database) -> AsyncGenerator[None]:
    stopping = asyncio.Event()
    task = asyncio.create_task(node.run(stopping))
    await node.up.wait()

    async def is_there() -> bool:
        async with database.system() as session:
            return bool(list(await session.scalars(select(MediaNode))))

    await until(is_there)
    try:
        yield
    finally:
        stopping.set()
        await task


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait until something is so; not for ever."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + WITHIN_S
    while loop.time() < give_up_at:
        if await condition():
            return
        await asyncio.sleep(LOOK_EVERY_S)
    raise AssertionError(f"not within {WITHIN_S} s")
