"""Talking to a draft: the real engine, socket, brain and tasks; nothing of it is kept."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from sounds import silence, speech
from sqlalchemy import func, select
from stage import HURRIED_MS, SECRET, ScriptedRecogniser, ToneSynthesiser
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from offhook import agents, knowledge, tasks
from offhook.agents.offline import OfflineBrain
from offhook.calls.models import Call
from offhook.calls.node import Node
from offhook.calls.parts import Parts
from offhook.calls.rehearsing import tickets
from offhook.calls.rehearsing.script import Script
from offhook.calls.rehearsing.tickets import TICKET_S, Ticket
from offhook.carriers import Carriers, streams
from offhook.contacts.models import Contact
from offhook.db import Database
from offhook.inbox import Conversation
from offhook.settings import Settings
from offhook.speech import VoiceCache
from offhook.tasks.models import TaskRun
from task_fixtures import Receiver, booking, new_task, receiver, runner, task_settings, team_id

__all__ = ["receiver", "runner", "task_settings", "team_id"]
FRAME = 160
WITHIN_S = 40
PARTY = [{"name": "party", "type": "integer", "question": "For how many people?"}]
ASKED = "Are you open on Sunday morning?"
BOOKED = "Please book a table for four people."
YES = "Yes, that is right."
TICKET = Ticket("reh_1", "team_1", "agt_1", "UTC", "US", real=False, expires_s=TICKET_S)


class Page:
    """A browser that talks to a draft: it plays in real time, and gives marks back as it does."""

    def __init__(self, url: str, ticket: Ticket) -> None:
        self.told: list[dict[str, Any]] = []
        self.sound_ms = 0
        self._says = b""
        self._plays_until = 0.0
        self.task = asyncio.create_task(self._run(url, ticket))

    def say(self, text: str) -> None:
        self._says += speech(text) + silence(200)

    def turns(self, speaker: str) -> list[str]:
        """The last form of each of their turns."""
        theirs = [each for each in self.of("turn") if each["speaker"] == speaker]
        return list({each["id"]: each["text"] for each in theirs}.values())

    def of(self, event: str) -> list[dict[str, Any]]:
        return [each for each in self.told if each["event"] == event]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not condition():
                assert not self.task.done(), self.told
                await asyncio.sleep(0.02)

    async def silent(self) -> None:
        """Until what the agent says has sounded."""
        await self.until(lambda: time.monotonic() > self._plays_until + 0.3)

    async def _run(self, url: str, ticket: Ticket) -> None:
        async with connect(f"{url}/stream") as socket:
            start = streams.Start("s", "c", "a", ticket.fields(SECRET))
            await socket.send(streams.dump(start))
            talking = asyncio.create_task(self._talk(socket))
            try:
                async for message in socket:
                    self._take(socket, json.loads(message))
            finally:
                talking.cancel()

    async def _talk(self, socket: ClientConnection) -> None:
        due = time.monotonic()
        while True:
            frame, self._says = self._says[:FRAME] or silence(20), self._says[FRAME:]
            payload = base64.b64encode(frame.ljust(FRAME, b"\xff")).decode()
            await socket.send(
                json.dumps({"event": "media", "streamSid": "s", "media": {"payload": payload}})
            )
            due += 0.02
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _take(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        now = time.monotonic()
        match message["event"]:
            case "media":
                length = len(base64.b64decode(message["media"]["payload"])) / 8000
                self._plays_until = max(now, self._plays_until) + length
                self.sound_ms += round(length * 1000)
            case "mark":
                wait = max(0.0, self._plays_until - now)
                asyncio.get_running_loop().call_later(
                    wait, lambda: asyncio.ensure_future(_mark(socket, message["mark"]["name"]))
                )
            case "clear":
                self._plays_until = now
            case _:
                self.told.append(message)


async def _mark(socket: ClientConnection, name: str) -> None:
    mark = {"event": "mark", "streamSid": "s", "mark": {"name": name}}
    try:
        await socket.send(json.dumps(mark))
    except ConnectionClosed:
        return


@asynccontextmanager
async def node(
    database: Database, folder: Path, runner: tasks.Runner, *words: str
) -> AsyncGenerator[Node]:
    """A media process but for its vendors of speech."""
    settings = Settings(home=str(folder), media_port=0)
    synthesiser = ToneSynthesiser(ms_per_word=HURRIED_MS)
    running = Node(
        Parts(
            settings=settings,
            secret=SECRET,
            database=database,
            carriers=cast("Carriers", None),  # a rehearsal has none
            brain=OfflineBrain(),
            recogniser=ScriptedRecogniser(*words),
            synthesiser=synthesiser,
            voices=VoiceCache(synthesiser, folder / "voice"),
            runner=runner,
        )
    )
    stopping = asyncio.Event()
    task = asyncio.create_task(running.run(stopping))
    await running.up.wait()
    try:
        yield running
    finally:
        stopping.set()
        async with asyncio.timeout(30):
            await task


@pytest.fixture
async def ticket(database: Database, team_id: str, receiver: Receiver) -> Ticket:
    """A draft that knows its hours and books tables."""
    async with database.team(team_id) as session:
        agent = await agents.create(session, team_id, "Desk", greeting="Hello, the bakery.")
        hours = "We are open on Sunday from eight to twelve."
        await knowledge.add_text(session, team_id, "Hours", hours, [agent.id])
    config = booking(receiver, body={"people": "{{party}}"}, answer="Booked.")
    await new_task(
        database, team_id, config, title="Book a table", inputs=PARTY, agent_id=agent.id,
        phrases=["book a table"],
    )  # fmt: skip
    expires_s = int(time.time()) + TICKET_S
    return Ticket("reh_1", team_id, agent.id, "UTC", "US", real=False, expires_s=expires_s)


async def test_a_draft_answers_by_voice_shows_its_task_and_leaves_nothing(
    database: Database, tmp_path: Path, runner: tasks.Runner, receiver: Receiver, ticket: Ticket
) -> None:
    async with node(database, tmp_path, runner, ASKED, BOOKED, YES) as process:
        page = Page(process.url, ticket)
        await page.until(lambda: page.turns("agent") == ["Hello, the bakery."])
        await page.silent()
        page.say(ASKED)
        await page.until(lambda: any("eight to twelve" in each for each in page.turns("agent")))
        await page.until(lambda: any(each.get("citations") for each in page.of("turn")))
        await page.silent()
        page.say(BOOKED)
        await page.until(lambda: any("Party: 4" in each for each in page.turns("agent")))
        await page.silent()
        page.say(YES)
        await page.until(lambda: page.of("task"))
        await page.until(lambda: any("In this rehearsal" in each for each in page.turns("agent")))
        assert page.turns("caller") == [ASKED, BOOKED, YES]
        [task] = page.of("task")
        assert (task["title"], task["state"], task["done"]) == ("Book a table", "completed", False)
        assert '"people": 4' in json.loads(task["request"])["body"]
        assert {each["text"] for each in page.of("words") if each["speaker"] == "caller"} > {ASKED}
        page.task.cancel()
    assert receiver.requests == []
    async with database.system() as session:
        for table in (Call, Conversation, Contact, TaskRun):
            assert await session.scalar(select(func.count()).select_from(table)) == 0


async def test_without_its_ticket_nobody_rehearses(
    database: Database, tmp_path: Path, runner: tasks.Runner, ticket: Ticket
) -> None:
    async with node(database, tmp_path, runner) as process:
        for wrong in (
            replace(ticket, expires_s=ticket.expires_s - 2 * TICKET_S),
            replace(ticket, team_id="team_other"),
        ):
            page = Page(process.url, wrong)
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(page.task, 30)
            assert page.told == []
            assert page.sound_ms == 0


def test_a_ticket_is_bound_to_all_that_it_says() -> None:
    fields = TICKET.fields(SECRET)
    assert tickets.read(SECRET, fields, now_s=0) == TICKET
    assert tickets.read(SECRET, fields, now_s=TICKET_S + 1) is None
    assert tickets.read(b"x" * 32, fields, now_s=0) is None
    for name in fields:
        altered = fields | {name: "True" if fields[name] == "False" else fields[name] + "1"}
        assert tickets.read(SECRET, altered, now_s=0) is None, name
        less = {key: value for key, value in fields.items() if key != name}
        assert tickets.read(SECRET, less, now_s=0) is None


def test_what_was_heard_in_pieces_is_one_turn() -> None:
    told: list[Any] = []
    script = Script(told.append)
    script.agent("Hello.")
    script.agent("How can I")
    script.agent("", interrupted=True)
    script.caller("Stop.")
    script.agent("Fine.")
    assert [said.text for said in script.said] == ["Hello. How can I", "Stop.", "Fine."]
    assert [each["id"] for each in told] == [1, 1, 2, 3]
