"""An installation that takes calls: a team with a live agent, an enabled number, a media process.

Everything is made by the rooms' facades, as in a real installation; only the media process is a
row that says that it is there.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Protocol

from sqlalchemy import func, select

from number_fixtures import BY, make_agent, make_enabled, make_team
from offhook import agents, billing, numbers, usage
from offhook.calls import admission, service
from offhook.calls.admission import Admitted, Verdict
from offhook.calls.models import Call, MediaNode
from offhook.calls.service import Connected
from offhook.calls.tokens import stream_token
from offhook.carriers import InboundCall, parse_inbound_call
from offhook.db import Database, EventRow, new_id, now

SECRET = b"s" * 32
CALLER = "+12025550147"
_sids = count(1)


class Clock(Protocol):
    """The test's clock."""

    instant: datetime

    def advance(self, **amount: float) -> datetime: ...


def next_sid() -> str:
    """A carrier's id of a call that was not used before."""
    return f"CA{next(_sids):032x}"


def voice_form(to: str, caller: str = CALLER, sid: str = "") -> list[tuple[str, str]]:
    """What the carrier posts when somebody calls `to`."""
    return [
        ("CallSid", sid or next_sid()),
        ("AccountSid", "AC" + "0" * 32),
        ("From", caller),
        ("To", to),
        ("CallStatus", "ringing"),
        ("Direction", "inbound"),
    ]


@dataclass(slots=True)
class Office:
    """One team's number. Every method is one committed transaction."""

    database: Database
    team_id: str
    agent_id: str
    number_id: str
    e164: str

    def rings(self, caller: str = CALLER, sid: str = "") -> InboundCall:
        return parse_inbound_call(voice_form(self.e164, caller, sid))

    async def admit(self, inbound: InboundCall | None = None, *, ready: bool = True) -> Verdict:
        async with self.database.system() as session:
            return await admission.admit(session, inbound or self.rings(), greeting_is_ready=ready)

    async def admitted(self, caller: str = CALLER, sid: str = "") -> Admitted:
        verdict = await self.admit(self.rings(caller, sid))
        assert isinstance(verdict, Admitted), verdict
        return verdict

    async def connect(self, verdict: Admitted, token: str = "") -> Connected:
        token = token or stream_token(SECRET, verdict.call_id, verdict.epoch)
        async with self.database.system() as session:
            return await service.connect(session, SECRET, verdict.call_id, token)

    async def live(self, caller: str = CALLER) -> Connected:
        """A call that is connected and whose agent has spoken."""
        connected = await self.connect(await self.admitted(caller))
        async with self.database.team(self.team_id) as session:
            await service.spoke(session, self.team_id, connected.call_id)
        return connected

    async def limit(self, minutes: int | None) -> None:
        async with self.database.team(self.team_id) as session:
            await usage.set_limit(
                session, self.team_id, number_id=self.number_id,
                service=usage.Service.CALLS, value=minutes,
            )  # fmt: skip

    async def balance(self) -> tuple[int, int]:
        """Minutes used, and minutes held."""
        async with self.database.team(self.team_id) as session:
            state = await usage.balance(
                session, self.team_id, number_id=self.number_id, service=usage.Service.CALLS
            )
        return state.posted, state.pending

    async def call(self, call_id: str) -> Call:
        async with self.database.team(self.team_id) as session:
            return await service.get(session, self.team_id, call_id)

    async def calls(self) -> list[Call]:
        async with self.database.team(self.team_id) as session:
            rows = await session.scalars(select(Call).order_by(Call.answered_at, Call.id))
            return list(rows)

    async def told(self, event: str) -> int:
        """How often an event was published."""
        async with self.database.team(self.team_id) as session:
            found = await session.scalar(
                select(func.count()).select_from(EventRow).where(EventRow.name == event)
            )
        return found or 0

    async def disable(self) -> None:
        async with self.database.team(self.team_id) as session:
            await numbers.disable(session, self.team_id, self.number_id, BY)

    async def configure(self, **changes: object) -> None:
        async with self.database.team(self.team_id) as session:
            await numbers.configure(session, self.team_id, self.number_id, BY, **changes)

    async def pause_agent(self) -> None:
        async with self.database.team(self.team_id) as session:
            await agents.pause(session, self.team_id, self.agent_id)

    async def suspend(self) -> None:
        for step in (billing.Step.CHARGE_FAILED, billing.Step.UNPAID):
            async with self.database.team(self.team_id) as session:
                await billing.change_subscription(session, self.team_id, step)


async def open_office(
    database: Database, *, lines: int = 10, team_id: str = "", e164: str = ""
) -> Office:
    """A team whose number answers; `lines` is the room of the media process, 0: there is none."""
    team_id = team_id or await make_team(database, "Bakery")
    agent_id = await make_agent(database, team_id)
    number_id = await make_enabled(database, team_id, agent_id, e164=e164)
    if lines:
        await add_node(database, lines)
    async with database.team(team_id) as session:
        number = await numbers.get(session, team_id, number_id)
    return Office(database, team_id, agent_id, number_id, number.e164)


async def add_node(database: Database, lines: int, url: str = "ws://127.0.0.1:1") -> str:
    """A media process says that it is there."""
    async with database.system() as session:
        node = MediaNode(
            id=new_id("node"), url=url, capacity=lines, heartbeat_at=await now(session)
        )
        session.add(node)
    return node.id


async def beat_nodes(database: Database) -> None:
    """Every media process says it again."""
    async with database.system() as session:
        for node in await session.scalars(select(MediaNode)):
            node.heartbeat_at = await now(session)
