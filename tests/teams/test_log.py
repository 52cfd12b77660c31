"""The audit log of a team: read, narrowed, downloaded, checked (SEC21)."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from offhook import administration, audit
from offhook.audit import By, Entry, Kind
from offhook.teams import service
from offhook.teams.log_words import Piece, changed_text, told
from offhook.teams.models import Role
from web_fixtures import Person, Site, new_member, new_owner

HTMX = {"HX-Request": "true"}
NOON = datetime(2026, 5, 14, 11, 59, 52, 82_000, tzinfo=UTC)


async def test_what_a_person_did_is_on_the_page_with_before_and_after(
    client: AsyncClient, owner: Person
) -> None:
    sent = {"name": "Night Bread", "timezone": "UTC", "country": "DE"}
    assert (await client.post("/team/settings", data=sent)).status_code == 303
    page = (await client.get("/team/audit")).text
    assert owner.email in page
    assert "Night Bread" in page
    assert "<del" in page
    assert "Daily Bread" in page


async def test_the_log_is_narrowed_by_who_what_and_when(site: Site, owner: Person) -> None:
    admin = await new_member(site.database, owner.team_id, Role.ADMIN)
    async with site.client(owner) as client:
        await client.post("/team/api-keys", data={"name": "Booking system"})
    async with site.client(admin) as client:
        sent = {"email": "bo@example.com", "role": "member"}
        await client.post("/team/invitations", data=sent)
        for query, told, untold in (
            (f"who={owner.user_id}", "Booking system", "bo@example.com"),
            (f"who={admin.user_id}", "bo@example.com", "Booking system"),
            ("what=invitation", "bo@example.com", "Booking system"),
            ("until=2001-01-01", "No entries", "Booking system"),
            ("since=2001-01-01", "Booking system", "No entries"),
            ("since=tomorrow", "Booking system", "No entries"),
        ):
            page = (await client.get(f"/team/audit?{query}")).text
            panel = page[page.index('id="verdict"') :]
            assert told in panel, query
            assert untold not in panel, query


async def test_only_admins_and_owners_read_it(site: Site, owner: Person) -> None:
    member = await new_member(site.database, owner.team_id)
    async with site.client(member) as client:
        for path in ("/team/audit", "/team/audit.csv", "/team/audit/check", "/api/v1/audit-log"):
            assert (await client.get(path)).status_code == 403
        assert (await client.get("/operator/audit")).status_code == 403


async def test_a_key_reads_its_own_teams_log_and_no_other(site: Site, owner: Person) -> None:
    other = await new_owner(site.database, "Other")
    async with site.program(await site.key(owner)) as program:
        made = await program.post("/api/v1/api-keys", json={"name": "Second"})
        assert made.status_code == 201
        page = (await program.get("/api/v1/audit-log?limit=1")).json()
        [entry] = page["items"]
        assert (entry["actor_kind"], entry["actor_name"]) == ("key", "A test")
        assert (entry["action"], entry["subject"], entry["label"]) == (
            "created",
            "API key",
            "Second",
        )
        assert entry["changes"]["name"] == [None, "Second"]
        assert made.json()["key"] not in str(page)
        rest = (await program.get(f"/api/v1/audit-log?cursor={page['next']}&limit=100")).json()
        positions = [entry["position"], *(each["position"] for each in rest["items"])]
        assert positions == list(range(entry["position"], 0, -1))
        assert other.email not in str(rest)
        verdict = (await program.get("/api/v1/audit-log/verification")).json()
        assert (verdict["whole"], verdict["entries"]) == (True, entry["position"])
        assert verdict["head"] == entry["digest"]


async def test_the_file_runs_no_formula_and_its_download_is_recorded(
    site: Site, owner: Person
) -> None:
    async with site.client(owner) as client:
        await client.post("/team/api-keys", data={"name": "=HYPERLINK(1)"})
        told = await client.get("/team/audit.csv")
        [*_, row, _download] = csv.DictReader(io.StringIO(told.text))
        assert row["label"] == "'=HYPERLINK(1)"
        assert row["actor"] == owner.email
        again = list(csv.DictReader(io.StringIO((await client.get("/team/audit.csv")).text)))
    assert (again[-1]["action"], again[-1]["subject"]) == ("exported", "audit log")


async def test_the_check_finds_what_was_tampered_with(site: Site, owner: Person) -> None:
    async with site.client(owner) as client:
        assert "The chain holds" in (await client.get("/team/audit/check", headers=HTMX)).text
        async with site.database.system() as session:
            await session.execute(
                text("UPDATE audit_heads SET position = position + 1 WHERE chain = :chain"),
                {"chain": owner.team_id},
            )
        broken = (await client.get("/team/audit/check", headers=HTMX)).text
    assert "tampered" in broken
    assert "ends at entry" in broken


async def test_the_operator_sees_what_belongs_to_no_team(site: Site, operator: Person) -> None:
    async with site.client(operator) as client:
        page = (await client.get("/operator/audit")).text
        assert operator.email in page
        assert "The chain holds" in (await client.get("/operator/audit/check")).text


async def test_the_command_line_checks_every_log_and_its_acts_are_told_as_its_own(
    site: Site, owner: Person
) -> None:
    with audit.acting(By(Kind.SYSTEM)):
        await administration.change_operators(site.database.url, owner.email, add=True)
    checked = await administration.verify_audit(site.database.url, [])
    assert checked.whole
    assert [line.partition(":")[0] for line in checked.lines] == ["installation", owner.team_id]
    async with site.database.system() as session:
        [*_, entry] = [each async for each in audit.entries(session, None, audit.Filter())]
    assert (entry.actor_kind, entry.actor_name) == (Kind.OPERATOR, "command line")
    noted = await administration.verify_audit(site.database.url, [entry.digest, "0" * 64])
    assert not noted.whole
    assert [line.rpartition(": ")[2] for line in noted.lines[-2:]] == [
        "in the log",
        "NOT in any log",
    ]


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ('{"name":["A","B"]}', ["name: A → B"]),
        ('{"agent_id":[null,"agt_1"]}', ["agent: agt_1"]),
        ('{"sms_enabled":[false,true]}', ["sms enabled: no → yes"]),
        ('{"scopes":[["read"],["read","write"]]}', ["scopes: read → read, write"]),
        ('{"options":[{"a":1},{"a":2}]}', ["options: a: 1 → a: 2"]),
        ('{"note":[null,""]}', []),
    ],
)
def test_a_change_in_words(changes: str, lines: list[str]) -> None:
    assert changed_text(Entry(changes=changes)) == lines


AGENT = "agt_01m8ndq8xgdme1fkwm85zg4p3f"
TASK = "tsk_01m8ndqw23qrf3yjh1g1pqpvqy"
NAMES = {AGENT: audit.Named("agent", "Night desk", f"/agents/{AGENT}")}


@pytest.mark.parametrize(
    ("value", "pieces"),
    [
        (AGENT, [Piece("Night desk", f"/agents/{AGENT}")]),
        (TASK, [Piece(TASK)]),  # nothing is known of it
        ([AGENT, True], [Piece("Night desk", f"/agents/{AGENT}"), Piece(", "), Piece("yes")]),
        ({"who": AGENT}, [Piece("who: "), Piece("Night desk", f"/agents/{AGENT}")]),
        (
            "2026-05-14T11:59:52.082000+00:00",
            [Piece("2026-05-14T11:59:52.082000+00:00", at=NOON)],
        ),
        ("x" * 400, [Piece("x" * 159 + "…")]),
        (["x" * 160, "y"], [Piece("x" * 160), Piece("…")]),
        (None, []),
    ],
)
def test_a_value_in_pieces(value: Any, pieces: list[Piece]) -> None:
    assert told(value, NAMES) == pieces


async def test_a_change_that_fails_leaves_no_entry(site: Site, owner: Person) -> None:
    async with site.client(owner) as client:
        before = (await client.get("/api/v1/audit-log/verification")).json()["entries"]
        sent = {"name": "N", "timezone": "Mars/Base", "country": "US"}
        assert (await client.post("/team/settings", data=sent)).status_code == 422
        after = (await client.get("/api/v1/audit-log/verification")).json()["entries"]
    assert before == after
    async with site.database.team(owner.team_id) as session:
        assert (await service.team(session, owner.team_id)).name == "Daily Bread"
