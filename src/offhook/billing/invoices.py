"""Invoices as others read them: list, one with its lines, what a line holds, the upcoming one.

`entries_of_line` is what "why was I charged" is made of; the page of a line belongs to usage's
drill-down, which app.py joins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select

from offhook import usage
from offhook.billing import invoicing, legs
from offhook.billing.invoicing import Upcoming
from offhook.billing.legs import Leg
from offhook.billing.models import Charge, Invoice, InvoiceLine
from offhook.billing.totals import LineKind
from offhook.db import Session, now
from offhook.errors import NotFound
from offhook.usage import Link
from offhook.usage.closing import EntryOfLine
from offhook.web import Paging, decode_cursor, encode_cursor

LINES_SHOWN = 200


class InvoiceNotFound(NotFound):
    code = "invoice_not_found"


class LineNotFound(NotFound):
    code = "invoice_line_not_found"


@dataclass(frozen=True, slots=True)
class LineWithEntries:
    """One line of an invoice and a page of what it holds; `next` is the cursor of the next one."""

    invoice: Invoice
    line: InvoiceLine
    entries: Sequence[EntryOfLine]
    next: str | None
    legs: Sequence[Leg] = ()


def of_team(team_id: str) -> Select[Invoice]:
    """For `paginate` by Invoice.finalized_at, Invoice.id."""
    return select(Invoice).where(Invoice.team_id == team_id)


async def get(session: Session, team_id: str, invoice_id: str, *, lock: bool = False) -> Invoice:
    """Raises InvoiceNotFound."""
    query = of_team(team_id).where(Invoice.id == invoice_id)
    found = await session.scalar(query.with_for_update(key_share=True) if lock else query)
    if found is None:
        raise InvoiceNotFound(
            f"There is no invoice {invoice_id[:40]}.", remedy="See the invoices under Billing."
        )
    return found


async def lines(
    session: Session, invoice: Invoice, *, after: int = 0, limit: int | None = None
) -> Sequence[InvoiceLine]:
    """The lines from position `after` on, in their order."""
    rows = await session.scalars(
        select(InvoiceLine)
        .where(
            InvoiceLine.team_id == invoice.team_id,
            InvoiceLine.invoice_id == invoice.id,
            InvoiceLine.position > after,
        )
        .order_by(InvoiceLine.position)
        .limit(limit)
    )
    return rows.all()


async def payments(session: Session, invoice: Invoice) -> Sequence[Charge]:
    """Every attempt to charge it, the newest first."""
    rows = await session.scalars(
        select(Charge)
        .where(Charge.team_id == invoice.team_id, Charge.reference == invoice.id)
        .order_by(Charge.created_at.desc(), Charge.id.desc())
    )
    return rows.all()


async def entries_of_line(
    session: Session, team_id: str, line_id: str, paging: Paging
) -> LineWithEntries:
    """What an invoice's line holds (U10): entries of the ledger, or legs of transfers; a rent holds
    nothing. Raises LineNotFound.
    """
    line = await session.scalar(
        select(InvoiceLine).where(InvoiceLine.team_id == team_id, InvoiceLine.id == line_id)
    )
    if line is None:
        raise LineNotFound(f"There is no line {line_id[:40]}.", remedy="Open the invoice again.")
    invoice = await get(session, team_id, line.invoice_id)
    if line.kind is LineKind.TRANSFER:
        ended = await legs.ended(session, team_id, invoice.period_start, invoice.period_end)
        own = [leg for leg in ended if (leg.number_id, leg.price) == (line.number_id, line.price)]
        return LineWithEntries(invoice, line, [], None, own)
    if line.usage_line_id is None:
        return LineWithEntries(invoice, line, [], None)
    after = decode_cursor(paging.cursor, [int])[0] if paging.cursor else 0
    found = await usage.closing.entries_of_line(
        session, team_id, line.usage_line_id, after=after, limit=paging.limit + 1
    )
    shown = found[: paging.limit]
    following = encode_cursor([shown[-1].entry_id]) if len(found) > len(shown) else None
    return LineWithEntries(invoice, line, shown, following)


async def upcoming(session: Session, team_id: str) -> list[Upcoming]:
    """What the invoices of the open months would be by now: the running one, and within the
    grace the one before.
    """
    present = await now(session)
    await usage.period_at(session, team_id, present)
    return [
        await invoicing.preview(session, team_id, month)
        for month in await usage.closing.open_months(session, team_id, present)
    ]


async def links(
    session: Session, team_id: str, starts: Sequence[datetime]
) -> Mapping[datetime, Link]:
    """The invoices of the months that began at `starts` (`usage.invoices_from`)."""
    rows = await session.scalars(
        select(Invoice).where(Invoice.team_id == team_id, Invoice.period_start.in_(starts))
    )
    return {row.period_start: Link(row.number, f"/billing/invoices/{row.id}") for row in rows.all()}
