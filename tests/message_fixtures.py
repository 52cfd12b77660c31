"""A shop that texts: a real simulated carrier, a number of a team on it, a scripted model.

async def test_x(shop: Shop) -> None:
await shop.text(ANN, "Open on Sunday?")         # as the carrier's callback would
await shop.work()                               # what a worker would do now
assert await shop.sent_to(ANN) == ["Yes."]      # the carrier's own log: the truth
"""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from number_fixtures import BY, make_agent, make_enabled, make_team
from offhook import costs, inbox, messages, numbers, usage
from offhook.agents import Briefing, Part, Text
from offhook.carriers import (
    Account,
    Callbacks,
    Carrier,
    Carriers,
    InboundSms,
    Media,
    Place,
    Search,
    account,
)
from offhook.carriers.simulator.server import Simulator, running
from offhook.db import Database, Jobs
from offhook.inbox import Conversation, Turn
from offhook.messages import Message
from offhook.messages.manners import service
from offhook.messages.manners.rules import Manners
from offhook.messages.media.models import MessageMedia
from offhook.numbers import stopping
from offhook.phone import E164, sender
from offhook.settings import Settings
from offhook.vault import open_vault
from task_fixtures import plain_runner

ANN = "+14155550199"
BOB = "+14155550198"
_tags = itertools.count(1)


@dataclass(slots=True)
class ScriptedModel:
    """Answers what `says` makes of the briefing; waits at `gate`, if it is closed."""

    says: Callable[[Briefing], str] = lambda briefing: "Re: " + " | ".join(briefing.unanswered)
    briefings: list[Briefing] = field(default_factory=list[Briefing])
    used: Sequence[costs.Used] = ()
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def reply(self, briefing: Briefing) -> AsyncIterator[Part]:
        self.briefings.append(briefing)
        self.asked.set()
        await self.gate.wait()
        briefing.spent(self.used)
        yield Text(self.says(briefing))

    async def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class Shop:
    """One team with one enabled number at the simulated carrier."""

    database: Database
    settings: Settings
    carriers: Carriers
    simulator: Simulator
    model: ScriptedModel
    team: str
    number: str
    e164: str
    agent: str

    @property
    def carrier(self) -> Carrier:
        return self.carriers.operator

    @property
    def account(self) -> Account:
        return account(self.settings)

    def sms(
        self,
        remote: str,
        body: str,
        *,
        sid: str = "",
        to: str = "",
        media: tuple[Media, ...] = (),
        opt_out: str = "",
    ) -> InboundSms:
        return InboundSms(
            message_id=sid or f"SM{uuid.uuid4().hex}",
            account_id=self.account.sid,
            sender=sender(remote),
            to=E164(to or self.e164),
            body=body,
            segments=1,
            media=media,
            place=Place(),
            opt_out=opt_out,
        )

    async def text(self, remote: str, body: str, *, sid: str = "", to: str = "") -> str:
        """A text comes in; our id of it."""
        return await self.take(self.sms(remote, body, sid=sid, to=to))

    async def take(self, sms: InboundSms) -> str:
        message_id = await messages.receive(
            self.database, sms, account_id=self.account.sid, settle_ms=self.settings.settle_ms
        )
        assert message_id is not None
        return message_id

    def jobs(self) -> Jobs:
        jobs = Jobs(self.database)
        runner = plain_runner(self.database, self.settings)
        messages.register_jobs(
            jobs, self.settings, self.database, self.carriers, self.model, runner
        )
        return jobs

    async def work(self) -> None:
        await self.jobs().run_due()

    async def sent_to(self, remote: str, *, ours: str = "") -> list[str]:
        """What the carrier accepted from us for `remote`, by its own log."""
        return [
            entry.data["body"]
            for entry in await self.simulator.log()
            if entry.event == "message_accepted"
            and entry.data["to"] == remote
            and entry.data["from"] == (ours or self.e164)
        ]

    async def messages(self) -> list[Message]:
        async with self.database.team(self.team) as session:
            rows = await session.scalars(
                select(Message).where(Message.team_id == self.team).order_by(Message.created_at)
            )
            return list(rows)

    async def turns(self, remote: str) -> list[Turn]:
        async with self.database.team(self.team) as session:
            found = await session.scalars(
                select(Turn)
                .join(inbox.Conversation, inbox.Conversation.id == Turn.conversation_id)
                .where(
                    Turn.team_id == self.team,
                    inbox.Conversation.sender == remote,
                    inbox.Conversation.number_id == self.number,
                )
                .order_by(Turn.sequence)
            )
            return list(found)

    async def said(self, remote: str) -> list[tuple[str, str, str]]:
        """The thread as a person reads it: speaker, text, note."""
        return [(turn.speaker, turn.text, turn.note) for turn in await self.turns(remote)]

    async def limit(self, value: int | None) -> None:
        async with self.database.team(self.team) as session:
            await usage.set_limit(
                session, self.team, number_id=self.number, service=usage.Service.SMS, value=value
            )

    async def manners(self, **changes: object) -> Manners:
        """How the number texts from now on."""
        async with self.database.team(self.team) as session:
            return await service.change(session, self.team, self.number, BY, **changes)

    async def older(self, seconds: float) -> None:
        """All texts and threads are so much older than they were."""
        ago = func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        async with self.database.team(self.team) as session:
            for kind in (Message, MessageMedia):
                await session.execute(update(kind).values(created_at=kind.created_at - ago))
            opened_at = Conversation.opened_at - ago
            await session.execute(update(Conversation).values(opened_at=opened_at))

    async def cap(self, amount: str) -> None:
        """The team's spend cap."""
        async with self.database.team(self.team) as session:
            await usage.set_cap(session, self.team, usage.read_cap(amount), by="usr_a")

    async def used(self) -> tuple[int, int]:
        """Posted and held messages of this month."""
        async with self.database.team(self.team) as session:
            state = await usage.balance(
                session, self.team, number_id=self.number, service=usage.Service.SMS
            )
            return state.posted, state.pending

    async def disable(self) -> None:
        async with self.database.team(self.team) as session:
            await numbers.disable(session, self.team, self.number, BY)

    async def enable(self) -> None:
        async with self.database.team(self.team) as session:
            await numbers.enable(session, self.team, self.number, BY)

    async def second_number(self) -> tuple[str, str]:
        """Another enabled number of the team: its id and its E.164."""
        return await buy(self.database, self.carrier, self.settings, self.team, self.agent)


async def buy(
    database: Database, carrier: Carrier, settings: Settings, team: str, agent: str
) -> tuple[str, str]:
    """An enabled number that the simulated carrier knows too."""
    offers = await carrier.search(Search(sms=True, voice=True))
    callbacks = Callbacks(sms_url=f"{settings.web_url}/carriers/twilio/sms")
    held = await carrier.buy(offers[0].e164, order_tag=f"ord_{next(_tags)}", callbacks=callbacks)
    number = await make_enabled(database, team, agent)
    async with database.team(team) as session:
        await session.execute(
            update(numbers.Number)
            .where(numbers.Number.id == number)
            .values(e164=held.e164, carrier_id=held.carrier_id)
        )
    return number, held.e164


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=str(tmp_path), simulator_port=0, settle_ms=0)


@pytest.fixture
async def simulator(settings: Settings) -> AsyncIterator[Simulator]:
    async with running(settings) as simulator:
        yield simulator


@pytest.fixture
async def carriers(
    database: Database, simulator: Simulator, settings: Settings
) -> AsyncIterator[Carriers]:
    lookup = numbers.account_lookup(database, open_vault(settings))
    carriers = Carriers(settings, lookup, simulator_url=simulator.url)
    yield carriers
    await carriers.aclose()


@pytest.fixture
async def shop(
    database: Database, settings: Settings, simulator: Simulator, carriers: Carriers
) -> AsyncIterator[Shop]:
    team = await make_team(database, "Daily Bread")
    agent = await make_agent(database, team)
    number, e164 = await buy(database, carriers.operator, settings, team, agent)
    model = ScriptedModel()
    stopping.when_stopped(messages.when_number_stopped)
    yield Shop(database, settings, carriers, simulator, model, team, number, e164, agent)
    stopping.forget(messages.when_number_stopped)
