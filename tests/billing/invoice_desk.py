"""A team on the ledger whose months are closed: the usage desk, and what billing makes of it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from usage_desk import Desk

from offhook import billing, usage
from offhook.billing import invoicing
from offhook.billing.models import Invoice, InvoiceLine
from offhook.db import Database
from offhook.prices import Money
from offhook.prices.models import PriceVersion
from offhook.usage import Direction


class Killed(BaseException):
    """As if the process had died here: its transaction is not committed."""


def dies_at(place: str) -> Callable[[str], None]:
    def passage(name: str) -> None:
        if name == place:
            raise Killed

    return passage


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


async def price_list(database: Database, *, minute: str, message: str) -> None:
    """The price of numbers of the desk, from long ago on; both directions alike."""
    async with database.system() as session:
        session.add(
            PriceVersion(
                carrier="simulator",
                country="US",
                number_type="local",
                currency="USD",
                monthly=Money.of("2").micros,
                minute_inbound=Money.of(minute).micros,
                minute_outbound=Money.of(minute).micros,
                message_inbound=Money.of(message).micros,
                message_outbound=Money.of(message).micros,
                valid_from=utc("2021-01-01"),
                created_at=utc("2021-01-01"),
            )
        )


async def use(desk: Desk, number: str, *, minutes: int = 0, messages: int = 0, tag: str) -> None:
    """One call of so many minutes and so many inbound messages, now."""
    async with desk.database.team(desk.team) as session:
        for index in range(minutes):
            await usage.reserve_minute(
                session, desk.team, number_id=number, call_id=f"call_{tag}", index=index
            )
        if minutes:
            await usage.settle_call(
                session, desk.team, call_id=f"call_{tag}", seconds=60 * minutes - 1
            )
        for index in range(messages):
            await usage.take_message(
                session,
                desk.team,
                number_id=number,
                message_id=f"msg_{tag}_{index}",
                direction=Direction.INBOUND,
            )


async def late_call(desk: Desk, number: str, call: str, starts_at: datetime) -> None:
    """A call of one minute that the ledger hears of only now."""
    async with desk.database.team(desk.team) as session:
        await usage.reserve_minute(
            session, desk.team, number_id=number, call_id=call, index=0, starts_at=starts_at
        )
        await usage.settle_call(session, desk.team, call_id=call, seconds=30)


async def close(desk: Desk, passage: Callable[[str], None] = lambda _: None) -> Sequence[str]:
    return await invoicing.close_due(desk.database, passage=passage)


async def invoices(desk: Desk) -> list[Invoice]:
    async with desk.database.team(desk.team) as session:
        rows = await session.scalars(
            select(Invoice).where(Invoice.team_id == desk.team).order_by(Invoice.sequence)
        )
        return list(rows.all())


async def lines(desk: Desk, invoice: Invoice) -> list[InvoiceLine]:
    async with desk.database.team(desk.team) as session:
        rows = await session.scalars(
            select(InvoiceLine)
            .where(InvoiceLine.invoice_id == invoice.id)
            .order_by(InvoiceLine.position)
        )
        return list(rows.all())


async def shown(desk: Desk, invoice: Invoice) -> list[str]:
    """The lines as text: description, units, free, amount."""
    return [
        f"{line.description}: {line.units} ({line.free} free) {line.amount}"
        for line in await lines(desk, invoice)
    ]


async def charged_so_far(desk: Desk) -> Money:
    async with desk.database.team(desk.team) as session:
        return (await usage.month_to_date(session, desk.team)).charged


async def audit(desk: Desk) -> list[usage.Violation]:
    """Of the ledger and of the invoices."""
    async with desk.database.system() as session:
        return [*await usage.audit(session), *await billing.audit(session)]
