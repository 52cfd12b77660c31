"""One team's number, a day of its calls and texts, and what the simulated carrier remembers."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import format_datetime
from typing import Any, Literal

from office import Clock, Office, beat_nodes, next_sid, open_office
from sqlalchemy import select

from offhook import carriers, usage
from offhook.calls import service
from offhook.calls.rules import End
from offhook.carriers import Carriers, InboundSms, Place
from offhook.carriers.simulator.records import Change, apply
from offhook.carriers.simulator.server import Simulator
from offhook.db import Database
from offhook.messages import receive
from offhook.phone import E164, sender
from offhook.reconciliation import Account, Difference, check_day
from offhook.reconciliation.models import NumberDay, ReconciledDay
from offhook.reconciliation.rules import day_of
from offhook.settings import Settings

PERSON = "+12025550147"
DAY = date(2026, 5, 14)


@dataclass
class Bureau:
    """`call` and `text` happen here and at the carrier alike; `at_carrier` changes its memory."""

    office: Office
    clock: Clock
    simulator: Simulator
    account: Account
    accounts: Carriers
    settings: Settings

    @property
    def database(self) -> Database:
        return self.office.database

    async def call(
        self,
        seconds: float,
        *,
        theirs_s: int | None = None,
        person: str = "",
        spoke: bool = True,
    ) -> str:
        """An answered call of so many seconds, and its record; the carrier's id of it."""
        began = self.clock.instant
        sid = next_sid()
        await beat_nodes(self.database)
        verdict = await self.office.admitted(person or PERSON, sid)
        connected = await self.office.connect(verdict)
        team = self.office.team_id
        self.clock.advance(seconds=seconds)
        async with self.database.team(team) as session:
            if spoke:
                await service.spoke(session, team, connected.call_id)
            await service.finish(
                session, team, connected.call_id, End.CALLER_HUNG_UP, seconds=seconds
            )
        await self.cdr(sid, round(seconds) if theirs_s is None else theirs_s, began)
        return sid

    async def cdr(self, sid: str, seconds: int, at: datetime, **more: Any) -> str:
        """The carrier's record of an inbound call to our number."""
        fields = {
            "from": PERSON,
            "to": self.office.e164,
            "status": "completed" if seconds else "busy",
            "start_time": format_datetime(at),
            "date_created": format_datetime(at),
            "duration": str(seconds) if seconds else None,
            "price": f"-{0.0085 * -(-seconds // 60):.5f}" if seconds else None,
        }
        return await self.at_carrier("call", sid, **{**fields, **more})

    async def text(self, body: str = "Hello", *, ours: bool = True) -> str:
        """An inbound text, which we hear of or not; the carrier's id of it."""
        at = self.clock.instant
        sid = await self.at_carrier(
            "message", "", to=self.office.e164, body=body, date_sent=format_datetime(at),
            date_created=format_datetime(at), price="-0.00790", **{"from": PERSON},
        )  # fmt: skip
        if ours:
            sms = InboundSms(
                sid, self.account.id, sender(PERSON), E164(self.office.e164), body, 1, (), Place()
            )  # fmt: skip
            await receive(self.database, sms, account_id=self.account.id, settle_ms=0)
        return sid

    async def at_carrier(self, kind: Literal["call", "message"], sid: str, **fields: Any) -> str:
        change = Change(kind, sid, fields)
        return await self.simulator.database.do(lambda db: apply(db, self.account.id, change))

    async def forgotten(self, kind: Literal["call", "message"], sid: str) -> None:
        def forget(db: sqlite3.Connection) -> None:
            apply(db, self.account.id, Change(kind, sid, None))

        await self.simulator.database.do(forget)

    async def check(self, day: date = DAY) -> int:
        return await check_day(self.database, self.account, day)

    async def differences(self) -> list[tuple[str, str, int]]:
        """Kind, action, and units taken back or added."""
        return [(row.kind, row.action, row.units) for row in await self.rows()]

    async def rows(self) -> list[Difference]:
        async with self.database.system() as session:
            return list(await session.scalars(select(Difference).order_by(Difference.found_at)))

    async def totals(self, day: date = DAY) -> NumberDay:
        async with self.database.system() as session:
            found = await session.get(NumberDay, (self.office.number_id, day))
        assert found is not None
        return found

    async def checked(self, day: date = DAY) -> ReconciledDay | None:
        async with self.database.system() as session:
            return await session.get(ReconciledDay, (self.account.id, day))

    async def everything(self) -> list[str]:
        """Every row that a check may touch, for comparison."""
        tables = (
            "reconciliation_differences", "reconciliation_totals", "usage_entries",
            "usage_counters", "usage_calls", "messages",
        )  # fmt: skip
        rows: list[str] = []
        async with self.database.system() as session:
            connection = await session.connection()
            for table in tables:
                found = await connection.exec_driver_sql(
                    f"SELECT row_to_json(t)::text FROM {table} AS t ORDER BY 1"  # noqa: S608
                )
                rows += [row[0] for row in found]
        return rows

    async def sound(self) -> None:
        async with self.database.system() as session:
            assert not list(await usage.audit(session))


@asynccontextmanager
async def open_bureau(
    database: Database, clock: Clock, simulator: Simulator, settings: Settings
) -> AsyncGenerator[Bureau]:
    office = await open_office(database, lines=50)
    accounts = Carriers(settings, simulator_url=simulator.url)
    account = Account(carriers.account(settings).sid, accounts.operator, settle_ms=0)
    bureau = Bureau(office, clock, simulator, account, accounts, settings)
    assert day_of(clock.instant) == DAY
    yield bureau
    await accounts.aclose()
    await bureau.sound()
