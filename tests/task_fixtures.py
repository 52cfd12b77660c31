"""A team with an agent, a real server that is asked, and the toolbox of a conversation."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import text

from offhook import tasks
from offhook.db import Database, Session
from offhook.mail import open_mailer
from offhook.outgoing import Outgoing
from offhook.settings import Settings
from offhook.tasks.box import ConversationTools
from offhook.teams.models import Team
from offhook.vault import open_vault

AGENT = "agt_desk"
CALLER = "+16502530000"


@dataclass(slots=True)
class Request:
    method: str
    target: str
    headers: dict[str, str]
    body: str

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "")


Answer = Callable[[Request], Awaitable[tuple[int, str]]]


async def fine(_: Request) -> tuple[int, str]:
    return 200, '{"order": {"status": "on its way"}}'


@dataclass(slots=True)
class Receiver:
    """Another system on loopback. `effects`: what a receiver that honours the key did, by key."""

    port: int = 0
    requests: list[Request] = field(default_factory=list[Request])
    effects: dict[str, int] = field(default_factory=dict[str, int])
    answer: Answer = fine

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            method, target, _ = first.split(" ", 2)
            headers = {
                name.casefold(): value.strip()
                for name, _, value in (line.partition(":") for line in lines)
            }
            body = (await reader.readexactly(int(headers.get("content-length", "0")))).decode()
            request = Request(method, target, headers, body)
            self.requests.append(request)
            self.effects[request.key] = 1
            status, text = await self.answer(request)
            octets = text.encode()
            writer.write(
                f"HTTP/1.1 {status} .\r\ncontent-type: application/json\r\n"
                f"content-length: {len(octets)}\r\n\r\n".encode()
                + octets
            )
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    listening = await asyncio.start_server(found.connected, "127.0.0.1", 0)
    async with listening:
        found.port = listening.sockets[0].getsockname()[1]
        yield found


@pytest.fixture
def task_settings(receiver: Receiver, tmp_path: Path) -> Settings:
    return Settings(
        home=str(tmp_path),
        outgoing_http=True,
        outgoing_ports=[receiver.port],
        outgoing_private_networks=["127.0.0.0/8"],
    )


@pytest.fixture
async def runner(database: Database, task_settings: Settings) -> AsyncIterator[tasks.Runner]:
    for kind in tasks.BUILT_IN:
        tasks.register(kind)
    async with Outgoing(task_settings) as outgoing:
        runner = tasks.Runner(means(database, task_settings, outgoing))
        yield runner
        await runner.close()


def means(database: Database, settings: Settings, outgoing: Outgoing) -> tasks.Means:
    return tasks.Means(database, open_vault(settings), outgoing, open_mailer(settings))


def plain_runner(database: Database, settings: Settings) -> tasks.Runner:
    """For conversations that are no tests of tasks; nothing outside is reached."""
    return tasks.Runner(means(database, settings, Outgoing(settings)))


async def new_team(database: Database) -> str:
    async with database.system() as session:
        team = Team(name="Harbour Street", created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        return team.id


@pytest.fixture
async def team_id(database: Database) -> str:
    return await new_team(database)


@dataclass(slots=True)
class Talk:
    """A conversation as its room holds it: what was said, and a toolbox for each reply."""

    runner: tasks.Runner
    scope: tasks.Scope
    turns: list[tasks.Turn] = field(default_factory=list[tasks.Turn])

    def caller(self, text: str) -> None:
        self._say(text, by_caller=True)

    def agent(self, text: str) -> None:
        self._say(text, by_caller=False)

    def _say(self, text: str, *, by_caller: bool) -> None:
        self.turns.append(tasks.Turn(len(self.turns), by_caller, text))

    async def box(self) -> ConversationTools:
        return await tasks.open_toolbox(self.runner, self.scope, list(self.turns))

    async def propose(self, task: str, **inputs: Any) -> tasks.Step:
        return await (await self.box()).propose(task, inputs)

    async def confirm(self) -> tasks.Step:
        return await (await self.box()).confirm()

    async def do(self, task: str, **inputs: Any) -> tasks.Step:
        """Propose, read back, hear a yes, confirm."""
        step = await self.propose(task, **inputs)
        assert isinstance(step, tasks.Unconfirmed), step
        self.agent(step.readback)
        self.caller("Yes, please.")
        return await self.confirm()

    async def runs(self) -> Sequence[tasks.TaskRun]:
        async with self.runner.database.team(self.scope.team_id) as session:
            return await tasks.runs_of(session, self.scope.team_id, [self.scope.conversation_id])


@pytest.fixture
def talk(runner: tasks.Runner, team_id: str) -> Talk:
    scope = tasks.Scope(team_id, AGENT, "cnv_1", tasks.CALL, "num_1", "con_1", caller=CALLER)
    talk = Talk(runner, scope)
    talk.caller("Hello, can you help me?")
    return talk


def other(talk: Talk, **changes: Any) -> Talk:
    """Another conversation of the same team."""
    found = Talk(talk.runner, replace(talk.scope, **changes))
    found.caller("Hello.")
    return found


ORDER_INPUT = {"name": "order", "type": "integer", "question": "What is the order's number?"}
PARTY = [
    {"name": "party", "type": "integer", "minimum": 1, "maximum": 20},
    {"name": "day", "type": "date", "question": "For which day?"},
    {"name": "note", "type": "text", "required": False},
]


async def new_task(
    database: Database,
    team_id: str,
    config: Mapping[str, Any],
    *,
    title: str = "Book a table",
    inputs: Sequence[Mapping[str, Any]] = PARTY,
    kind: str = "http",
    agent_id: str = AGENT,
    channels: Sequence[str] = (tasks.CALL, tasks.SMS),
    **fields: Any,
) -> tasks.Task:
    async with database.team(team_id) as session:
        task = await tasks.create(
            session, team_id, kind=kind, title=title, config=config, inputs=inputs, **fields
        )
        await tasks.use(session, team_id, task.id, agent_id, channels)
        return task


def booking(receiver: Receiver, **changes: Any) -> dict[str, Any]:
    """The settings of a request that books."""
    return {
        "method": "POST",
        "url": f"{receiver.url}/bookings",
        "body": {"people": "{{party}}", "on": "{{day}}", "note": "Note: {{note}}"},
        "answer": "It is booked: {{answer.order.status}}.",
        **changes,
    }


def sent(request: Request) -> Any:
    return json.loads(request.body)


CREATE_EFFECTS = "CREATE TABLE effects (run_id text)"


class Nothing(BaseModel):
    """No settings."""


async def _write(session: Session, order: tasks.Order) -> tasks.Outcome:
    await session.execute(text("INSERT INTO effects VALUES (:id)"), {"id": order.run_id})
    return tasks.Done("Written.")


EFFECT_KIND = tasks.Kind(
    name="effect",
    title="A row",
    description="Its effect is a row, written in the run's own transaction.",
    icon="pencil",
    config=Nothing,
    effect=lambda _: tasks.Effect.ACT,
    inside=_write,
)
