"""A team's desk: every use of the ledger is one committed transaction."""

from collections import Counter as Tally
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import select

from offhook import usage
from offhook.db import Database, EventRow
from offhook.teams.models import Team
from offhook.teams.service import change_team
from offhook.usage import Balance, Denied, Direction, Granted, Service, Settlement


class Clock(Protocol):
    instant: datetime

    def __call__(self) -> datetime: ...


@dataclass
class Desk:
    """One team; every method is one committed transaction."""

    database: Database
    team: str

    async def number(self, name: str, *, calls: int | None = None, sms: int | None = None) -> str:
        async with self.database.team(self.team) as session:
            await usage.open_meter(
                session,
                self.team,
                number_id=name,
                carrier="simulator",
                country="US",
                number_type="local",
            )
        await self.limit(name, Service.CALLS, calls)
        await self.limit(name, Service.SMS, sms)
        return name

    async def limit(self, number: str, service: Service, value: int | None) -> None:
        async with self.database.team(self.team) as session:
            await usage.set_limit(
                session, self.team, number_id=number, service=service, value=value
            )

    async def reserve(
        self, number: str, call: str, index: int = 0, starts_at: datetime | None = None
    ) -> Granted | Denied:
        async with self.database.team(self.team) as session:
            return await usage.reserve_minute(
                session,
                self.team,
                number_id=number,
                call_id=call,
                index=index,
                starts_at=starts_at,
            )

    async def settle(
        self, call: str, seconds: float, answered_at: datetime | None = None
    ) -> Settlement:
        async with self.database.team(self.team) as session:
            return await usage.settle_call(
                session, self.team, call_id=call, seconds=seconds, answered_at=answered_at
            )

    async def void(self, call: str) -> Settlement:
        async with self.database.team(self.team) as session:
            return await usage.void_call(session, self.team, call_id=call)

    async def heartbeat(self, *calls: str) -> frozenset[str]:
        async with self.database.team(self.team) as session:
            return await usage.heartbeat(session, self.team, *calls)

    async def sweep(self) -> list[usage.Lost]:
        async with self.database.system() as session:
            return await usage.settle_stale(session)

    async def take(
        self, number: str, message: str, direction: Direction = Direction.INBOUND
    ) -> Granted | Denied:
        async with self.database.team(self.team) as session:
            return await usage.take_message(
                session, self.team, number_id=number, message_id=message, direction=direction
            )

    async def post(self, message: str) -> None:
        async with self.database.team(self.team) as session:
            await usage.post_message(session, self.team, message_id=message)

    async def give_back(self, message: str) -> None:
        async with self.database.team(self.team) as session:
            await usage.give_back_message(session, self.team, message_id=message, reason="failed")

    async def balance(self, number: str, service: Service = Service.CALLS) -> Balance:
        async with self.database.team(self.team) as session:
            return await usage.balance(session, self.team, number_id=number, service=service)

    async def call(self, number: str, call: str, seconds: float) -> bool:
        """One call from answer to hang-up; whether it was answered."""
        if isinstance(await self.reserve(number, call), Denied):
            return False
        for index in range(1, usage.started_minutes(seconds)):
            if isinstance(await self.reserve(number, call, index), Denied):
                seconds = 60 * index - 2
                break
        await self.settle(call, seconds)
        return True

    async def announced(self) -> Tally[str]:
        """How often each event was published."""
        async with self.database.team(self.team) as session:
            names = await session.scalars(
                select(EventRow.name).where(EventRow.team_id == self.team)
            )
            return Tally(names.all())

    async def zone(self, zone: str, at: datetime) -> None:
        """A new zone, whose months begin when the one that runs at `at` has ended (UP2)."""
        async with self.database.team(self.team) as session:
            await usage.period_at(session, self.team, at)
            await change_team(session, self.team, timezone=zone)

    async def shown(self) -> "Shown":
        """The running month as pages show it."""
        async with self.database.team(self.team) as session:
            month = await usage.month_to_date(session, self.team)
        used = dict.fromkeys(Service, 0)
        for use in month.numbers:
            used[use.service] += use.used
        free = {service: dict(month.pools[service].by_number) for service in Service}
        return Shown(free, used, month.charged.micros)

    async def audit(self) -> list[object]:
        async with self.database.system() as session:
            return [*await usage.audit(session)]


@dataclass(frozen=True)
class Shown:
    """A month: free units by number, used ones, and the charges in micros."""

    free: dict[Service, dict[str, int]]
    used: dict[Service, int]
    charged: int


async def hire(database: Database, zone: str = "UTC") -> Desk:
    async with database.system() as session:
        team = Team(name="Daily Bread", timezone=zone, created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        return Desk(database, team.id)
