"""Why was I charged: each unit's place, limit, price and invoice, in words that follow from it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from httpx import AsyncClient
from sqlalchemy import select
from usage_desk import Clock, Desk, hire
from usage_seed import Used, write

from offhook import usage
from offhook.db import Database, Session
from offhook.prices import Direction, Money, NumberType, add_price
from offhook.usage import Service, closing, reasons
from offhook.usage.explain import Explanation, explain
from offhook.usage.models import Entry
from offhook.usage.rules import Kind
from web_fixtures import Person

MAY = datetime(2026, 5, 1, tzinfo=UTC)
names = import_module("offhook.usage.names")


@pytest.fixture
def rooms() -> Sequence[str]:
    return ("teams", "usage")


def minutes(number: str, call: str, at: datetime, count: int) -> list[Used]:
    return [
        Used(number, Service.CALLS, Direction.INBOUND, call, n, at + timedelta(minutes=n))
        for n in range(count)
    ]


async def why(desk: Desk, subject: str, index: int = 0, kind: Kind = Kind.POSTED) -> Explanation:
    async with desk.database.team(desk.team) as session:
        entry_id = await session.scalar(
            select(Entry.id).where(
                Entry.subject_id == subject, Entry.unit_index == index, Entry.kind == kind.value
            )
        )
        assert entry_id is not None
        return await explain(session, desk.team, entry_id)


def said(found: Explanation) -> dict[str, str]:
    return {each.question: each.answer for each in reasons.sentences(found)}


async def test_the_61st_minute_is_charged_and_the_60th_is_free(desk: Desk) -> None:
    """UF2 over two numbers, U6; the limit counts the number's own, free ones too (UL3)."""
    for name in ("num_a", "num_b"):
        await desk.number(name, calls=100)
    async with desk.database.team(desk.team) as session:
        await write(session, desk.team, minutes("num_a", "call_a", MAY + timedelta(days=1), 40))
        await write(session, desk.team, minutes("num_b", "call_b", MAY + timedelta(days=2), 30))
    last_free, first_charged = await why(desk, "call_b", 19), await why(desk, "call_b", 20)
    assert (last_free.rank, first_charged.rank) == (60, 61)
    assert reasons.headline(last_free) == "Free"
    assert reasons.headline(first_charged) == "Charged $0.02"
    texts = said(first_charged)
    assert "the 61st minute of May 2026 of all your numbers" in texts["Why"]
    assert "The first 60 of a month are free" in texts["Why"]
    assert "It was the 21st of this number’s minutes" in texts["Limit"]
    assert "100" in texts["Limit"]
    assert "$0.02 per inbound minute" in texts["Price"]
    assert "in force since 1 Jan 2020" in texts["Price"]
    assert "will be on the invoice of its month" in texts["Invoice"]
    assert [step.kind for step in first_charged.steps] == [Kind.RESERVED, Kind.POSTED]


async def test_a_new_price_explains_only_what_began_under_it(desk: Desk, clock: Clock) -> None:
    """UP5: each minute names its version and the whole row of it."""
    await desk.number("num_a")
    change = clock.instant + timedelta(minutes=30)
    async with desk.database.system() as session:
        new = await add_price(
            session,
            carrier="simulator",
            country="US",
            number_type=NumberType.LOCAL,
            monthly=Money.of("2"),
            minute=(Money.of("0.05"), Money.of("0.06")),
            message=(Money.of("0.01"), Money.of("0.01")),
            valid_from=change,
        )
    async with desk.database.team(desk.team) as session:
        await write(session, desk.team, minutes("num_a", "call_a", clock.instant, 61))
    before, after = await why(desk, "call_a", 29), await why(desk, "call_a", 30)
    assert before.price is not None
    assert before.price.until == change
    assert after.price is not None
    assert after.price.price == new
    assert "by price version " + new.id in said(after)["Price"]


async def test_what_was_taken_back_or_only_held_costs_nothing(desk: Desk) -> None:
    await desk.number("num_a")
    await desk.take("num_a", "sms_a", Direction.OUTBOUND)
    held = await why(desk, "sms_a", kind=Kind.RESERVED)
    assert reasons.headline(held) == "Held, not used yet"
    await desk.post("sms_a")
    async with desk.database.team(desk.team) as session:
        await usage.correct_message(
            session, desk.team, message_id="sms_a", reason="failed: 30003", actor="carrier"
        )
    back = await why(desk, "sms_a", kind=Kind.CORRECTED)
    assert reasons.headline(back) == "Taken back, not charged"
    assert said(back)["Taken back"] == "Taken back by carrier: failed: 30003."
    await desk.take("num_a", "sms_b", Direction.OUTBOUND)
    await desk.give_back("sms_b")
    voided = await why(desk, "sms_b", kind=Kind.RESERVED)
    assert reasons.headline(voided) == "Not used, not charged"


async def test_a_closed_month_is_explained_as_it_was_closed(
    clocked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UF8: what comes late moves nobody, and the invoice is named by the room that made it."""
    desk = await hire(clocked)
    await desk.number("num_a")

    async def invoices(
        session: Session, team_id: str, starts: Sequence[datetime]
    ) -> Mapping[datetime, usage.Link]:
        return {start: usage.Link("INV-000007", "/billing/invoices/inv_7") for start in starts}

    monkeypatch.setattr(names, "_invoices", [invoices])
    async with clocked.team(desk.team) as session:
        await usage.period_at(session, desk.team, MAY)
        await write(session, desk.team, minutes("num_a", "call_a", MAY + timedelta(days=3), 61))
        await closing.close(session, desk.team, MAY)
        await closing.closed(session, desk.team, MAY, closing.ClosedAs.INVOICED, MAY)
        await write(session, desk.team, minutes("num_a", "late", MAY + timedelta(days=1), 1))
        for entry in await session.scalars(select(Entry).where(Entry.subject_id == "late")):
            entry.recorded_at = MAY + timedelta(days=6)
    first, last, late = [
        await why(desk, *unit) for unit in (("call_a", 0), ("call_a", 60), ("late", 0))
    ]
    assert (first.rank, last.rank) == (1, 61)
    assert said(last)["Invoice"] == "It is on invoice INV-000007."
    assert "may become free" not in said(last)["Why"]
    assert "recorded after May 2026 had been closed" in said(late)["Why"]
    assert "none of them were left" in said(late)["Why"]
    assert said(late)["Invoice"].endswith("it will be on the next invoice.")


async def test_the_page_leads_to_the_conversation_and_says_the_limit_of_then(
    database: Database, owner: Person, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def subjects(
        session: Session, team_id: str, service: Service, ids: Sequence[str]
    ) -> Mapping[str, usage.Link]:
        return {each: usage.Link("Call from <Ana>", f"/calls/{each}") for each in ids}

    async def limit(
        session: Session, team_id: str, number_id: str, service: Service, at: datetime
    ) -> usage.LimitThen:
        return usage.LimitThen(50)

    monkeypatch.setattr(names, "_subjects", [subjects])
    monkeypatch.setattr(names, "_limits", [limit])
    desk = Desk(database, owner.team_id)
    await desk.number("num_a", calls=90)
    await desk.call("num_a", "call_a", 70)
    found = await why(desk, "call_a", 1)
    assert found.entry is not None
    page = (await client.get(f"/usage/entries/{found.entry.id}")).text
    assert 'href="/calls/call_a">Call from &lt;Ana&gt;' in page
    assert "The limit when it was taken was 50" in page
    answer = (await client.get(f"/api/v1/usage/entries/{found.entry.id}")).json()
    assert (answer["headline"], answer["rank"], answer["limit"]) == ("Free", 2, 50)
    listed = (await client.get("/usage/entries?service=calls")).text
    assert f'href="/usage/entries/{found.entry.id}"' in listed


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (61, "61st"),
        (111, "111th"),
        (1_122, "1,122nd"),
    ],
)
def test_ordinals(number: int, text: str) -> None:
    assert reasons.ordinal(number) == text
