"""Differences as the team and the operator see them, and corrections by hand (UC7, UC9)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from bureau import DAY
from httpx import AsyncClient
from office import open_office
from playwright.async_api import Browser
from sqlalchemy import select

from offhook import usage
from offhook.calls import service
from offhook.calls.rules import End
from offhook.db import Database, now
from offhook.reconciliation import Difference
from offhook.reconciliation.models import NumberDay, ReconciledDay
from offhook.reconciliation.rules import Action, Kind
from offhook.usage import Service
from offhook.usage.models import Entry
from web_fixtures import Person, Served, Site, context_of, new_owner, serious

API, OPERATOR = "/api/v1/reconciliation", "/api/v1/operator/reconciliation"


@pytest.fixture
async def call_id(database: Database, owner: Person) -> str:
    """A call of 185 s of the owner's team that the carrier counted longer, and its difference."""
    office = await open_office(database, team_id=owner.team_id)
    call = await office.live()
    async with database.team(owner.team_id) as session:
        await service.finish(session, owner.team_id, call.call_id, End.CALLER_HUNG_UP, seconds=185)
        session.add(
            Difference(
                team_id=owner.team_id, account_id="AC1", day=DAY, number_id=office.number_id,
                service=Service.CALLS, kind=Kind.LONGER, carrier_id="CA1", subject_id=call.call_id,
                ours=4, theirs=5, our_seconds=185, their_seconds=250, action=Action.NONE,
                found_at=await now(session),
            )
        )  # fmt: skip
        session.add(
            NumberDay(
                team_id=owner.team_id, number_id=office.number_id, day=DAY, our_calls=1,
                our_minutes=4, our_messages=0, our_segments=0, their_calls=1, their_minutes=5,
                their_messages=0, their_segments=0, cost_micros=42_500, currency="USD", unpriced=0,
            )
        )  # fmt: skip
    async with database.system() as session:
        session.add(
            ReconciledDay(
                account_id="AC1", day=DAY, checked_at=await now(session), calls=1, messages=0,
                differences=1,
            )
        )  # fmt: skip
    return call.call_id


@pytest.fixture
async def at_the_operators(site: Site, operator: Person) -> AsyncIterator[AsyncClient]:
    async with site.client(operator) as client:
        yield client


async def difference_id(database: Database) -> str:
    async with database.system() as session:
        return (await session.scalars(select(Difference.id))).one()


async def test_a_team_sees_its_own_differences_and_both_sides(
    client: AsyncClient, call_id: str
) -> None:
    page = (await client.get("/usage/reconciliation")).text
    assert f'href="/calls/{call_id}"' in page
    assert "4 min (3:05)" in page
    assert "5 min (4:10)" in page
    assert "The carrier counted more minutes." in page
    assert "4 / 5" in page
    [listed] = (await client.get(f"{API}/differences", params={"day": str(DAY)})).json()["items"]
    assert (listed["kind"], listed["action"], listed["units"]) == ("longer", "none", 0)
    other = await client.get(f"{API}/differences", params={"day": str(DAY + timedelta(days=1))})
    assert other.json()["items"] == []
    [total] = (await client.get(f"{API}/totals", params={"day": str(DAY)})).json()
    assert (total["ours"]["minutes"], total["theirs"]["minutes"]) == (4, 5)


async def test_a_list_of_differences_goes_on_after_its_first_page(
    database: Database, client: AsyncClient, owner: Person, call_id: str
) -> None:
    async with database.team(owner.team_id) as session:
        first = await session.get_one(Difference, await difference_id(database))
        session.add(
            Difference(
                team_id=owner.team_id, account_id="AC1", day=DAY - timedelta(days=1),
                number_id=first.number_id, service=Service.CALLS, kind=Kind.LONGER,
                carrier_id="CA0", subject_id="", ours=1, theirs=2, our_seconds=60,
                their_seconds=90, action=Action.NONE, found_at=await now(session),
            )
        )  # fmt: skip
    there, cursor, seen = f"{API}/differences", "", list[str]()
    for _ in range(2):
        page = (await client.get(there, params={"limit": 1, "cursor": cursor})).json()
        seen += [each["carrier_id"] for each in page["items"]]
        cursor = page["next"]
    assert (seen, cursor) == (["CA1", "CA0"], None)


async def test_another_team_sees_nothing_of_it_and_no_operators_page(
    site: Site, database: Database, call_id: str
) -> None:
    """SEC7."""
    async with site.client(await new_owner(database)) as stranger:
        page = (await stranger.get("/usage/reconciliation")).text
        assert "No differences" in page
        assert (await stranger.get(f"{API}/differences")).json()["items"] == []
        assert (await stranger.get(f"{API}/totals", params={"day": str(DAY)})).json() == []
        there = f"/operator/reconciliation/{await difference_id(database)}"
        for path in ("/operator/reconciliation", there, f"{OPERATOR}/differences"):
            assert (await stranger.get(path)).status_code == 403
        tried = await stranger.post(
            f"{OPERATOR}/differences/{await difference_id(database)}/correct",
            json={"keep": 0, "reason": "mine"},
        )
        assert tried.status_code == 403


async def test_the_operator_corrects_a_difference_by_hand_and_both_entries_are_visible(
    database: Database, at_the_operators: AsyncClient, client: AsyncClient, call_id: str
) -> None:
    """UC9: reason and actor; told twice, it is done once."""
    page = (await at_the_operators.get("/operator/reconciliation")).text
    assert "Daily Bread" in page
    there = f"/operator/reconciliation/{await difference_id(database)}"
    assert "of 4 min" in (await at_the_operators.get(there)).text
    form = {"keep": "2", "reason": "Two minutes of music"}
    for _ in range(2):
        done = await at_the_operators.post(f"{there}/correct", data=form)
        assert done.status_code in {200, 204, 303}
    async with database.system() as session:
        entries = await session.scalars(
            select(Entry).where(Entry.subject_id == call_id, Entry.units < 0)
        )
        backs = [(e.unit_index, e.reason, bool(e.actor)) for e in entries]
        assert sorted(backs) == [(2, form["reason"], True), (3, form["reason"], True)]
        assert not list(await usage.audit(session))
    own = (await client.get("/usage/reconciliation")).text
    assert "Corrected" in own
    assert "Two minutes of music" in own


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"keep": 1, "reason": "  "}, 422, "reason_missing"),
        ({"keep": 1, "reason": "x" * 201}, 422, "reason_missing"),
        ({"keep": 5, "reason": "more"}, 409, "correction_refused"),
        ({"keep": -1, "reason": "less"}, 422, ""),
        ({"keep": 1.5, "reason": "half"}, 422, ""),
    ],
)
async def test_a_correction_that_makes_no_sense_is_refused_in_words(
    database: Database,
    at_the_operators: AsyncClient,
    call_id: str,
    given: dict[str, Any],
    status: int,
    code: str,
) -> None:
    path = f"{OPERATOR}/differences/{await difference_id(database)}/correct"
    refused = await at_the_operators.post(path, json=given)
    assert refused.status_code == status
    assert code in refused.text
    unknown = await at_the_operators.post(
        f"{OPERATOR}/differences/dif_none/correct", json={"keep": 1, "reason": "x"}
    )
    assert (unknown.status_code, unknown.json()["code"]) == (404, "difference_not_found")


async def test_any_call_or_message_can_be_corrected_by_the_api(
    database: Database, at_the_operators: AsyncClient, owner: Person, call_id: str
) -> None:
    about = {"team_id": owner.team_id, "service": "calls", "subject_id": call_id}
    body = {**about, "keep": 1, "reason": "a courtesy"}
    for taken in (3, 0):
        answer = await at_the_operators.post("/api/v1/operator/corrections", json=body)
        assert answer.json() == {"taken_back": taken}
    unknown = {**body, "subject_id": "call_none"}
    answer = await at_the_operators.post("/api/v1/operator/corrections", json=unknown)
    assert (answer.status_code, answer.json()["code"]) == (404, "call_unknown")


async def test_the_operator_lets_a_day_be_compared_again(
    database: Database, at_the_operators: AsyncClient, call_id: str
) -> None:
    answer = await at_the_operators.post(f"{OPERATOR}/days/{DAY}/check")
    assert answer.status_code == 202
    page = await at_the_operators.post(f"/operator/reconciliation/days/{DAY}/check")
    assert page.status_code in {200, 204, 303}
    async with database.system() as session:
        connection = await session.connection()
        jobs = await connection.exec_driver_sql(
            "SELECT args->>'day' FROM procrastinate_jobs WHERE task_name = 'reconciliation.day'"
        )
        waiting = [row[0] for row in jobs]
    assert waiting == [str(DAY)], "one at a time"
    [day] = (await at_the_operators.get(f"{OPERATOR}/days")).json()
    assert (day["day"], day["final"], day["differences"]) == (str(DAY), False, 1)


async def test_the_pages_have_nothing_serious_for_axe(
    browser: Browser, served: Served, owner: Person, operator: Person, call_id: str
) -> None:
    """pages.md: from 390 px, in light and dark."""
    one = f"/operator/reconciliation/{await difference_id(served.site.database)}"
    for person, path, width, scheme in (
        (owner, "/usage/reconciliation", 390, "dark"),
        (operator, "/operator/reconciliation", 1440, "light"),
        (operator, one, 390, "light"),
    ):
        context = await context_of(browser, served, person, width=width)
        page = await context.new_page()
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.goto(served.url + path)
        assert await serious(page) == [], path
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await context.close()
