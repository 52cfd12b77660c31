"""The owner's list over REST and on its page; the task that puts callers through (SEC13, SEC7)."""

import httpx
import pytest

from number_fixtures import make_number, make_team
from offhook import tasks
from offhook.calls.transfers import targets
from offhook.calls.transfers.kind import KIND, TransferConfig, finished, put_through
from offhook.calls.transfers.models import TransferTarget
from offhook.db import Database
from offhook.teams.models import Role
from web_fixtures import Person, Site, new_member, new_owner

TARGETS = "/api/v1/transfer-targets"
ANNA = {"name": "Anna", "number": "+1 202 555 0177", "ring_s": 20, "announced": True}


@pytest.fixture
async def api(site: Site, owner: Person) -> httpx.AsyncClient:
    return site.program(await site.key(owner))


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_from_adding_somebody_to_removing_them(api: httpx.AsyncClient) -> None:
    made = await api.post(TARGETS, json=ANNA, headers={"Idempotency-Key": "k1"})
    assert made.status_code == 201
    assert made.json()["e164"] == "+12025550177"
    again = await api.post(TARGETS, json=ANNA, headers={"Idempotency-Key": "k1"})
    assert again.json() == made.json()
    one = f"{TARGETS}/{made.json()['id']}"
    changed = await api.put(one, json=ANNA | {"name": "Anna  Smith", "announced": False})
    assert (changed.json()["name"], changed.json()["announced"]) == ("Anna Smith", False)
    assert (await api.get(TARGETS)).json() == [changed.json()]
    assert (await api.delete(one)).status_code == 204
    assert code(await api.get(one)) == (404, "transfer_target_not_found")
    assert (await api.get(TARGETS)).json() == []


@pytest.mark.parametrize(
    ("change", "status", "refusal"),
    [
        ({"number": "+19005550123"}, 422, "transfer_target_refused"),
        ({"number": "+44 844 012 3456"}, 422, "transfer_target_refused"),
        ({"number": "911"}, 422, "phone_number_invalid"),
        ({"number": "sip:anna@example.com"}, 422, "phone_number_invalid"),
        ({"name": "   "}, 422, "transfer_target_refused"),
        ({"ring_s": 26}, 422, "invalid"),
        ({"ring_s": 0}, 422, "invalid"),
        ({"ring_s": True}, 422, "invalid"),
    ],
)
async def test_who_may_not_be_called_is_refused_in_words(
    api: httpx.AsyncClient, change: dict[str, object], status: int, refusal: str
) -> None:
    answer = await api.post(TARGETS, json=ANNA | change)
    assert answer.status_code == status
    if refusal != "invalid":
        assert answer.json()["code"] == refusal
    assert (await api.get(TARGETS)).json() == []


async def test_the_teams_own_number_and_a_second_name_are_refused(
    site: Site, owner: Person, api: httpx.AsyncClient
) -> None:
    """WT4: target = the own number."""
    await make_number(site.database, owner.team_id, e164="+14155550123")
    own = await api.post(TARGETS, json=ANNA | {"number": "+14155550123"})
    assert code(own) == (422, "transfer_target_refused")
    assert (await api.post(TARGETS, json=ANNA)).status_code == 201
    twin = await api.post(TARGETS, json=ANNA | {"name": "ANNA", "number": "+12025550178"})
    assert code(twin) == (409, "transfer_target_name_taken")


async def test_another_teams_target_is_not_there_and_members_only_look(
    site: Site, api: httpx.AsyncClient, owner: Person
) -> None:
    """SEC7."""
    made = (await api.post(TARGETS, json=ANNA)).json()
    one = f"{TARGETS}/{made['id']}"
    stranger = site.program(await site.key(await new_owner(site.database)))
    assert (await stranger.get(TARGETS)).json() == []
    for answer in (
        await stranger.get(one),
        await stranger.put(one, json=ANNA),
        await stranger.delete(one),
    ):
        assert code(answer) == (404, "transfer_target_not_found")
    member = site.client(await new_member(site.database, owner.team_id, Role.MEMBER))
    assert (await member.get("/transfers")).status_code == 200
    assert (await member.post("/transfers", data={"name": "Bo"})).status_code == 403
    assert [each["id"] for each in (await api.get(TARGETS)).json()] == [made["id"]]


async def test_one_of_the_list_stands_in_for_the_agent(
    api: httpx.AsyncClient, owner: Person, database: Database
) -> None:
    """C9: naming another relieves the one before; a number that became ours stands in no more."""
    anna = (await api.post(TARGETS, json=ANNA | {"stands_in": True})).json()
    bo = (await api.post(TARGETS, json=ANNA | {"name": "Bo", "number": "+12025550178"})).json()
    assert (anna["stands_in"], bo["stands_in"]) == (True, False)
    body = ANNA | {"name": "Bo", "number": "+12025550178", "stands_in": True}
    assert (await api.put(f"{TARGETS}/{bo['id']}", json=body)).json()["stands_in"]
    assert [each["stands_in"] for each in (await api.get(TARGETS)).json()] == [False, True]
    async with database.team(owner.team_id) as session:
        found = await targets.standing_in(session, owner.team_id)
        assert found is not None
        assert found.name == "Bo"
    await make_number(database, owner.team_id, e164="+12025550178")
    async with database.team(owner.team_id) as session:
        assert await targets.standing_in(session, owner.team_id) is None


async def test_the_page_adds_changes_and_removes(client: httpx.AsyncClient) -> None:
    assert "Nobody yet" in (await client.get("/transfers")).text
    form = {"name": "Anna", "number": "202 555 0177", "ring_s": "20", "announced": "true"}
    assert (await client.post("/transfers", data=form)).status_code in {200, 204, 303}
    page = (await client.get("/transfers")).text
    assert "Anna" in page
    assert "(202) 555-0177" in page
    assert (await client.post("/transfers", data=form | {"ring_s": "soon"})).status_code == 422
    choice = await client.get("/fragments/transfer-targets")
    assert "Anna, (202) 555-0177" in choice.text


async def test_a_task_is_added_on_its_page(
    client: httpx.AsyncClient, api: httpx.AsyncClient
) -> None:
    tasks.register(KIND)
    target = (await api.post(TARGETS, json=ANNA)).json()["id"]
    page = await client.get("/tasks/add?kind=transfer")
    assert 'hx-get="/fragments/transfer-targets?chosen="' in page.text
    form = {"kind": "transfer", "title": "Put through to Anna", "config.target_id": target}
    form |= {"timeout_s": "15", "max_runs": "3", "confirm": "true"}
    added = await client.post("/tasks", data=form)
    assert added.status_code in {200, 204, 303}, added.text
    (task,) = (await api.get("/api/v1/tasks")).json()["items"]
    assert (task["kind"], task["config"]) == ("transfer", {"target_id": target})


# --- the task ---


@pytest.fixture
async def team(database: Database) -> str:
    return await make_team(database, "Bakery")


@pytest.fixture
async def other_team(database: Database) -> str:
    return await make_team(database, "Garage")


def order(team_id: str, target_id: str) -> tasks.Order:
    scope = tasks.Scope(team_id, "agt_1", "cnv_1", tasks.CALL, "num_1", caller="+12025550147")
    return tasks.Order("run_1", "Put through", scope, TransferConfig(target_id=target_id), {})


async def add(database: Database, team_id: str) -> TransferTarget:
    async with database.team(team_id) as session:
        return await targets.add(
            session, team_id, name="Anna", number="+12025550177", ring_s=20, announced=True
        )


async def test_a_task_puts_through_to_its_target_and_to_nobody_else(
    database: Database, team: str, other_team: str
) -> None:
    """SEC13, SEC9: whatever is asked for, it is one of this team's list."""
    mine, theirs = await add(database, team), await add(database, other_team)
    async with database.team(team) as session:
        done = await put_through(session, order(team, mine.id))
        assert done == tasks.PutThrough(mine.id, "One moment, I'll put you through to Anna.")
        for target_id in (theirs.id, "+19005550123", "ttg_x\0", "' OR 1=1 --"):
            refused = await put_through(session, order(team, target_id))
            assert isinstance(refused, tasks.NotDone)
            assert refused.code == "transfer_target_not_found"
            assert await KIND.examine(session, order(team, target_id))
        assert not await KIND.examine(session, order(team, mine.id))


async def test_a_target_that_became_our_own_number_is_not_called(
    database: Database, team: str
) -> None:
    mine = await add(database, team)
    await make_number(database, team, e164="+12025550177")
    async with database.team(team) as session:
        refused = await put_through(session, order(team, mine.id))
    assert isinstance(refused, tasks.NotDone)
    assert refused.code == "transfer_target_refused"


async def test_the_end_of_a_transfer_that_no_task_asked_for_is_nobodys_news(
    database: Database, team: str
) -> None:
    async with database.team(team) as session:
        await finished(session, team, "run_none", "Anna took the call.", done=True)
