"""REST of invoices: list, one, its lines and what they hold, the document, paying; details."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from offhook.billing import collecting, invoice_pages, invoices, parties, subscriptions
from offhook.billing.invoicing import Draft, Upcoming
from offhook.billing.models import Invoice, InvoiceLine
from offhook.billing.parties import Details, SellerDetails
from offhook.billing.rules import Step, SubscriptionState
from offhook.billing.totals import InvoiceState, LineKind
from offhook.billing.web import CurrentGateway
from offhook.teams import (
    AdminActor,
    CurrentActor,
    OperatorActor,
    SystemSession,
    TeamSession,
)
from offhook.usage import Direction, Service
from offhook.usage.closing import EntryOfLine
from offhook.web import Page, PagingQuery, paginate

router = APIRouter(prefix="/api/v1/billing", tags=["billing"])
operator_router = APIRouter(prefix="/api/v1/operator/billing", tags=["operator"])
MICROS = "Millionths of the currency's unit."


class PartyOut(BaseModel):
    name: str = ""
    address: str = ""
    country: str = ""
    country_name: str = ""
    tax_id: str = ""
    email: str = ""


class InvoiceOut(BaseModel):
    """A closed month. All amounts are in millionths of the currency's unit."""

    id: str
    number: str
    state: InvoiceState
    month: date
    period_start: datetime
    period_end: datetime
    zone: str
    finalized_at: datetime
    currency: str
    net_micros: int
    tax_label: str
    tax_note: str
    tax_micros: int
    total_micros: int
    balance_before_micros: int = Field(description="What the invoice before left over.")
    due_micros: int = Field(description="What is charged.")
    balance_after_micros: int = Field(description="What is left over; negative is a credit.")
    failed_since: datetime | None
    failure: str
    next_attempt_at: datetime | None
    paid_at: datetime | None
    seller: PartyOut
    buyer: PartyOut


class LineOut(BaseModel):
    id: str
    position: int
    kind: LineKind
    description: str
    month: date
    number_id: str
    number_name: str
    e164: str
    service: Service | None
    direction: Direction | None
    price_id: str
    price_micros: int = Field(description=MICROS)
    units: int
    free: int
    amount_micros: int = Field(description=MICROS)
    currency: str
    entries: int = Field(description="Ledger entries that it holds.")


class EntryOut(BaseModel):
    entry_id: int
    service: Service
    direction: Direction
    number_id: str
    subject_id: str = Field(description="The call or the message.")
    unit_index: int = Field(description="The minute of the call, from 0.")
    units: int = Field(description="1, or -1 where a unit was taken back.")
    starts_at: datetime
    recorded_at: datetime
    price_id: str
    price_micros: int = Field(description=MICROS)
    is_free: bool
    reason: str


class UpcomingLineOut(BaseModel):
    kind: LineKind
    description: str
    number_id: str
    price_id: str
    price_micros: int = Field(description=MICROS)
    units: int
    free: int
    amount_micros: int = Field(description=MICROS)


class UpcomingOut(BaseModel):
    """A month that is not closed yet, as its invoice would be now."""

    month: date
    period_start: datetime
    period_end: datetime
    zone: str
    closes_at: datetime
    currency: str
    net_micros: int
    tax_micros: int
    total_micros: int
    due_micros: int
    lines: list[UpcomingLineOut]


class StateOut(BaseModel):
    state: SubscriptionState


def _invoice(row: Invoice) -> InvoiceOut:
    return InvoiceOut(
        tax_label=row.tax.get("label", ""),
        tax_note=row.tax.get("note", ""),
        seller=PartyOut(**{k: v for k, v in row.seller.items() if k in PartyOut.model_fields}),
        buyer=PartyOut(**{k: v for k, v in row.buyer.items() if k in PartyOut.model_fields}),
        **{
            name: getattr(row, name)
            for name in InvoiceOut.model_fields
            if name not in {"tax_label", "tax_note", "seller", "buyer"}
        },
    )


def _line(row: InvoiceLine) -> LineOut:
    return LineOut.model_validate(row, from_attributes=True)


def _entry(found: EntryOfLine) -> EntryOut:
    values = {
        name: getattr(found, name) for name in EntryOut.model_fields if name != "price_micros"
    }
    return EntryOut(price_micros=found.price.micros, **values)


def _upcoming_line(draft: Draft) -> UpcomingLineOut:
    return UpcomingLineOut(
        kind=draft.kind,
        description=draft.description,
        number_id=draft.number_id,
        price_id=draft.price_id,
        price_micros=draft.price.micros,
        units=draft.units,
        free=draft.free,
        amount_micros=draft.amount.micros,
    )


def _upcoming(found: Upcoming) -> UpcomingOut:
    sums, period = found.sums, found.period
    return UpcomingOut(
        month=period.month,
        period_start=period.starts_at,
        period_end=period.ends_at,
        zone=period.zone,
        closes_at=found.closes_at,
        currency=sums.net.currency,
        net_micros=sums.net.micros,
        tax_micros=sums.tax.micros,
        total_micros=sums.total.micros,
        due_micros=sums.due.micros,
        lines=[_upcoming_line(each) for each in found.lines],
    )


@router.get("/invoices")
async def list_invoices(
    actor: CurrentActor, session: TeamSession, paging: PagingQuery
) -> Page[InvoiceOut]:
    """The invoices, the newest first."""
    query = invoices.of_team(actor.team_id)
    rows, following = await paginate(session, query, paging, Invoice.finalized_at, Invoice.id)
    return Page(items=[_invoice(row) for row in rows], next=following)


@router.get("/upcoming")
async def upcoming(actor: CurrentActor, session: TeamSession) -> list[UpcomingOut]:
    """The months that are not closed yet, the earliest first."""
    if not subscriptions.is_on():
        return []
    return [_upcoming(each) for each in await invoices.upcoming(session, actor.team_id)]


@router.get("/invoices/{invoice_id}")
async def get_invoice(invoice_id: str, actor: CurrentActor, session: TeamSession) -> InvoiceOut:
    return _invoice(await invoices.get(session, actor.team_id, invoice_id))


@router.get("/invoices/{invoice_id}/lines")
async def list_lines(
    invoice_id: str,
    actor: CurrentActor,
    session: TeamSession,
    after: Annotated[int, Query(ge=0, description="The last position seen.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> list[LineOut]:
    """The lines in their order, from position `after` on."""
    invoice = await invoices.get(session, actor.team_id, invoice_id)
    found = await invoices.lines(session, invoice, after=after, limit=limit)
    return [_line(row) for row in found]


@router.get("/invoices/{invoice_id}/lines/{line_id}/entries")
async def list_entries(
    invoice_id: str, line_id: str, actor: CurrentActor, session: TeamSession, paging: PagingQuery
) -> Page[EntryOut]:
    """The ledger's entries on a line, in the order of their recording."""
    await invoices.get(session, actor.team_id, invoice_id)
    found = await invoices.entries_of_line(session, actor.team_id, line_id, paging)
    if found.invoice.id != invoice_id:
        raise invoices.LineNotFound(f"There is no line {line_id[:40]} on this invoice.")
    return Page(items=[_entry(each) for each in found.entries], next=found.next)


@router.get(
    "/invoices/{invoice_id}/pdf",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}}},
)
async def get_pdf(invoice_id: str, actor: CurrentActor, session: TeamSession) -> Response:
    """The invoice as PDF."""
    return await invoice_pages.document(session, actor.team_id, invoice_id)


@router.post("/invoices/{invoice_id}/pay")
async def pay(
    invoice_id: str,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
) -> InvoiceOut:
    """Charge an open invoice now; a paid one stays as it is. Where it is still open, `failure` says
    what the bank said.
    """
    invoice = await invoices.get(session, actor.team_id, invoice_id)
    await collecting.pay(session, gateway, invoice)
    return _invoice(invoice)


@router.get("/details")
async def get_details(actor: CurrentActor, session: TeamSession) -> Details:
    """The team's billing details, as they stand on its next invoice."""
    return await parties.buyer(session, actor.team_id)


@router.put("/details")
async def put_details(body: Details, actor: AdminActor, session: TeamSession) -> Details:
    """Change them, for invoices from now on."""
    return await parties.change_buyer(session, actor.team_id, body)


@router.post("/subscription/cancel")
async def cancel(actor: AdminActor, session: TeamSession) -> StateOut:
    """End the subscription: calls and texts are no longer answered, everything is kept."""
    await subscriptions.change_subscription(session, actor.team_id, Step.CANCEL)
    return StateOut(state=await collecting.settle(session, actor.team_id))


@router.post("/subscription/activate")
async def activate(actor: AdminActor, session: TeamSession) -> StateOut:
    """Take up a cancelled subscription again."""
    return StateOut(state=await collecting.activate(session, actor.team_id))


@operator_router.get("")
async def get_seller(_: OperatorActor, session: SystemSession) -> SellerDetails:
    """The operator's details and tax rates."""
    return await parties.seller(session)


@operator_router.put("")
async def put_seller(
    body: SellerDetails, _: OperatorActor, session: SystemSession
) -> SellerDetails:
    """Change them, for invoices from now on."""
    return await parties.change_seller(session, body)
