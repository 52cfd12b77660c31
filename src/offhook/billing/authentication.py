"""Pages on which a card's owner confirms a payment with the card's bank (3-D Secure).

With Stripe its own script opens the bank's window on our page; with the test gateway a page of
ours plays the bank. What the browser says is never believed: afterwards the gateway is asked.
"""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.billing import cards, charges
from offhook.billing.gateway import Hold, Setup
from offhook.billing.models import PaymentMethod
from offhook.billing.test_gateway import BANK, TestGateway
from offhook.billing.web import CurrentGateway, stripe_page
from offhook.errors import NotFound
from offhook.teams import AdminActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
HOME = "/billing"
Back = Annotated[str, Query(max_length=200)]


class NothingAsked(NotFound):
    code = "nothing_to_confirm"


def local(back: str) -> str:
    """Where to go afterwards: an address of ours, whatever the link says."""
    return back if back.startswith("/") and not back.startswith(("//", "/\\")) else HOME


@router.get("/billing/charges/{charge_id}/confirm")
async def confirm(
    request: Request,
    charge_id: str,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
    back: Back = HOME,
) -> Response:
    """What is to be paid, and the way to the bank."""
    charge = await charges.get(session, actor.team_id, charge_id)
    found = await charges.at_gateway(session, gateway, charge)
    if found is None or found.action is None or not charge.confirmable:
        await charges.look(session, gateway, actor.team_id, charge.key)
        return redirect(request, local(back))
    return render(
        request,
        "billing/confirm.html",
        actor=actor,
        charge=charge,
        action=found.action,
        waits=charge.state == "authenticating",
        bank_url=f"{found.action.url}?back={local(back)}" if found.action.url else "",
        back=local(back),
        stripe=stripe_page(request),
    )


@router.post("/billing/charges/{charge_id}/confirm")
async def confirmed(
    request: Request,
    charge_id: str,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
    back: Annotated[str, Form(max_length=200)] = HOME,
) -> Response:
    """The browser has been at the bank: ask the gateway what came of it."""
    charge = await charges.get(session, actor.team_id, charge_id)
    outcome = await charges.look(session, gateway, actor.team_id, charge.key)
    toast = "Payment confirmed" if outcome.ok else outcome.sentence
    return redirect(request, local(back), toast=toast)


@router.get(BANK + "{action_id}")
async def show_bank(
    request: Request,
    action_id: str,
    actor: AdminActor,
    gateway: CurrentGateway,
    back: Back = HOME,
) -> HTMLResponse:
    """The test gateway's bank asks the card's owner."""
    asked = await _asked(gateway, action_id, actor.team_id)
    money = asked.money if isinstance(asked, Hold) else None
    return render(
        request,
        "billing/test_bank.html",
        actor=actor,
        action=f"{BANK}{action_id}",
        money=money,
        back=local(back),
    )


@router.post(BANK + "{action_id}")
async def answer_bank(
    request: Request,
    action_id: str,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
    answer: Annotated[str, Form(pattern="^(approve|refuse)$")],
    back: Annotated[str, Form(max_length=200)] = HOME,
) -> Response:
    asked = await _asked(gateway, action_id, actor.team_id)
    if isinstance(gateway, TestGateway):
        await gateway.answer(action_id, approve=answer == "approve")
    if isinstance(asked, Hold):
        outcome = await charges.look(session, gateway, actor.team_id, asked.key)
        toast = "Payment confirmed" if outcome.ok else outcome.sentence
        return redirect(request, local(back), toast=toast)
    added = await cards.finish(session, gateway, actor.team_id, asked.id)
    return redirect(request, local(back), toast=said_of(added))


def said_of(added: PaymentMethod | Setup) -> str:
    """What a person is told when a card was given."""
    if isinstance(added, PaymentMethod):
        return f"{added.brand} ending in {added.last4} added"
    return added.sentence or "The card was not added."


async def _asked(gateway: CurrentGateway, action_id: str, team_id: str) -> Hold | Setup:
    asked = await gateway.asked(action_id) if isinstance(gateway, TestGateway) else None
    if asked is None or asked.customer != team_id:
        raise NothingAsked("The bank asks nothing here any more.", remedy="Go back to Billing.")
    return asked
