"""Pages of who buys and who sells: a team's billing details, the operator's details and rates."""

from typing import Annotated

from fastapi import APIRouter, Form
from sqlalchemy import func, select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.billing import parties, words
from offhook.billing.models import Invoice
from offhook.billing.parties import Details, RateIn, SellerDetails
from offhook.prices import Money
from offhook.teams import AdminActor, OperatorActor, SystemSession, Team, TeamSession
from offhook.web import PagingQuery, countries, paginate, redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
Texts = Annotated[list[str], Form()]
BLANK_RATES = 2


@router.get("/billing/details")
async def details_page(request: Request, actor: AdminActor, session: TeamSession) -> HTMLResponse:
    return render(
        request,
        "billing/details.html",
        buyer=await parties.buyer(session, actor.team_id),
        countries=countries(),
    )


@router.post("/billing/details")
async def change_details(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    name: Text,
    country: Text,
    address: Text = "",
    tax_id: Text = "",
    email: Text = "",
) -> Response:
    given = Details(name=name, address=address, country=country, tax_id=tax_id, email=email)
    await parties.change_buyer(session, actor.team_id, given)
    return redirect(request, "/billing", toast="Billing details saved")


@router.get("/operator/billing")
async def operator_page(
    request: Request, _: OperatorActor, session: SystemSession, paging: PagingQuery
) -> HTMLResponse:
    """The operator's details and rates, and the invoices of all teams."""
    rows, following = await paginate(
        session, select(Invoice), paging, Invoice.finalized_at, Invoice.id
    )
    teams = await session.scalars(
        select(Team).where(Team.id.in_({invoice.team_id for invoice in rows}))
    )
    unpaid = await session.execute(
        select(Invoice.currency, func.count(), func.sum(Invoice.due_micros))
        .where(Invoice.failed_since.is_not(None), Invoice.paid_at.is_(None))
        .group_by(Invoice.currency)
    )
    here = request.url.path
    seller = await parties.seller(session)
    last = await session.scalar(select(func.max(Invoice.sequence))) or 0
    return render(
        request,
        "billing/operator.html",
        seller=seller,
        next_number=f"{seller.prefix}-{last + 1:06}",
        blank_rates=BLANK_RATES,
        countries=countries(),
        invoices=rows,
        teams={team.id: team.name for team in teams.all()},
        unpaid=[(count, Money(int(due), currency)) for currency, count, due in unpaid],
        state_of=words.state_of,
        next_url=f"{here}?cursor={following}" if following else "",
        first_url=here if paging.cursor else "",
    )


@router.post("/operator/billing")
async def change_operator(
    request: Request,
    _: OperatorActor,
    session: SystemSession,
    name: Text,
    country: Text,
    prefix: Text,
    address: Text = "",
    tax_id: Text = "",
    email: Text = "",
    footer: Text = "",
) -> Response:
    before = await parties.seller(session)
    given = SellerDetails(
        name=name,
        address=address,
        country=country,
        tax_id=tax_id,
        email=email,
        footer=footer,
        prefix=prefix,
        rates=before.rates,
    )
    await parties.change_seller(session, given)
    return redirect(request, "/operator/billing", toast="Saved, for invoices from now on")


@router.post("/operator/billing/rates")
async def change_rates(
    request: Request,
    _: OperatorActor,
    session: SystemSession,
    country: Texts,
    label: Texts,
    percent: Texts,
) -> Response:
    """The rates as the form has them; a row without a percentage is left out."""
    rates = [
        RateIn(country=each, label=named, percent=value)
        for each, named, value in zip(country, label, percent, strict=False)
        if value.strip()
    ]
    await parties.change_rates(session, rates)
    return redirect(request, "/operator/billing", toast="Tax rates saved")
