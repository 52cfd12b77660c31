"""Who may be called, once, by REST, page and task; a number's rules (C8, SEC7, SEC12, S4)."""

import asyncio

import httpx
import pytest
from office import CALLER, Office, open_office
from sqlalchemy import text

from number_fixtures import make_number
from offhook import contacts, numbers, tasks
from offhook.calls.outbound import kind, starting
from offhook.calls.outbound import pages as outbound_pages
from offhook.calls.outbound.kind import KIND, CallConfig
from offhook.calls.rules import CallState
from offhook.db import Session
from offhook.phone import E164
from offhook.teams.models import Role
from web_fixtures import Person, Site, new_member, new_owner

CALLS = "/api/v1/calls"
ALWAYS: dict[str, object] = {
    "quiet_hours": False, "opens": "08:00", "closes": "21:00", "countries": [],
    "daily_calls": 3, "machine": "hang_up", "opening": "",
}  # fmt: skip


@pytest.fixture
async def office(site: Site, owner: Person) -> Office:
    """The owner's number, whose rules let the test run at night."""
    return await open_office(site.database, team_id=owner.team_id)


@pytest.fixture
async def api(site: Site, owner: Person, office: Office) -> httpx.AsyncClient:
    program = site.program(await site.key(owner))
    assert (await program.put(rules_of(office), json=ALWAYS)).status_code == 200
    return program


def rules_of(office: Office) -> str:
    return f"/api/v1/numbers/{office.number_id}/outbound"


def wanted(office: Office, **more: str) -> dict[str, str]:
    return {"number_id": office.number_id, "to": CALLER, "message": "It is ready."} | more


async def test_the_same_key_calls_once_and_the_third_line_is_none(
    api: httpx.AsyncClient, office: Office
) -> None:
    key = {"Idempotency-Key": "k1"}
    made = await api.post(CALLS, json=wanted(office), headers=key)
    assert made.status_code == 201, made.text
    assert (made.json()["state"], made.json()["direction"]) == ("dialling", "outbound")
    again = await api.post(CALLS, json=wanted(office), headers=key)
    assert again.json() == made.json()
    assert len(await office.calls()) == 1
    assert await office.balance() == (0, 1)
    assert (await api.post(CALLS, json=wanted(office))).status_code == 201
    full = await api.post(CALLS, json=wanted(office))
    assert codes(full) == ["lines_full"]
    other = await api.post(CALLS, json=wanted(office, to="+12025550148"))
    assert other.status_code == 201
    capped = await api.post(CALLS, json=wanted(office, to="+12025550149"))
    assert codes(capped) == ["daily_cap"]
    more = ALWAYS | {"daily_calls": 9, "daily_per_contact": 1}
    assert (await api.put(rules_of(office), json=more)).json()["daily_per_contact"] == 1
    again = await api.post(CALLS, json=wanted(office, to="+12025550148"))
    assert codes(again) == ["contact_cap"]  # SEC12: one person, one day
    assert await office.balance() == (0, 3)


def codes(answer: httpx.Response) -> list[str]:
    assert (answer.status_code, answer.json()["code"]) == (409, "call_not_started")
    return [each["code"] for each in answer.json()["errors"]]


async def test_all_that_speaks_against_it_is_named_and_nothing_is_written(
    api: httpx.AsyncClient, office: Office, stopped: list[str]
) -> None:
    await make_number(office.database, office.team_id, e164="+14155550123")
    await office.disable()
    for to, reasons in (
        (CALLER, ["disabled"]),
        ("+19002345678", ["disabled", "premium"]),
        ("+442079460000", ["disabled", "country"]),
        ("+14155550123", ["disabled", "own_number"]),
    ):
        assert codes(await api.post(CALLS, json=wanted(office, to=to))) == reasons
    stopped.append(CALLER)
    async with office.database.team(office.team_id) as session:
        await contacts.block(session, office.team_id, E164(CALLER), by="usr_1")
    found = codes(await api.post(CALLS, json=wanted(office)))
    assert found == ["disabled", "opted_out", "blocked"]
    assert await office.calls() == []
    assert await office.balance() == (0, 0)


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who opted out, as the room that knows tells it."""
    remotes: list[str] = []

    async def asked(session: Session, team_id: str, *, ours: str, remote: str) -> bool:
        return remote in remotes

    monkeypatch.setattr(starting, "_opted_out", [asked])
    return remotes


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"to": "911"}, 422, "phone_number_invalid"),
        ({"to": ""}, 422, "nobody_to_call"),
        ({"contact_id": "ctc_1"}, 422, "nobody_to_call"),
        ({"to": "", "contact_id": "ctc_none"}, 404, "contact_not_found"),
        ({"number_id": "num_none"}, 404, "number_not_found"),
        ({"machine": "shout"}, 422, "invalid"),
        ({"message": "x" * 601}, 422, "invalid"),
    ],
)
async def test_what_cannot_be_called_is_refused_in_words(
    api: httpx.AsyncClient, office: Office, change: dict[str, str], status: int, code: str
) -> None:
    answer = await api.post(CALLS, json=wanted(office) | change)
    assert answer.status_code == status, answer.text
    if code != "invalid":
        assert answer.json()["code"] == code
    assert await office.calls() == []


async def test_the_spent_limit_refuses_before_anybody_is_called(
    api: httpx.AsyncClient, office: Office
) -> None:
    await office.limit(1)
    assert (await api.post(CALLS, json=wanted(office))).status_code == 201
    refused = await api.post(CALLS, json=wanted(office, to="+12025550148"))
    assert (refused.status_code, refused.json()["code"]) == (409, "limit_reached")
    assert len(await office.calls()) == 1


async def test_rules_are_checked_whole_and_another_teams_are_not_there(
    api: httpx.AsyncClient, office: Office, site: Site, owner: Person
) -> None:
    """SEC7; members look and call, admins set."""
    here = rules_of(office)
    wrong = ALWAYS | {"opens": "22:00", "countries": ["US", "XX"]}
    refused = await api.put(here, json=wrong)
    assert [each["field"] for each in refused.json()["errors"]] == ["countries", "closes"]
    good = ALWAYS | {"countries": ["de", "US"], "opening": " Hello   there "}
    assert (await api.put(here, json=good)).status_code == 200
    shown = (await api.get(here)).json()
    assert (shown["countries"], shown["opening"]) == (["DE", "US"], "Hello there")
    stranger = site.program(await site.key(await new_owner(site.database)))
    for answer in (
        await stranger.get(here),
        await stranger.put(here, json=ALWAYS),
        await stranger.post(CALLS, json=wanted(office)),
    ):
        assert answer.status_code == 404
    member = site.client(await new_member(site.database, owner.team_id, Role.MEMBER))
    assert (await member.get("/fragments/call")).status_code == 200
    saved = await member.post(f"/numbers/{office.number_id}/outbound", data={"opens": "08:00"})
    assert saved.status_code == 403


async def test_rules_that_are_set_at_once_are_all_in_the_numbers_activity(
    api: httpx.AsyncClient, office: Office, site: Site
) -> None:
    """SEC21, SEC23: of many who are the first each is served, and the last one stands."""
    other = await make_number(site.database, office.team_id)
    there = f"/api/v1/numbers/{other}/outbound"
    wanted = [ALWAYS | {"daily_calls": each} for each in (4, 5, 6)]
    answers = await asyncio.gather(*(api.put(there, json=each) for each in wanted))
    assert {each.status_code for each in answers} == {200}
    async with site.database.team(office.team_id) as session:
        rows = await session.execute(
            text("SELECT before, after FROM number_activity WHERE number_id = :number"
                 " ORDER BY position"), {"number": other},
        )  # fmt: skip
        changes = rows.all()
    assert len(changes) == 3
    assert changes[0].before == {"quiet_hours": True, "daily_calls": 100}
    assert changes[-1].after == {"daily_calls": (await api.get(there)).json()["daily_calls"]}


async def test_the_pages_begin_a_call_and_save_the_rules(
    api: httpx.AsyncClient, client: httpx.AsyncClient, office: Office
) -> None:
    numbers.add_section(outbound_pages.SECTION)
    page = (await client.get(f"/numbers/{office.number_id}/outbound")).text
    assert "Opening line" in page
    form = {
        "quiet_hours": "", "opens": "09:00", "closes": "20:00", "countries": "us, ca",
        "daily_calls": "5", "daily_per_contact": "2", "machine": "leave_message", "opening": "",
    }  # fmt: skip
    address = f"/numbers/{office.number_id}/outbound"
    assert (await client.post(address, data=form)).status_code in {200, 204, 303}
    kept = (await api.get(rules_of(office))).json()
    assert (kept["countries"], kept["machine"], kept["opens"]) == (
        ["CA", "US"], "leave_message", "09:00",
    )  # fmt: skip
    assert (await client.post(address, data=form | {"opens": "soon"})).status_code == 422
    async with office.database.team(office.team_id) as session:
        contact = await contacts.on_contact(session, office.team_id, E164(CALLER))
    sheet = (await client.get(f"/fragments/call?contact_id={contact.id}")).text
    assert contact.id in sheet
    begun = {"number_id": office.number_id, "contact_id": contact.id, "message": "Ready."}
    assert (await client.post("/calls", data=begun)).status_code in {200, 204, 303}
    (call,) = await office.calls()
    assert (call.state, call.caller, call.contact_id) == (CallState.DIALLING, CALLER, contact.id)
    shown = (await client.get(f"/calls/{call.id}")).text
    assert "Calling" in shown


async def test_a_task_calls_whoever_the_thread_is_with_and_nobody_else(
    api: httpx.AsyncClient, office: Office
) -> None:
    """SEC9: the number to call is no input."""
    scope = tasks.Scope(
        office.team_id, office.agent_id, "cnv_1", tasks.SMS, office.number_id, caller=CALLER
    )
    config = CallConfig(message="You asked to be called.")
    async with office.database.team(office.team_id) as session:
        order = tasks.Order("run_1", "Call them", scope, config, {"to": "+19002345678"})
        done = await kind.call(session, order)
        assert isinstance(done, tasks.Done)
    (call,) = await office.calls()
    assert (call.caller, done.references) == (CALLER, {"call_id": call.id})
    hidden = tasks.Order(
        "run_2", "Call them",
        tasks.Scope(office.team_id, office.agent_id, "cnv_1", tasks.SMS, office.number_id),
        config, {},
    )  # fmt: skip
    async with office.database.team(office.team_id) as session:
        assert await KIND.examine(session, hidden) == {"": kind.NO_NUMBER}
        assert isinstance(await kind.call(session, hidden), tasks.NotDone)
    assert KIND.channels == (tasks.SMS,)
