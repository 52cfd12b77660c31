"""Pages of invoices: one with its lines, what a line holds, the document, paying, what comes."""

import asyncio
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import settings, usage
from offhook.billing import collecting, invoices, matters, parties, situations, words
from offhook.billing.gateway import AUTHENTICATION_FAILED, AUTHENTICATION_REQUIRED
from offhook.billing.models import Invoice, InvoiceLine
from offhook.billing.rules import Step, SubscriptionState
from offhook.billing.subscriptions import change_subscription, is_on
from offhook.billing.web import CurrentGateway, confirm_url
from offhook.db import Session
from offhook.teams import Actor, AdminActor, CurrentActor, TeamSession
from offhook.usage import Link
from offhook.web import Banner, Paging, PagingQuery, paginate, redirect, render

router = APIRouter(include_in_schema=False)
HOME = "/billing"
SHOWN_ON_HOME = 6
CONFIRMABLE = {AUTHENTICATION_REQUIRED, AUTHENTICATION_FAILED}


async def part(session: Session, actor: Actor) -> dict[str, Any]:
    """What the billing page shows of subscription and invoices."""
    situation = await situations.of_team(session, actor.team_id, actor.timezone)
    listed, following = await paginate(
        session,
        invoices.of_team(actor.team_id),
        Paging(limit=SHOWN_ON_HOME),
        Invoice.finalized_at,
        Invoice.id,
    )
    return {
        "situation": situation,
        "said": words.say(situation),
        "invoices": listed,
        "more_invoices": following is not None,
        "state_of": words.state_of,
        "buyer": await parties.buyer(session, actor.team_id),
    }


async def banners(request: Request) -> list[Banner]:
    """What a team must know of its subscription, on every page (UN8 to UN11)."""
    actor = request.state.actor
    async with request.app.state.database.team(actor.team_id) as session:
        said = words.say(await situations.of_team(session, actor.team_id, actor.timezone))
        payments = await matters.banners(session, actor.team_id)
    standing = [Banner(said.kind, said.sentence, said.href, "Open")] if said else []
    return [*standing, *payments]


@router.get("/billing/invoices")
async def list_page(
    request: Request, actor: CurrentActor, session: TeamSession, paging: PagingQuery
) -> HTMLResponse:
    query = invoices.of_team(actor.team_id)
    listed, following = await paginate(session, query, paging, Invoice.finalized_at, Invoice.id)
    here = request.url.path
    return render(
        request,
        "billing/invoices.html",
        invoices=listed,
        state_of=words.state_of,
        next_url=f"{here}?cursor={following}" if following else "",
        first_url=here if paging.cursor else "",
    )


@router.get("/billing/upcoming")
async def upcoming_page(
    request: Request, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """The invoices of the months that are not closed yet, as they would be now."""
    return render(
        request,
        "billing/upcoming.html",
        upcoming=await invoices.upcoming(session, actor.team_id) if is_on() else [],
        labels=await usage.names(session, actor.team_id),
        billing_on=is_on(),
    )


@router.get("/billing/invoices/{invoice_id}")
async def invoice_page(
    request: Request,
    invoice_id: str,
    actor: CurrentActor,
    session: TeamSession,
    after: Annotated[int, Query(ge=0)] = 0,
) -> HTMLResponse:
    invoice = await invoices.get(session, actor.team_id, invoice_id)
    most = invoices.LINES_SHOWN
    found = await invoices.lines(session, invoice, after=after, limit=most + 1)
    here = request.url.path
    return render(
        request,
        "billing/invoice.html",
        actor=actor,
        invoice=invoice,
        state=words.state_of(invoice),
        lines=found[:most],
        payments=await invoices.payments(session, invoice),
        situation=await situations.of_team(session, actor.team_id, actor.timezone),
        next_url=f"{here}?after={found[most - 1].position}" if len(found) > most else "",
        first_url=here if after else "",
    )


@router.get("/billing/invoices/{invoice_id}/pdf")
async def invoice_pdf(invoice_id: str, actor: CurrentActor, session: TeamSession) -> Response:
    return await document(session, actor.team_id, invoice_id)


async def document(session: Session, team_id: str, invoice_id: str) -> Response:
    """The invoice as a file; made beside the loop, which has calls to answer."""
    invoice = await invoices.get(session, team_id, invoice_id)
    lines = await invoices.lines(session, invoice)
    font = settings.load().invoice_font
    content = await asyncio.to_thread(
        _render, invoice, lines, fallback_font=Path(font) if font else None
    )
    named = f'inline; filename="{invoice.number}.pdf"'
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": named})


def _render(invoice: Invoice, lines: Sequence[InvoiceLine], *, fallback_font: Path | None) -> bytes:
    # The library of the PDF takes most of a second to import, and every process has these routes.
    content: bytes = import_module("offhook.billing.pdf").render(
        invoice, lines, fallback_font=fallback_font
    )
    return content


@router.post("/billing/invoices/{invoice_id}/pay")
async def pay(
    request: Request,
    invoice_id: str,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
) -> Response:
    """Charge an open invoice now; where the bank asks for the card's owner, go there."""
    invoice = await invoices.get(session, actor.team_id, invoice_id)
    outcome = await collecting.pay(session, gateway, invoice)
    here = f"/billing/invoices/{invoice_id}"
    if outcome.ok:
        return redirect(request, here, toast=f"Invoice {invoice.number} is paid")
    if outcome.code in CONFIRMABLE:
        return redirect(request, confirm_url(outcome.charge_id, here))
    return redirect(request, here, toast=outcome.sentence)


@router.get("/billing/invoices/{invoice_id}/lines/{line_id}")
async def line_page(
    request: Request,
    invoice_id: str,
    line_id: str,
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
) -> HTMLResponse:
    """Why a line was charged: each of its units, its call or message, and its price."""
    found = await invoices.entries_of_line(session, actor.team_id, line_id, paging)
    if found.invoice.id != invoice_id:
        await invoices.get(session, actor.team_id, invoice_id)
        raise invoices.LineNotFound("This line is on another invoice.")
    here = request.url.path
    ids = [entry.subject_id for entry in found.entries]
    subjects: Mapping[str, Link] = {}
    if found.line.service:
        service = usage.Service(found.line.service)
        subjects = await usage.subjects(session, actor.team_id, service, ids)
    elif found.legs:
        calls = [leg.call_id for leg in found.legs]
        subjects = await usage.subjects(session, actor.team_id, usage.Service.CALLS, calls)
    return render(
        request,
        "billing/line.html",
        invoice=found.invoice,
        line=found.line,
        entries=found.entries,
        legs=found.legs,
        subjects=subjects,
        next_url=f"{here}?cursor={found.next}" if found.next else "",
        first_url=here if paging.cursor else "",
    )


@router.post("/billing/subscription/cancel")
async def cancel(request: Request, actor: AdminActor, session: TeamSession) -> Response:
    await change_subscription(session, actor.team_id, Step.CANCEL)
    return redirect(request, HOME, toast="The subscription is cancelled")


@router.post("/billing/subscription/activate")
async def activate(request: Request, actor: AdminActor, session: TeamSession) -> Response:
    state = await collecting.activate(session, actor.team_id)
    toast = "The subscription is active"
    if state is not SubscriptionState.ACTIVE:
        toast = "The subscription is back; an invoice is still unpaid"
    return redirect(request, HOME, toast=toast)
