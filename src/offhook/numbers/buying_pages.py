"""Pages of buying a number: search, review with quote and terms, progress as it happens."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook import billing, prices
from offhook.billing import HoldState
from offhook.carriers import NumberType, Search
from offhook.numbers import problems, purchase, rules
from offhook.numbers.models import Purchase, Quote
from offhook.numbers.purchase import Listing
from offhook.numbers.saga import PurchaseState
from offhook.numbers.web import CarrierName, CurrentCarrier
from offhook.numbers.who import by
from offhook.phone import E164
from offhook.prices import Money
from offhook.teams import Actor, AdminActor, CurrentActor, TeamSession
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
MAX_SHOWN = 12
STEPS = ["Search", "Review", "Purchase", "Done"]
COUNTRY_NAMES = {
    "US": "United States",
    "CA": "Canada",
    "GB": "United Kingdom",
    "DE": "Germany",
    "FR": "France",
    "AU": "Australia",
}
TYPES = [
    (NumberType.LOCAL, "Local"),
    (NumberType.MOBILE, "Mobile"),
    (NumberType.TOLL_FREE, "Toll-free"),
]
# What a buyer sees of the saga: each line and the states in which it is under way.
PROGRESS = [
    ("Reserving the payment", {PurchaseState.ORDERED, PurchaseState.AUTHENTICATING}),
    ("Buying at the carrier", {PurchaseState.AUTHORISED}),
    ("Setting it up", {PurchaseState.BOUGHT, PurchaseState.RECORDED}),
    ("Taking the payment", {PurchaseState.CONFIGURED}),
]


@router.get("/numbers/add")
async def add(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    carrier_name: CarrierName,
    country: Annotated[str, Query(pattern="^([A-Z]{2})?$")] = "",
) -> HTMLResponse:
    known = sorted({each.country for each in prices.shipped() if each.carrier == carrier_name})
    home = country or (actor.country if actor.country in known else "US")
    standing = await billing.standing(session, actor.team_id)
    return render(
        request,
        "numbers/add.html",
        actor=actor,
        countries=[(each, COUNTRY_NAMES.get(each, each)) for each in known],
        country=home,
        types=TYPES,
        steps=STEPS,
        missing=standing.missing,
        simulated=carrier_name == "simulator",
    )


@router.get("/numbers/available")
async def results(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    carrier: CurrentCarrier,
    carrier_name: CarrierName,
    country: Annotated[str, Query(pattern="^[A-Z]{2}$")] = "US",
    type: NumberType = NumberType.LOCAL,  # noqa: A002 - the parameter's name in the address
    area_code: Annotated[str, Query(max_length=6)] = "",
    digits: Annotated[str, Query(max_length=15)] = "",
    voice: bool = False,
    sms: bool = False,
) -> HTMLResponse:
    """What a search found, for the page of the search."""
    query = Search(country, type, area_code.strip(), digits.strip(), voice, sms, MAX_SHOWN)
    found = await purchase.search(session, carrier, query, carrier_name=carrier_name)
    return render(request, "numbers/results.html", found=found, type=type, actor=actor)


@router.post("/numbers/try")
async def try_simulated(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    carrier: CurrentCarrier,
    carrier_name: CarrierName,
) -> Response:
    """A first number from the simulated carrier: straight to its review."""
    query = Search("US", voice=True, sms=True, limit=1)
    found: list[Listing] = await purchase.search(session, carrier, query, carrier_name=carrier_name)
    if not found:
        raise problems.NumberTaken(
            "The simulated carrier has no number left.", remedy="Delete one first."
        )
    return await _review(
        request, actor, session, carrier, carrier_name, found[0].offer.e164, NumberType.LOCAL
    )


@router.post("/numbers/quotes")
async def make_quote(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    carrier: CurrentCarrier,
    carrier_name: CarrierName,
    e164: Annotated[str, Form(max_length=16)],
    type: Annotated[NumberType, Form()] = NumberType.LOCAL,  # noqa: A002 - the field's name
) -> Response:
    return await _review(request, actor, session, carrier, carrier_name, E164(e164), type)


async def _review(
    request: Request,
    actor: Actor,
    session: TeamSession,
    carrier: CurrentCarrier,
    carrier_name: str,
    e164: E164,
    kind: NumberType,
) -> Response:
    row = await purchase.quote(
        session,
        carrier,
        actor.team_id,
        by(actor),
        e164=e164,
        number_type=kind,
        zone=actor.timezone,
        carrier_name=carrier_name,
    )
    return redirect(request, f"/numbers/quotes/{row.id}")


@router.get("/numbers/quotes/{quote_id}")
async def review(
    request: Request,
    quote_id: str,
    actor: CurrentActor,
    session: TeamSession,
    carrier_name: CarrierName,
) -> HTMLResponse:
    row = await purchase.get_quote(session, actor.team_id, quote_id)
    standing = await billing.standing(session, actor.team_id)
    return render(
        request,
        "numbers/quote.html",
        actor=actor,
        quote=row,
        prices=_prices(row),
        terms=_terms(),
        registrations=rules.registration_sentences(row.registrations),
        simulated=carrier_name == "simulator",
        missing=standing.missing,
        steps=STEPS,
        free_minutes=prices.FREE_MINUTES,
        free_messages=prices.FREE_MESSAGES,
    )


def _prices(row: Quote) -> dict[str, Money]:
    names = (
        "rent",
        "first_month",
        "minute_inbound",
        "minute_outbound",
        "message_inbound",
        "message_outbound",
    )
    return {name: Money(getattr(row, f"{name}_micros"), row.currency) for name in names}


def _terms() -> list[tuple[str, str]]:
    """The terms as pairs of heading and text."""
    return re.findall(r"^\d+\. \*\*(.+?)\.\*\* (.+)$", prices.terms(), re.MULTILINE)


@router.post("/numbers/purchases")
async def order(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    quote_id: Annotated[str, Form(max_length=40)],
    accept_terms: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """The quote is the idempotency key: a second click finds the same purchase."""
    made = await purchase.order(
        session,
        actor.team_id,
        by(actor),
        quote_id=quote_id,
        accepted_terms=accept_terms,
        idempotency_key=quote_id,
    )
    return redirect(request, f"/numbers/purchases/{made.id}")


@router.get("/numbers/purchases/{purchase_id}")
async def progress(
    request: Request, purchase_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    return render(request, "numbers/purchase.html", **await _progress(session, actor, purchase_id))


@router.get("/numbers/purchases/{purchase_id}/progress")
async def progress_fragment(
    request: Request, purchase_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    context = await _progress(session, actor, purchase_id)
    return render(request, "numbers/purchase.html", block="progress", **context)


@router.post("/numbers/purchases/{purchase_id}/give-up")
async def give_up(
    request: Request, purchase_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await purchase.give_up(session, actor.team_id, purchase_id)
    return redirect(request, f"/numbers/purchases/{purchase_id}")


async def _progress(session: TeamSession, actor: Actor, purchase_id: str) -> dict[str, Any]:
    row = await purchase.get_purchase(session, actor.team_id, purchase_id)
    state = PurchaseState(row.state)
    under_way = next((i for i, (_, states) in enumerate(PROGRESS) if state in states), None)
    done = len(PROGRESS) if state is PurchaseState.COMPLETED else under_way or 0
    return {
        "actor": actor,
        "purchase": row,
        "going_back": state.going_back,
        "completed": state is PurchaseState.COMPLETED,
        "failed": state is PurchaseState.FAILED,
        "confirm_url": await _confirm_url(session, row),
        "charged": Money(row.micros, row.currency),
        "lines": [
            (label, index < done, index == under_way) for index, (label, _) in enumerate(PROGRESS)
        ],
        "steps": STEPS,
    }


async def _confirm_url(session: TeamSession, row: Purchase) -> str:
    """Where the buyer confirms the payment with the card's bank; empty while nobody asks."""
    if row.state != PurchaseState.AUTHENTICATING or row.charge_id is None:
        return ""
    charge = await billing.charge(session, row.team_id, row.charge_id)
    if charge.state != HoldState.AUTHENTICATING:  # answered; the purchase is about to go on
        return ""
    return billing.confirm_url(charge.id, back=f"/numbers/purchases/{row.id}")
