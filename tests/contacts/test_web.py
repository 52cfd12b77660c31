"""Contacts on pages and over REST: one service behind both, roles, other teams, bad input."""

import asyncio
import hashlib
import json
import re

import pytest
from httpx import AsyncClient

from contact_fixtures import join
from offhook import contacts
from offhook.contacts.importing import JOB, Importer
from offhook.db import Database, Jobs
from offhook.phone import E164
from offhook.teams import Role
from web_fixtures import Person, Site, new_member, new_owner

API = "/api/v1"


@pytest.fixture(autouse=True)
def joined() -> None:
    join()


async def made(client: AsyncClient, number: str = "(650) 253-0000", **values: str) -> str:
    answer = await client.post(f"{API}/contacts", json={"number": number, "values": values})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def test_a_contact_is_made_changed_merged_exported_and_erased(client: AsyncClient) -> None:
    """P3, P7"""
    ann = await made(client, "650 253 0000 ext. 12", name="Ann", email="ann@example.com")
    again = await client.post(f"{API}/contacts", json={"number": "+16502530000"})
    assert again.status_code == 409
    assert ann in again.text
    changed = await client.patch(f"{API}/contacts/{ann}", json={"values": {"company": "Acme"}})
    assert changed.json()["values"]["company"]["source"] == "hand"
    bob = await made(client, "+14155550198")
    itself = await client.post(f"{API}/contacts/{ann}/merge", json={"other_id": ann})
    assert itself.json()["code"] == "contact_merge_with_itself"
    merged = await client.post(f"{API}/contacts/{ann}/merge", json={"other_id": bob})
    assert [each["e164"] for each in merged.json()["numbers"]] == ["+16502530000", "+14155550198"]
    assert merged.json()["merged"] == [bob]
    assert (await client.get(f"{API}/contacts/{bob}")).json()["id"] == ann
    blocked = await client.put(f"{API}/contacts/{ann}/blocked", json={"blocked": True})
    assert all(each["blocked"] for each in blocked.json()["numbers"])
    gone = await client.delete(f"{API}/contacts/{ann}/numbers/+14155550198")
    assert len(gone.json()["numbers"]) == 1
    last = await client.delete(f"{API}/contacts/{ann}/numbers/+16502530000")
    assert last.json()["code"] == "contact_last_number"
    export = await client.get(f"{API}/contacts/{ann}/export")
    assert export.json()["contact"]["name"] == "Ann"
    refused = await client.post(f"{API}/contacts/{ann}/erase", json={"confirm": "+14155550198"})
    assert refused.json()["code"] == "erasure_not_confirmed"
    erased = await client.post(f"{API}/contacts/{ann}/erase", json={"confirm": "650 253 0000"})
    assert erased.json()["digest"] == hashlib.sha256(export.content).hexdigest()
    assert (await client.get(f"{API}/contacts/{ann}")).status_code == 404
    receipt = await client.get(f"{API}/contact-erasures/{erased.json()['id']}")
    assert receipt.json() == erased.json()
    numbers = [each["e164"] for each in (await client.get(f"{API}/blocked-numbers")).json()]
    assert sorted(numbers) == ["+14155550198", "+16502530000"]


async def test_every_page_is_there(client: AsyncClient, owner: Person, database: Database) -> None:
    ann = await made(client, name="Ann")
    async with database.team(owner.team_id) as session:
        said = {"conversation_id": "cnv_1", "turn_id": "trn_1"}
        await contacts.learn(session, owner.team_id, ann, "company", "Acme", **said)
        await contacts.note(session, owner.team_id, ann, "Likes rye")
    level = {"label": "Level", "type": "choice", "choices": ["Gold", "Silver"]}
    assert (await client.post(f"{API}/contact-attributes", json=level)).status_code == 201
    for path, seen in (
        ("/contacts", "Ann"),
        ("/contacts?q=acme", "Ann"),
        ("/contacts?q=nobody", "Nobody matches"),
        (f"/contacts/{ann}", "said to an agent"),
        (f"/contacts/{ann}/body", "said to an agent"),
        (f"/contacts/{ann}/notes", "Likes rye"),
        (f"/contacts/{ann}/others?q=x", "Nobody else matches"),
        (f"/fragments/contact-timeline/{ann}", "No conversations"),
        ("/fragments/turn/trn_1", "not kept any more"),
        ("/contacts/attributes", "Gold, Silver"),
        ("/contacts/blocked", "Nobody is blocked"),
        ("/contacts/import", "New import"),
        ("/contacts/erased", "Nobody was erased"),
        ("/contacts/export.csv", "+16502530000"),
        ("/contacts/export.json", '"source": "agent"'),
    ):
        answer = await client.get(path)
        assert answer.status_code == 200, path
        assert seen in answer.text, path


async def test_a_saved_form_makes_only_what_was_changed_a_persons(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    """P2: what was left alone keeps its source, and stays open to agents."""
    ann = await made(client)
    said = {"conversation_id": "cnv_1", "turn_id": "trn_1"}
    async with database.team(owner.team_id) as session:
        await contacts.learn(session, owner.team_id, ann, "company", "Acme", **said)
    form = {"name": "Ann", "company": "Acme", "email": "", "location": "Paris"}
    answer = await client.post(f"/contacts/{ann}/values", data=form)
    assert answer.status_code < 400
    values = (await client.get(f"{API}/contacts/{ann}")).json()["values"]
    assert {key: each["source"] for key, each in values.items()} == {
        "company": "agent",
        "location": "hand",
        "name": "hand",
    }


async def test_what_an_agent_learns_while_the_form_is_open_stays(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    """P2: the form was shown without it, and nobody has taken it away."""
    ann = await made(client)
    shown = dict(re.findall(r'name="(shown[.]\w+)" value="(.*?)"', await body(client, ann)))
    assert shown["shown.company"] == shown["shown.name"] == ""
    said = {"conversation_id": "cnv_1", "turn_id": "trn_1"}
    async with database.team(owner.team_id) as session:
        await contacts.learn(session, owner.team_id, ann, "company", "Acme", **said)
    form = {"name": "Ann", "company": "", **shown}
    assert (await client.post(f"/contacts/{ann}/values", data=form)).status_code < 400
    values = (await client.get(f"{API}/contacts/{ann}")).json()["values"]
    assert {key: (each["text"], each["source"]) for key, each in values.items()} == {
        "company": ("Acme", "agent"),
        "name": ("Ann", "hand"),
    }


async def body(client: AsyncClient, contact_id: str) -> str:
    return (await client.get(f"/contacts/{contact_id}/body")).text


async def test_a_file_is_uploaded_read_another_way_and_imported(
    client: AsyncClient, database: Database
) -> None:
    """CI1 over REST and pages."""
    data = "Name;Phone\r\nŁucja;(650) 253-0000\r\nBob;4,47712E+11\r\n".encode("cp1250")
    files = {"file": ("people.csv", data, "text/csv")}
    sent = await client.post(f"{API}/contact-imports", files=files)
    assert sent.status_code == 201, sent.text
    at = f"{API}/contact-imports/{sent.json()['id']}"
    asking = await client.get(f"/contacts/import/{sent.json()['id']}")
    assert "Check how the file is read" in asking.text
    reading = {"encoding": "cp1250", "separator": ";"}
    assert (await client.put(f"{at}/reading", json=reading)).json()["columns"] == ["name", "number"]
    assert (await client.post(f"{at}/start", json={"columns": ["name"]})).status_code == 422
    assert (await client.post(f"{at}/start", json={})).json()["state"] == "running"
    assert (await client.post(f"{at}/start", json={})).json()["code"] == "import_started"
    jobs = Jobs(database)
    jobs.add(JOB, Importer(database).run)
    await jobs.run_due()
    done = (await client.get(at)).json()
    assert (done["state"], done["created"], done["refused"]) == ("done", 1, 1)
    (refusal,) = (await client.get(f"{at}/refusals")).json()
    assert refusal["line"] == 3
    report = await client.get(f"{at}/refusals.csv")
    assert "rounded by the spreadsheet" in report.text
    page = await client.get(f"/contacts/import/{done['id']}")
    assert "rounded by the spreadsheet" in page.text
    assert "Łucja" in (await client.get("/contacts")).text


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/contacts", {"number": "call me"}),
        ("POST", "/contacts", {"number": "650 253 0000 / 650 253 0001"}),
        ("POST", "/contacts", {"number": "+16502530000", "values": {"email": "x"}}),
        ("POST", "/contacts", {"number": "+16502530000", "values": {"nope": "x"}}),
        ("POST", "/contacts", {"number": "+16502530000", "values": {"name": "\ud800"}}),
        ("POST", "/contact-attributes", {"label": "\x00"}),
        ("POST", "/contact-attributes", {"label": "x", "type": "choice"}),
        ("POST", "/blocked-numbers", {"number": ""}),
        ("PUT", "/screening", {"refuse_hidden": "perhaps"}),
    ],
)
async def test_bad_input_is_refused_and_never_a_fault(
    client: AsyncClient, method: str, path: str, body: dict[str, object]
) -> None:
    content = json.dumps(body)
    headers = {"Content-Type": "application/json"}
    answer = await client.request(method, f"{API}{path}", content=content, headers=headers)
    assert answer.status_code < 500
    assert answer.status_code >= 400 or "ud800" in content


async def test_another_team_finds_nothing(
    client: AsyncClient, site: Site, database: Database
) -> None:
    """SEC7: 404 for each way to a contact, and nothing changes."""
    ann = await made(client, name="Ann")
    other = await new_owner(database, "Others")
    async with site.client(other) as stranger:
        for method, path, body in (
            ("GET", f"/contacts/{ann}", None),
            ("PATCH", f"/contacts/{ann}", {"name": "Eve"}),
            ("POST", f"/contacts/{ann}/notes", {"text": "x"}),
            ("POST", f"/contacts/{ann}/numbers", {"number": "+14155550198"}),
            ("PUT", f"/contacts/{ann}/blocked", {"blocked": True}),
            ("GET", f"/contacts/{ann}/export", None),
            ("POST", f"/contacts/{ann}/erase", {"confirm": "+16502530000"}),
            ("POST", f"/contacts/{ann}/merge", {"other_id": ann[:-1]}),
        ):
            answer = await stranger.request(method, f"{API}{path}", json=body)
            assert answer.status_code == 404, path
        for page in (f"/contacts/{ann}", f"/fragments/contact-timeline/{ann}"):
            assert (await stranger.get(page)).status_code == 404
    assert (await client.get(f"{API}/contacts/{ann}")).json()["name"] == "Ann"


async def test_members_neither_export_nor_erase_nor_import(
    client: AsyncClient, site: Site, owner: Person, database: Database
) -> None:
    ann = await made(client)
    member = await new_member(database, owner.team_id, Role.MEMBER)
    async with site.client(member) as theirs:
        for method, path in (
            ("GET", "/contacts/export.csv"),
            ("GET", "/contacts/export.json"),
            ("GET", f"/contacts/{ann}/export"),
            ("GET", "/contact-imports"),
            ("GET", "/contact-erasures"),
        ):
            answer = await theirs.request(method, f"{API}{path}")
            assert answer.status_code == 403, path
        erase = await theirs.post(f"{API}/contacts/{ann}/erase", json={"confirm": "+16502530000"})
        assert erase.status_code == 403
        assert "Erase" not in (await theirs.get(f"/contacts/{ann}")).text


async def test_the_list_is_taken_away_as_json_with_each_values_source(client: AsyncClient) -> None:
    assert (await client.get(f"{API}/contacts/export.json")).json() == []
    ann, bob = await made(client), await made(client, "+16502530001")
    await client.patch(f"{API}/contacts/{ann}", json={"values": {"company": 'Acme, "Zoë"'}})
    told = {each["id"]: each for each in (await client.get(f"{API}/contacts/export.json")).json()}
    assert set(told) == {ann, bob}
    values = {each["key"]: each for each in told[ann]["values"]}
    assert (values["company"]["text"], values["company"]["source"]) == ('Acme, "Zoë"', "hand")
    found = await client.get(f"{API}/contacts/export.json?q=acme")
    assert [each["number"] for each in found.json()] == ["+16502530000"]


async def test_two_who_add_the_same_number_at_once_make_one_contact(client: AsyncClient) -> None:
    answers = await asyncio.gather(
        *(client.post(f"{API}/contacts", json={"number": "+16502530000"}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


async def test_hidden_callers_are_refused_by_one_switch(
    client: AsyncClient, owner: Person, database: Database
) -> None:
    """P5"""
    assert (await client.get(f"{API}/screening")).json() == {"refuse_hidden": False}
    for wanted in (True, False):
        answer = await client.put(f"{API}/screening", json={"refuse_hidden": wanted})
        assert answer.json() == {"refuse_hidden": wanted}
        async with database.team(owner.team_id) as session:
            hidden = await contacts.screened(session, owner.team_id, None)
            assert hidden == (contacts.Screened.HIDDEN if wanted else None)
            shown = await contacts.screened(session, owner.team_id, E164("+16502530000"))
            assert shown is None
