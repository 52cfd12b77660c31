"""The page of billing: subscription, cards, charges."""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.billing import cards, invoice_pages, subscriptions
from offhook.billing.authentication import said_of
from offhook.billing.gateway import CardInput, CardInvalid, Setup
from offhook.billing.models import Charge
from offhook.billing.test_gateway import TestGateway
from offhook.billing.web import CurrentGateway, stripe_page, test_gateway
from offhook.teams import AdminActor, CurrentActor, TeamSession
from offhook.web import PagingQuery, paginate, redirect, render

router = APIRouter(include_in_schema=False)
HOME = "/billing"
CENTURY = 2000


@router.get(HOME)
async def billing_page(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    gateway: CurrentGateway,
    paging: PagingQuery,
) -> HTMLResponse:
    query = select(Charge).where(Charge.team_id == actor.team_id)
    charges, following = await paginate(session, query, paging, Charge.created_at, Charge.id)
    return render(
        request,
        "billing/billing.html",
        actor=actor,
        subscription=await subscriptions.subscription(session, actor.team_id),
        standing=await subscriptions.standing(session, actor.team_id),
        cards=await cards.on_file(session, actor.team_id),
        charges=charges,
        next_url=f"{HOME}?cursor={following}" if following else "",
        first_url=HOME if paging.cursor else "",
        is_test=isinstance(gateway, TestGateway),
        billing_on=subscriptions.is_on(),
        **await invoice_pages.part(session, actor),
    )


@router.post("/billing/cards")
async def add_card(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
    number: Annotated[str, Form()],
    expiry: Annotated[str, Form()],
    code: Annotated[str, Form()],
) -> Response:
    month, year = _expiry(expiry)
    given = CardInput(number, month, year, code)
    added = await cards.type_card(session, test_gateway(gateway), actor.team_id, given)
    if isinstance(added, Setup) and added.action is not None:
        return redirect(request, added.action.url)  # its bank asks first
    return redirect(request, HOME, toast=said_of(added))


@router.get("/billing/cards/new")
async def card_form(
    request: Request, actor: AdminActor, session: TeamSession, gateway: CurrentGateway
) -> Response:
    """Stripe's own form; the card number goes from its frame to Stripe."""
    if isinstance(gateway, TestGateway):
        return redirect(request, HOME)
    setup = await cards.begin(session, gateway, actor.team_id)
    return render(
        request,
        "billing/card.html",
        actor=actor,
        setup=setup,
        secret=setup.action.client_secret if setup.action else "",
        stripe=stripe_page(request),
    )


@router.get("/billing/cards/given")
async def card_given_elsewhere(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
    setup_intent: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """The browser comes back from a bank's page that had no room in a window of ours."""
    added = await cards.finish(session, gateway, actor.team_id, setup_intent)
    return redirect(request, HOME, toast=said_of(added))


@router.post("/billing/cards/setups/{setup_id}")
async def card_given(
    request: Request,
    setup_id: str,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
) -> Response:
    """Stripe's form is done: ask Stripe what it has."""
    added = await cards.finish(session, gateway, actor.team_id, setup_id)
    return redirect(request, HOME, toast=said_of(added))


@router.post("/billing/cards/{card_id}/default")
async def make_default(
    request: Request, card_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    card = await cards.set_default(session, actor.team_id, card_id)
    return redirect(request, HOME, toast=f"Charges go to {card.brand} ending in {card.last4}")


@router.post("/billing/cards/{card_id}/remove")
async def remove_card(
    request: Request,
    card_id: str,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
) -> Response:
    await cards.remove_card(session, gateway, actor.team_id, card_id)
    return redirect(request, HOME, toast="Card removed")


def _expiry(text: str) -> tuple[int, int]:
    """`12/30`, `12 / 2030` or `1230` as month and year. Raises CardInvalid."""
    digits = [part for part in text.replace(" ", "").replace("-", "/").split("/") if part]
    if len(digits) == 1 and len(digits[0]) == len("MMYY"):
        digits = [digits[0][:2], digits[0][2:]]
    if len(digits) != 2 or not all(each.isascii() and each.isdigit() for each in digits):  # noqa: PLR2004 - month and year
        raise CardInvalid(
            f"“{text[:20]}” is not an expiry date.", field="expiry", remedy="Write it as MM/YY."
        )
    month, year = int(digits[0]), int(digits[1])
    return month, year if year >= CENTURY else CENTURY + year
