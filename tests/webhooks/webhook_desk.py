"""A team with endpoints, and a dispatcher of its own."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Protocol

from sqlalchemy import select

from offhook import teams, webhooks
from offhook.db import Database, Event, EventRow, Session, when_published, write_events
from offhook.outgoing import Outgoing, policy_of
from offhook.settings import Settings
from offhook.vault import Vault, open_vault
from offhook.webhooks import endpoints
from offhook.webhooks.dispatcher import Dispatcher
from offhook.webhooks.endpoints import Wish
from offhook.webhooks.models import Attempt, Delivery, Endpoint


class Clock(Protocol):
    """The test's clock (tests/conftest.py)."""

    def __call__(self) -> datetime: ...
    def advance(self, **amount: float) -> datetime: ...


class Baked(Event):
    """Bread is ready."""

    event: ClassVar[str] = "bread.baked"
    loaves: int = 1
    name: str = ""


@dataclass
class Desk:
    """A team, and everything that delivers its events."""

    database: Database
    settings: Settings
    vault: Vault
    outgoing: Outgoing
    dispatcher: Dispatcher
    team: str

    async def endpoint(self, url: str, **wish: object) -> tuple[Endpoint, str]:
        async with self.database.team(self.team) as session:
            return await endpoints.create(
                session,
                self.vault,
                policy_of(self.settings),
                self.team,
                "owner@example.com",
                Wish(url, **wish),  # pyright: ignore[reportArgumentType] - checked by Wish itself
            )

    async def publish(self, *events: Event) -> list[EventRow]:
        async with self.database.team(self.team) as session:
            return list(await write_events(session, events))

    async def bake(self, count: int = 1, name: str = "") -> list[EventRow]:
        return await self.publish(
            *(Baked(team_id=self.team, loaves=n, name=name) for n in range(count))
        )

    async def deliveries(self) -> list[Delivery]:
        async with self.database.team(self.team) as session:
            rows = await session.scalars(select(Delivery).order_by(Delivery.created_at))
            return list(rows)

    async def attempts(self) -> list[Attempt]:
        async with self.database.team(self.team) as session:
            return list(await session.scalars(select(Attempt).order_by(Attempt.at)))

    async def get(self, endpoint_id: str) -> Endpoint:
        async with self.database.team(self.team) as session:
            return await endpoints.get(session, self.team, endpoint_id)


async def new_team(session: Session) -> str:
    team, _ = await teams.create_team(
        session, name="Daily Bread", email="owner@example.com", password="correct horse battery"
    )
    return team.id


async def new_desk(database: Database, settings: Settings, outgoing: Outgoing) -> Desk:
    when_published(webhooks.fan_out)
    async with database.system() as session:
        team = await new_team(session)
    vault = open_vault(settings)
    dispatcher = Dispatcher(database, vault, outgoing)
    return Desk(database, settings, vault, outgoing, dispatcher, team)
