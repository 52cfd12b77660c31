"""Trying a draft out by text: its tasks are shown or done, and nothing of it is kept."""

from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest
from sqlalchemy import func, select

from offhook import agents, inbox, messages, tasks
from offhook.contacts.models import Contact
from offhook.db import Database, EventRow
from offhook.inbox.models import Conversation
from offhook.settings import Settings
from offhook.tasks.models import TaskRun
from offhook.teams.models import Role
from task_fixtures import (
    ORDER_INPUT,
    Receiver,
    booking,
    new_task,
    receiver,
    runner,
    sent,
    task_settings,
)
from web_fixtures import Person, Site, new_app, new_member

__all__ = ["receiver", "runner", "task_settings"]
HTMX = {"HX-Request": "true"}
PARTY = [
    {"name": "party", "type": "integer", "question": "For how many people?"},
    {"name": "name", "type": "text", "question": "What name shall I put it under?"},
]


@pytest.fixture
async def site(settings: Settings, database: Database, runner: tasks.Runner) -> Site:
    for kind in (messages.text_kind(lambda: "AC1"), *inbox.KINDS):
        tasks.register(kind)
    app = new_app(settings, database)
    app.state.tasks = runner
    return Site(app, database)


@pytest.fixture
async def program(site: Site, owner: Person) -> AsyncIterator[httpx.AsyncClient]:
    async with site.program(await site.key(owner)) as program:
        yield program


@pytest.fixture
async def agent_id(database: Database, owner: Person, receiver: Receiver) -> str:
    """A draft that looks orders up, books tables and texts the menu."""
    async with database.team(owner.team_id) as session:
        agent = await agents.create(session, owner.team_id, "Front desk")
    look_up = {
        "method": "GET",
        "url": f"{receiver.url}/orders/{{{{order}}}}",
        "answer": "Your order is {{answer.order.status}}.",
    }
    books = booking(receiver, body={"people": "{{party}}", "for": "{{name}}"}, answer="Booked.")
    texts = {"text": "Our menu: https://example.com/menu"}
    for title, kind, config, inputs, phrases in (
        ("Order status", "http", look_up, [ORDER_INPUT], ["where is my order"]),
        ("Book a table", "http", books, PARTY, ["book a table"]),
        ("Text the menu", "text", texts, [], ["text me the menu"]),
    ):
        await new_task(
            database, owner.team_id, config, title=title, kind=kind, inputs=inputs,
            agent_id=agent.id, phrases=phrases,
        )  # fmt: skip
    return agent.id


class Texter:
    """Somebody who texts the draft, over REST."""

    def __init__(self, program: httpx.AsyncClient, agent_id: str, *, real: bool = False) -> None:
        self._program = program
        self._url = f"/api/v1/agents/{agent_id}/try"
        self._real = real
        self._state = ""

    async def says(self, text: str) -> dict[str, object]:
        body = {"text": text, "state": self._state, "real": self._real}
        answer = await self._program.post(self._url, json=body)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        self._state = told.pop("state")
        return told


async def test_an_effect_is_shown_and_a_look_up_is_done(
    program: httpx.AsyncClient, agent_id: str, receiver: Receiver, database: Database, owner: Person
) -> None:
    texter = Texter(program, agent_id)
    asked = await texter.says("Where is my order 17?")
    assert asked["reply"] == "Your order is on its way."
    assert [request.target for request in receiver.requests] == ["/orders/17"]
    readback = await texter.says("Please book a table for four under the name Ann Lee")
    assert "Party: 4" in str(readback["reply"])
    assert readback["tasks"] == []
    shown = await texter.says("Yes, please")
    assert "In this rehearsal I only show" in str(shown["reply"])
    [task] = shown["tasks"]  # type: ignore[misc]
    assert (task["title"], task["state"], task["done"]) == ("Book a table", "completed", False)
    assert '"people": 4' in task["request"]["body"]
    assert task["request"]["method"] == "POST"
    assert len(receiver.requests) == 1
    again = await texter.says("Please book a table for four under the name Ann Lee")
    assert str(again["reply"]).startswith("I did that already")
    async with database.team(owner.team_id) as session:
        for table in (TaskRun, Conversation, Contact):
            assert await session.scalar(select(func.count()).select_from(table)) == 0
        events = await session.scalars(select(EventRow.name))
        assert not [each for each in events if each.startswith(("task.", "conversation."))]


async def test_asked_to_it_does_its_tasks_really_but_none_within_a_conversation(
    program: httpx.AsyncClient, agent_id: str, receiver: Receiver
) -> None:
    texter = Texter(program, agent_id, real=True)
    await texter.says("Please book a table for four under the name Ann Lee")
    done = await texter.says("Yes")
    assert str(done["reply"]).startswith("Booked.")
    [task] = done["tasks"]  # type: ignore[misc]
    assert task["done"]
    assert [sent(request) for request in receiver.requests] == [{"people": 4, "for": "Ann Lee"}]
    await texter.says("Text me the menu")
    texted = await texter.says("Yes")
    [text] = texted["tasks"]  # type: ignore[misc]
    assert not text["done"]
    assert text["request"] == {"to": "+12025550100", "text": "Our menu: https://example.com/menu"}


async def test_without_a_heard_yes_nothing_is_shown_as_done_and_rubbish_begins_anew(
    program: httpx.AsyncClient, agent_id: str
) -> None:
    texter = Texter(program, agent_id)
    await texter.says("Please book a table for four under the name Ann Lee")
    assert (await texter.says("Yes, but for six people"))["tasks"] == []
    answer = await program.post(
        f"/api/v1/agents/{agent_id}/try", json={"text": "Yes", "state": '{"turns": 7}'}
    )
    assert answer.json()["tasks"] == []


async def test_the_page_shows_what_would_go_out_and_only_admins_may_do_it(
    site: Site, owner: Person, agent_id: str, database: Database, receiver: Receiver
) -> None:
    member = await new_member(database, owner.team_id, Role.MEMBER)
    here = f"/agents/{agent_id}/try"
    async with site.client(member) as client:
        assert "Really do its tasks" not in (await client.get(f"/agents/{agent_id}")).text
        refused = await client.post(here, data={"text": "Hi", "real": "true"}, headers=HTMX)
        assert refused.status_code == 403
    async with site.client(owner) as client:
        assert "Really do its tasks" in (await client.get(f"/agents/{agent_id}")).text
        state = ""
        for text in ("Please book a table for four under the name Ann Lee", "Yes"):
            page = await client.post(here, data={"text": text, "state": state}, headers=HTMX)
            state = unescape(page.text.split('name="state" value="')[1].split('"')[0])
        assert "Only shown" in page.text
        assert "/bookings" in page.text
        anew = await client.post(here, headers=HTMX)
        assert "Only shown" not in anew.text
    assert receiver.requests == []
