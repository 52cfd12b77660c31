"""Pages, REST and PDF of invoices: what a person and a program see (U10, SEC7, pages.md)."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import import_module

import pytest
from httpx import AsyncClient
from invoice_desk import Desk, audit, close, invoices, late_call, lines, price_list, use, utc
from usage_desk import Clock

from offhook import billing, usage
from offhook.billing import CardInput, TestGateway, collecting, invoice_pages, pdf
from offhook.billing.models import Invoice, InvoiceLine
from offhook.billing.totals import InvoiceState, LineKind
from offhook.db import Database, Session
from offhook.prices import Money
from offhook.teams.models import Role
from web_fixtures import Person, Site, new_member, new_owner


@pytest.fixture
def rooms() -> Sequence[str]:
    return ("teams", "usage", "billing")


@pytest.fixture
async def database(clocked: Database) -> Database:
    """The site's own database stands at the test's time."""
    return clocked


@pytest.fixture
async def desk(
    database: Database,
    site: Site,
    owner: Person,
    clock: Clock,
    gateway: TestGateway,
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    """A team whose April has an unpaid invoice: free and charged minutes, messages."""

    async def labels(session: Session, team_id: str) -> Mapping[str, usage.Label]:
        return {"num_a": usage.Label("Front <desk>", "+16502530000")}

    monkeypatch.setattr(import_module("offhook.usage.names"), "_sources", [labels])
    site.app.state.gateway = gateway
    site.app.state.web.banners.append(invoice_pages.banners)
    await price_list(database, minute="0.02", message="0.01")
    desk = Desk(database, owner.team_id)
    clock.instant = utc("2026-04-14T12:00")
    await use(desk, await desk.number("num_a"), minutes=100, messages=2, tag="april")
    clock.instant = utc("2026-05-04T12:00")
    await close(desk)
    await collecting.collect_due(database, gateway)
    return desk


async def test_the_billing_page_says_what_is_open_and_until_when_un8(
    desk: Desk, client: AsyncClient
) -> None:
    [invoice] = await invoices(desk)
    page = (await client.get("/billing")).text
    assert invoice.number in page
    assert "April 2026" in page
    assert "Past due" in page
    sentence = (
        f"Invoice {invoice.number} over $0.80 is unpaid. Everything works but buying until "
        "18 May; then calls and texts are no longer answered."
    )
    assert sentence in page
    banner = (await client.get("/banners")).text
    assert sentence in banner
    assert f"/billing/invoices/{invoice.id}" in banner


async def test_an_invoice_leads_to_each_unit_and_back_u10(desk: Desk, client: AsyncClient) -> None:
    [invoice] = await invoices(desk)
    calls, messages = await lines(desk, invoice)
    page = (await client.get(f"/billing/invoices/{invoice.id}")).text
    assert "Front &lt;desk&gt;" in page
    assert "There is no payment method on file." in page
    assert f"/billing/invoices/{invoice.id}/lines/{messages.id}" in page
    here = f"/billing/invoices/{invoice.id}/lines/{calls.id}"
    assert here in page
    line = (await client.get(here)).text
    assert "(100 − 60 free) × $0.02 = " in line
    assert "minute 1</span>" in line
    seen = re.findall(r"/usage/entries/(\d+)", line)
    following = re.search(rf'{here}\?cursor=[^"]+', line)
    while following:
        line = (await client.get(following[0])).text
        seen += re.findall(r"/usage/entries/(\d+)", line)
        following = re.search(rf'{here}\?cursor=[^"]+', line)
    assert len(seen) == len(set(seen)) == 100


async def test_second_legs_are_a_line_of_their_own_um9(
    desk: Desk, site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By number and price, without free minutes; the line leads to each call."""
    ended = utc("2026-05-20T12:00")
    legs = [
        billing.Leg("call_1", "num_a", "Anna", ended, 3, Money.of("0.025")),
        billing.Leg("call_2", "num_a", "Bo", ended, 1, Money.of("0.025")),
        billing.Leg("call_3", "num_a", "Bo", ended, 2, Money.of("0.03")),
    ]

    async def told(
        session: Session, team_id: str, start: datetime, end: datetime
    ) -> list[billing.Leg]:
        return [leg for leg in legs if start <= leg.ended_at < end]

    monkeypatch.setattr(import_module("offhook.billing.legs"), "_sources", [told])
    clock.instant = utc("2026-06-04T12:00")
    await close(desk)
    client = site.client(await new_member(desk.database, desk.team, Role.MEMBER))
    _, june = await invoices(desk)
    found = await lines(desk, june)
    assert [(line.kind, line.units, line.free, line.amount) for line in found] == [
        (LineKind.TRANSFER, 4, 0, Money.of("0.10")),
        (LineKind.TRANSFER, 2, 0, Money.of("0.06")),
    ]
    here = f"/billing/invoices/{june.id}"
    assert f"{here}/lines/{found[0].id}" in (await client.get(here)).text
    page = (await client.get(f"{here}/lines/{found[0].id}")).text
    assert "4 minutes × $0.025 = " in page
    assert "call_1" in page
    assert "call_3" not in page
    assert await audit(desk) == []


async def test_pay_now_takes_the_money_and_ends_the_trouble_un10(
    desk: Desk, client: AsyncClient, gateway: TestGateway
) -> None:
    [invoice] = await invoices(desk)
    paid = await client.post(f"/billing/invoices/{invoice.id}/pay")
    assert paid.status_code == 303  # no card: it stays unpaid, and says so
    async with desk.database.team(desk.team) as session:
        given = CardInput("4242424242424242", 12, 2099, "123")
        await billing.add_card(session, gateway, desk.team, given)
    answer = await client.post(f"/api/v1/billing/invoices/{invoice.id}/pay")
    assert answer.json()["state"] == "paid"
    assert "Paid" in (await client.get(f"/billing/invoices/{invoice.id}")).text
    assert (await client.get("/banners")).text.strip() == ""
    assert len(await gateway.orders()) == 1


async def test_programs_read_what_pages_show(desk: Desk, client: AsyncClient) -> None:
    listed = (await client.get("/api/v1/billing/invoices")).json()["items"]
    assert [(each["month"], each["due_micros"]) for each in listed] == [("2026-04-01", 800_000)]
    path = f"/api/v1/billing/invoices/{listed[0]['id']}"
    assert (await client.get(path)).json() == listed[0]
    made = (await client.get(f"{path}/lines")).json()
    assert [(line["units"], line["free"], line["entries"]) for line in made] == [
        (100, 60, 100),
        (2, 2, 2),
    ]
    assert (await client.get(f"{path}/lines", params={"after": 1})).json() == made[1:]
    entries = (await client.get(f"{path}/lines/{made[1]['id']}/entries?limit=1")).json()
    assert [each["is_free"] for each in entries["items"]] == [True]
    assert entries["next"]
    document = await client.get(f"{path}/pdf")
    assert document.headers["content-type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-")


async def test_the_upcoming_invoice_is_the_one_that_comes(
    desk: Desk, client: AsyncClient, clock: Clock
) -> None:
    await use(desk, "num_a", minutes=70, messages=3, tag="may")
    await late_call(desk, "num_a", "call_late", utc("2026-04-20"))
    shown = (await client.get("/api/v1/billing/upcoming")).json()
    assert [each["month"] for each in shown] == ["2026-05-01"]
    page = (await client.get("/billing/upcoming")).text
    assert "Incoming minutes, late usage, April 2026" in page
    assert "Closes on 4 Jun 2026, 00:00" in page
    clock.instant = utc("2026-06-04T00:00")
    await close(desk)
    _, made = await invoices(desk)
    assert (made.net_micros, made.due_micros) == (shown[0]["net_micros"], shown[0]["due_micros"])
    assert [line.amount_micros for line in await lines(desk, made)] == [
        line["amount_micros"] for line in shown[0]["lines"]
    ]


async def test_another_team_sees_nothing_of_it_sec7(
    desk: Desk, site: Site, database: Database
) -> None:
    [invoice] = await invoices(desk)
    line = (await lines(desk, invoice))[0]
    async with site.client(await new_owner(database, "Garage")) as stranger:
        for path in (
            f"/billing/invoices/{invoice.id}",
            f"/billing/invoices/{invoice.id}/pdf",
            f"/billing/invoices/{invoice.id}/lines/{line.id}",
            f"/api/v1/billing/invoices/{invoice.id}",
            f"/api/v1/billing/invoices/{invoice.id}/lines/{line.id}/entries",
        ):
            assert (await stranger.get(path)).status_code == 404
        assert (await stranger.post(f"/billing/invoices/{invoice.id}/pay")).status_code == 404


async def test_members_look_and_admins_act(desk: Desk, site: Site, database: Database) -> None:
    [invoice] = await invoices(desk)
    async with site.client(await new_member(database, desk.team)) as member:
        assert "Pay $0.80 now" not in (await member.get(f"/billing/invoices/{invoice.id}")).text
        for path in (f"/billing/invoices/{invoice.id}/pay", "/billing/subscription/cancel"):
            assert (await member.post(path)).status_code == 403
        assert (await member.get("/billing/details")).status_code == 403
        assert (await member.get("/operator/billing")).status_code == 403


async def test_details_are_given_and_refused_with_their_field(client: AsyncClient) -> None:
    given = {"name": "Bäckerei", "country": "DE", "tax_id": "DE136695976", "address": "A\nB"}
    assert (await client.post("/billing/details", data=given)).status_code == 303
    assert "Bäckerei" in (await client.get("/billing/details")).text
    refused = await client.put("/api/v1/billing/details", json=given | {"tax_id": "DE1"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "tax_id"
    assert (await client.get("/api/v1/billing/details")).json()["tax_id"] == "DE136695976"


async def test_the_operator_gives_details_and_rates(
    desk: Desk, site: Site, operator: Person
) -> None:
    async with site.client(operator) as client:
        page = (await client.get("/operator/billing")).text
        assert "Your name and address are missing." in page
        assert "1 invoice over $0.80 is unpaid." in page
        details = {"name": "Offhook GmbH", "country": "DE", "prefix": "oh"}
        await client.post("/operator/billing", data=details)
        rates = {
            "country": ["DE", "FR", "US"],
            "label": ["VAT"] * 3,
            "percent": ["19", "", "8.875"],
        }
        await client.post("/operator/billing/rates", data=rates)
        kept = (await client.get("/api/v1/operator/billing")).json()
        assert (kept["name"], kept["prefix"]) == ("Offhook GmbH", "OH")
        assert [(each["country"], each["percent"]) for each in kept["rates"]] == [
            ("DE", "19"),
            ("US", "8.875"),
        ]
        assert (await client.put("/api/v1/operator/billing", json=kept)).json() == kept


async def test_a_subscription_is_cancelled_and_taken_up_again(
    desk: Desk, client: AsyncClient
) -> None:
    await client.post("/billing/subscription/cancel")
    page = (await client.get("/billing")).text
    assert "Cancelled" in page
    assert "Calls and texts are not answered." in page
    answer = await client.post("/api/v1/billing/subscription/activate")
    assert answer.json() == {"state": "past_due"}  # the invoice is unpaid still


@pytest.mark.parametrize("count", [1, 120])
def test_a_document_holds_every_name_and_line(count: int) -> None:
    party = {"name": "Bäckerei Łódź, 東京 😎", "address": "Ελλάς\nМосква", "country_name": "Poland"}
    invoice = Invoice(
        number="INV-000001",
        period_start=utc("2026-03-31T22:00"),
        period_end=utc("2026-04-30T22:00"),
        zone="Europe/Paris",
        finalized_at=utc("2026-05-03T22:00"),
        currency="EUR",
        net_micros=1,
        tax_micros=0,
        total_micros=1,
        balance_before_micros=-1,
        due_micros=0,
        balance_after_micros=0,
        tax={"label": "VAT 19 %", "note": "Reverse charge."},
        seller=party | {"footer": "HRB 1"},
        buyer=party,
        state=InvoiceState.SETTLED,
    )
    line = InvoiceLine(
        kind=LineKind.EXPIRED,
        description="Incoming minutes, late usage, October 2026, too late to be charged",
        e164="+33612345678",
        units=1_000_000,
        free=0,
        price_micros=13_700,
        currency="EUR",
        amount_micros=0,
    )
    document = pdf.render(invoice, [line] * count)
    pages = len(re.findall(rb"/Type /Page\b", document))
    assert pages == (1 if count == 1 else 7)
