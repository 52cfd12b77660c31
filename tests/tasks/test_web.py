"""REST and pages of tasks: roles, other teams, secrets that are never shown, the test button."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from offhook import inbox, messages, tasks
from offhook.db import Database
from offhook.settings import Settings
from offhook.tasks import secret_store, service
from offhook.vault import open_vault
from task_fixtures import ORDER_INPUT, PARTY, Receiver, Talk, booking
from web_fixtures import Person, Site, new_app, new_member, new_owner

SECRET = "a-very-secret-key"


@pytest.fixture
async def site(
    settings: Settings, database: Database, runner: tasks.Runner, task_settings: Settings
) -> Site:
    for kind in (messages.text_kind(lambda: "AC1"), *inbox.KINDS):
        tasks.register(kind)
    app = new_app(settings, database)
    app.state.tasks = runner
    app.state.vault = open_vault(task_settings)
    return Site(app, database)


@pytest.fixture
async def program(site: Site, owner: Person) -> AsyncIterator[httpx.AsyncClient]:
    async with site.program(await site.key(owner)) as program:
        yield program


def order_status(receiver: Receiver) -> dict[str, object]:
    return {
        "kind": "http",
        "title": "Order status",
        "inputs": [ORDER_INPUT],
        "config": {
            "method": "GET",
            "url": f"{receiver.url}/orders/{{{{order}}}}",
            "headers": [{"name": "Authorization", "value": "Bearer {{secret:SHOP}}"}],
            "answer": "It is {{answer.order.status}}.",
        },
    }


async def test_a_task_is_made_changed_tried_and_deleted(
    program: httpx.AsyncClient, receiver: Receiver, database: Database, owner: Person
) -> None:
    made = await program.post("/api/v1/tasks", json=order_status(receiver))
    assert made.status_code == 201, made.text
    task = made.json()
    assert (task["name"], task["effect"], task["confirm"]) == ("order_status", "read", False)
    path = f"/api/v1/tasks/{task['id']}"
    missing = await program.post(f"{path}/try", json={"inputs": {"order": 7}})
    assert missing.status_code == 404
    assert "SHOP" in missing.json()["detail"]
    kept = await program.put("/api/v1/secrets", json={"name": "SHOP", "value": SECRET})
    assert kept.status_code == 200
    assert SECRET not in kept.text
    shown = (await program.post(f"{path}/try", json={"inputs": {"order": 7}})).json()
    assert shown["request"]["url"].endswith("/orders/7")
    assert shown["request"]["headers"]["Authorization"] == "Bearer ••••"
    assert receiver.requests == []
    tried = (await program.post(f"{path}/try", json={"inputs": {"order": 7}, "send": True})).json()
    assert tried["completed"]
    assert tried["answer"] == "It is on its way."
    assert receiver.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    assert (await program.post(f"{path}/try", json={"inputs": {}})).json()["problems"]
    changed = await program.patch(path, json={"timeout_s": 30, "max_runs": 5})
    assert (changed.json()["timeout_s"], changed.json()["max_runs"]) == (30, 5)
    used = await program.put(f"{path}/agents/agt_1", json={"channels": ["call"]})
    assert used.status_code == 204
    assert (await program.get(path)).json()["agents"] == [
        {"agent_id": "agt_1", "channels": ["call"]}
    ]
    assert (await program.delete(path)).status_code == 204
    assert (await program.get(path)).status_code == 404
    async with database.system() as session:
        sealed = await session.scalar(text("SELECT value FROM team_secrets"))
    assert SECRET not in str(sealed)


async def test_every_mistake_is_named_at_once(
    program: httpx.AsyncClient, receiver: Receiver
) -> None:
    wrong = order_status(receiver) | {
        "title": " ",
        "name": "Not A Slug",
        "readback": "For {{nobody}}?",
        "personal": True,
        "config": {"url": "https://{{order}}/", "method": "GET"},
        "inputs": [{"name": "9", "type": "text"}, {"name": "size", "type": "choice"}],
    }
    refused = await program.post("/api/v1/tasks", json=wrong)
    assert refused.status_code == 422
    fields = {each["field"] for each in refused.json()["errors"]}
    assert fields == {"title", "name", "config.url", "inputs.0", "inputs.1"}


@pytest.mark.parametrize("scope", [("read",), None])
async def test_others_change_and_see_nothing(
    site: Site, database: Database, owner: Person, receiver: Receiver, scope: tuple[str, ...] | None
) -> None:
    async with site.program(await site.key(owner)) as program:
        task = (await program.post("/api/v1/tasks", json=order_status(receiver))).json()
        secret = (
            await program.put("/api/v1/secrets", json={"name": "KEY", "value": SECRET})
        ).json()
    stranger = await new_owner(database, "Others") if scope is None else owner
    key = await site.key(stranger, scope or ("read", "write"))
    path = f"/api/v1/tasks/{task['id']}"
    expected = {404} if scope is None else {403}
    async with site.program(key) as program:
        answers = [
            await program.patch(path, json={"title": "Mine"}),
            await program.delete(path),
            await program.post(f"{path}/try", json={"send": True}),
            await program.put(f"{path}/agents/agt_1", json={"channels": ["call"]}),
            await program.delete(f"/api/v1/secrets/{secret['id']}"),
        ]
        assert {each.status_code for each in answers} == expected
        if scope is None:
            assert (await program.get(path)).status_code == 404
            assert (await program.get("/api/v1/tasks")).json()["items"] == []
            assert (await program.get("/api/v1/secrets")).json() == []
    assert receiver.requests == []


async def test_a_member_may_look_and_not_change(
    site: Site, database: Database, owner: Person, receiver: Receiver
) -> None:
    async with site.program(await site.key(owner)) as program:
        task = (await program.post("/api/v1/tasks", json=order_status(receiver))).json()
    member = await new_member(database, owner.team_id)
    async with site.client(member) as client:
        assert (await client.get(f"/tasks/{task['id']}")).status_code == 200
        assert (await client.get("/tasks/secrets")).status_code == 403
        saved = await client.post(f"/tasks/{task['id']}", data={"title": "Mine"})
        assert saved.status_code == 403


FORM = {
    "kind": "http",
    "title": "Book a table",
    "config.method": "POST",
    "config.headers": "Authorization: Bearer {{secret:SHOP}}\nX-Party: {{party}}",
    "config.query": "day={{day}}",
    "config.body": '{"people": "{{party}}", "deep": {"day": "{{day}}"}}',
    "phrases": "book a table\n\nreserve",
    "timeout_s": "10",
    "max_runs": "2",
    "input_name": ["party", "day", ""],
    "input_type": ["integer", "date", "text"],
    "input_need": ["required", "optional", "required"],
    "input_question": ["For how many?", "", ""],
    "input_choices": ["", "", ""],
    "input_minimum": ["1", "", ""],
    "input_maximum": ["12", "", ""],
}


async def test_the_page_makes_and_shows_the_same_task(
    client: httpx.AsyncClient, program: httpx.AsyncClient, receiver: Receiver
) -> None:
    form = FORM | {"config.url": f"{receiver.url}/tables"}
    made = await client.post("/tasks", data=form)
    assert made.status_code in {200, 204, 303}, made.text
    (task,) = (await program.get("/api/v1/tasks")).json()["items"]
    assert task["config"]["body"] == {"people": "{{party}}", "deep": {"day": "{{day}}"}}
    assert [each["name"] for each in task["config"]["headers"]] == ["Authorization", "X-Party"]
    assert task["config"]["query"] == [{"name": "day", "value": "{{day}}"}]
    assert [(each["name"], each["required"], each["maximum"]) for each in task["inputs"]] == [
        ("party", True, 12),
        ("day", False, None),
    ]
    assert task["phrases"] == ["book a table", "reserve"]
    page = await client.get(f"/tasks/{task['id']}")
    assert page.status_code == 200
    for shown in ("For how many?", "X-Party: {{party}}", "day={{day}}", "book a table"):
        assert shown in page.text
    wrong = await client.post(f"/tasks/{task['id']}", data=form | {"config.body": "{people: 4}"})
    assert wrong.status_code == 422
    assert "no JSON" in wrong.text


@pytest.mark.parametrize(
    ("kind", "fields", "config"),
    [
        (
            "email",
            {"config.to": "desk@example.com", "config.subject": "Hi", "config.text": "Yes"},
            {"to": "desk@example.com"},
        ),
        ("text", {"config.text": "See https://example.com"}, {"answer": "I have sent you a text."}),
        ("note", {"config.text": "Wants a call back"}, {"text": "Wants a call back"}),
        ("label", {"config.labels": "order\ncomplaint"}, {"labels": ["order", "complaint"]}),
    ],
)
async def test_every_kind_has_a_page_made_of_its_settings(
    client: httpx.AsyncClient,
    program: httpx.AsyncClient,
    kind: str,
    fields: dict[str, str],
    config: dict[str, object],
) -> None:
    empty = await client.get(f"/tasks/add?kind={kind}")
    assert empty.status_code == 200
    assert all(f'name="{name}"' in empty.text for name in fields)
    common = {"kind": kind, "title": f"A {kind}", "timeout_s": "15", "max_runs": "3"}
    await client.post("/tasks", data=common | fields)
    (task,) = (await program.get("/api/v1/tasks")).json()["items"]
    assert config.items() <= task["config"].items()
    assert (await client.get(f"/tasks/{task['id']}")).status_code == 200


async def test_an_agents_tasks_are_chosen_by_channel(
    client: httpx.AsyncClient, program: httpx.AsyncClient, receiver: Receiver
) -> None:
    task = (await program.post("/api/v1/tasks", json=order_status(receiver))).json()
    agent = (await program.post("/api/v1/agents", json={"name": "Desk"})).json()
    path = f"/fragments/agent-tasks/{agent['id']}"
    await client.post(path, data={f"{task['id']}.sms": "true"})
    shown = await client.get(path)
    assert f'name="{task["id"]}.sms" value="true" checked' in shown.text
    assert f'name="{task["id"]}.call" value="true" checked' not in shown.text
    assert "Desk" in (await client.get(f"/agents/tasks/{task['id']}")).text
    await client.post(path, data={})
    assert (await program.get(f"/api/v1/tasks/{task['id']}")).json()["agents"] == []
    assert (await client.get(f"/agents/{agent['id']}?section=tasks")).status_code == 200


async def test_a_run_is_shown_with_its_request_and_answer(
    site: Site, owner: Person, runner: tasks.Runner, receiver: Receiver
) -> None:
    talk = Talk(runner, tasks.Scope(owner.team_id, "agt_1", "cnv_1", tasks.CALL, "num_1"))
    talk.caller("Hello.")
    async with site.program(await site.key(owner)) as program, site.client(owner) as client:
        body = {
            "kind": "http",
            "title": "Book",
            "config": booking(receiver, body={"people": "{{party}}"}),
            "inputs": [{"name": "party", "type": "integer"}],
        }
        task = (await program.post("/api/v1/tasks", json=body)).json()
        await program.put(f"/api/v1/tasks/{task['id']}/agents/agt_1", json={"channels": ["call"]})
        done = await talk.do("book", party=4)
        assert isinstance(done, tasks.Completed)
        runs = (await program.get("/api/v1/task-runs", params={"conversation_id": "cnv_1"})).json()
        assert [each["state"] for each in runs["items"]] == ["completed"]
        page = (await client.get(f"/tasks/runs/{done.run_id}")).text
        assert "on its way" in page
        assert "/bookings" in page
        assert done.run_id in (await client.get(f"/tasks/{task['id']}")).text


async def test_a_booking_is_set_up_with_one_of_the_teams_calendars(
    client: httpx.AsyncClient, program: httpx.AsyncClient
) -> None:
    made = await program.post("/api/v1/calendars", json={"name": "Dining room"})
    calendar = made.json()["id"]
    page = await client.get("/tasks/add?kind=booking")
    assert f'<option value="{calendar}">Dining room</option>' in page.text
    form = {
        "kind": "booking",
        "title": "Book a table",
        "config.calendar_id": calendar,
        "config.action": "book",
        "config.party": "true",
        "timeout_s": "15",
        "max_runs": "3",
    }
    await client.post("/tasks", data=form)
    (task,) = (await program.get("/api/v1/tasks")).json()["items"]
    assert task["config"] == {"calendar_id": calendar, "action": "book", "party": True}
    assert (await client.get(f"/tasks/{task['id']}")).status_code == 200


async def test_two_at_once_name_nothing_alike(
    database: Database, runner: tasks.Runner, receiver: Receiver, team_id: str
) -> None:
    """Tasks of one title, one secret, one agent's use of a task: as one after the other."""

    async def add() -> str:
        async with database.team(team_id) as session:
            made = await tasks.create(
                session, team_id, kind="http", title="Book", config=booking(receiver), inputs=PARTY
            )
            return made.name

    names = await asyncio.gather(*(add() for _ in range(4)))
    assert sorted(names) == ["book", "book_2", "book_3", "book_4"]
    async with database.team(team_id) as session:
        [task, *_] = await tasks.listed(session, team_id)

    async def keep(number: int) -> None:
        async with database.team(team_id) as session:
            await secret_store.put(session, runner.means.vault, team_id, "KEY", f"value {number}")
            await tasks.use(session, team_id, task.id, "agt_1", [tasks.CALL])

    await asyncio.gather(*(keep(number) for number in range(4)))
    async with database.team(team_id) as session:
        assert [each.name for each in await secret_store.listed(session, team_id)] == ["KEY"]
        assert len((await tasks.uses(session, team_id))[task.id]) == 1


async def test_each_of_two_changes_at_once_is_a_revision(
    database: Database, receiver: Receiver, team_id: str
) -> None:
    """What was read back of the first must not pass for the second (T1)."""
    async with database.team(team_id) as session:
        made = await tasks.create(
            session, team_id, kind="http", title="Book", config=booking(receiver), inputs=PARTY
        )
    async with database.team(team_id) as late:
        seen = await service.get(late, team_id, made.id)  # as a page does before it saves
        async with database.team(team_id) as early:
            await service.update(early, team_id, made.id, title="Book a table")
        saved = await service.update(late, team_id, made.id, description="For dinner.")
    assert saved is seen
    assert (saved.revision, saved.title) == (made.revision + 2, "Book a table")
