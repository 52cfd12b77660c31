"""REST of billing: subscription and standing, cards, charges."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr, WithJsonSchema
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from offhook.billing import cards, charges, subscriptions
from offhook.billing.gateway import Action, CardInput, HoldState, Setup, SetupState
from offhook.billing.models import Charge, PaymentMethod
from offhook.billing.rules import CardStatus, MissingCode, SubscriptionState
from offhook.billing.web import CurrentGateway, confirm_url, publishable_key, test_gateway
from offhook.teams import AdminActor, CurrentActor, TeamSession
from offhook.web import Page, PagingQuery, paginate, shapes

router = APIRouter(prefix="/api/v1/billing", tags=["billing"])


class MissingOut(BaseModel):
    code: MissingCode
    sentence: str
    remedy: str


class SubscriptionOut(BaseModel):
    state: SubscriptionState
    since: datetime
    may_buy: bool
    services_on: bool
    missing: list[MissingOut] = Field(description="What keeps the team from buying.")


class CardOut(BaseModel):
    id: str
    brand: str
    last4: str
    expiry_month: int
    expiry_year: int
    status: CardStatus
    is_default: bool
    created_at: datetime


class SetupOut(BaseModel):
    """A card on its way: what the browser of its owner needs."""

    id: str
    state: SetupState
    sentence: str
    client_secret: str = Field(description="For Stripe's script; empty with the test gateway.")
    publishable_key: str
    url: str = Field(description="Where the test gateway's bank asks; empty with Stripe.")


class ConfirmationOut(BaseModel):
    """A payment that its card's bank wants confirmed: what the browser of its owner needs."""

    charge_id: str
    state: HoldState
    decline_code: str
    page: str = Field(description="Our page on which its owner confirms it.")
    client_secret: str = Field(description="For Stripe's script; empty with the test gateway.")
    publishable_key: str
    url: str = Field(description="Where the test gateway's bank asks; empty with Stripe.")


def _digits(least: int, most: int) -> WithJsonSchema:
    """What the document says of a figure that is never shown; its reading is the gateway's."""
    return WithJsonSchema(
        {"type": "string", "pattern": f"^[0-9]{{{least},{most}}}$", "writeOnly": True}
    )


class CardIn(shapes.Exact):
    """A card to store. With the test gateway only test cards are taken."""

    number: Annotated[SecretStr, _digits(12, 19)]
    expiry_month: Annotated[int, shapes.told(minimum=1, maximum=12)]
    expiry_year: Annotated[int, shapes.told(minimum=2000, maximum=2100)]
    code: Annotated[SecretStr, _digits(3, 4)]


class ChargeOut(BaseModel):
    id: str
    reference: str
    description: str
    micros: int = Field(description="Millionths of the currency's unit.")
    currency: str
    state: HoldState
    decline_code: str
    dispute: str = Field(description="How far a dispute of it has come; empty without one.")
    payment_method_id: str
    created_at: datetime


def _card(row: PaymentMethod) -> CardOut:
    return CardOut.model_validate(row, from_attributes=True)


@router.get("/subscription")
async def get_subscription(actor: CurrentActor, session: TeamSession) -> SubscriptionOut:
    """The team's subscription, and what the team may do."""
    row = await subscriptions.subscription(session, actor.team_id)
    standing = await subscriptions.standing(session, actor.team_id)
    return SubscriptionOut(
        state=SubscriptionState(row.state),
        since=row.since,
        may_buy=standing.may_buy,
        services_on=standing.services_on,
        missing=[
            MissingOut(code=each.code, sentence=each.sentence, remedy=each.remedy)
            for each in standing.missing
        ],
    )


@router.get("/cards")
async def list_cards(actor: CurrentActor, session: TeamSession) -> list[CardOut]:
    """The cards on file, the default one first."""
    return [_card(row) for row in await cards.on_file(session, actor.team_id)]


@router.post(
    "/cards",
    status_code=HTTPStatus.CREATED,
    responses={202: {"model": SetupOut, "description": "The card's bank asks its owner first."}},
)
async def add_card(
    body: CardIn,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
    response: Response,
) -> CardOut | SetupOut:
    """Store a test card; only without a payment gateway's key. Else begin a setup.

    It becomes the default when no other one works.
    """
    given = CardInput(
        body.number.get_secret_value(),
        body.expiry_month,
        body.expiry_year,
        body.code.get_secret_value(),
    )
    added = await cards.type_card(session, test_gateway(gateway), actor.team_id, given)
    return _added(added, response)


@router.post("/cards/setups", status_code=HTTPStatus.CREATED)
async def begin_setup(
    request: Request, actor: AdminActor, session: TeamSession, gateway: CurrentGateway
) -> SetupOut:
    """Begin to add a card. Its owner gives it to Stripe with Stripe's script and the secret."""
    return _setup(await cards.begin(session, gateway, actor.team_id), publishable_key(request))


@router.post("/cards/setups/{setup_id}", responses={202: {"model": SetupOut}})
async def finish_setup(
    setup_id: str,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
    response: Response,
) -> CardOut | SetupOut:
    """Put the card on file once the gateway has it; 202 while it has not."""
    return _added(await cards.finish(session, gateway, actor.team_id, setup_id), response)


def _added(added: PaymentMethod | Setup, response: Response) -> CardOut | SetupOut:
    if isinstance(added, PaymentMethod):
        return _card(added)
    response.status_code = HTTPStatus.ACCEPTED
    return _setup(added, "")


def _setup(setup: Setup, key: str) -> SetupOut:
    action = setup.action or Action()
    return SetupOut(
        id=setup.id,
        state=setup.state,
        sentence=setup.sentence,
        client_secret=action.client_secret,
        publishable_key=key,
        url=action.url,
    )


@router.post("/cards/{card_id}/default")
async def make_default(card_id: str, actor: AdminActor, session: TeamSession) -> CardOut:
    """Let charges go to this card."""
    return _card(await cards.set_default(session, actor.team_id, card_id))


@router.delete("/cards/{card_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_card(
    card_id: str, actor: AdminActor, session: TeamSession, gateway: CurrentGateway
) -> Response:
    """Forget a card, here and at the gateway."""
    await cards.remove_card(session, gateway, actor.team_id, card_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/charges")
async def list_charges(
    actor: CurrentActor, session: TeamSession, paging: PagingQuery
) -> Page[ChargeOut]:
    """What was held, taken, given back or declined, the newest first."""
    query = select(Charge).where(Charge.team_id == actor.team_id)
    rows, following = await paginate(session, query, paging, Charge.created_at, Charge.id)
    items = [ChargeOut.model_validate(row, from_attributes=True) for row in rows]
    return Page(items=items, next=following)


@router.get("/charges/{charge_id}/confirmation")
async def get_confirmation(
    request: Request,
    charge_id: str,
    actor: AdminActor,
    session: TeamSession,
    gateway: CurrentGateway,
) -> ConfirmationOut:
    """What is needed to confirm a payment with its card's bank (3-D Secure)."""
    charge = await charges.get(session, actor.team_id, charge_id)
    found = await charges.at_gateway(session, gateway, charge)
    action = (found.action if found and charge.confirmable else None) or Action()
    return ConfirmationOut(
        charge_id=charge.id,
        state=HoldState(charge.state),
        decline_code=charge.decline_code,
        page=confirm_url(charge.id),
        client_secret=action.client_secret,
        publishable_key=publishable_key(request),
        url=action.url,
    )


@router.post("/charges/{charge_id}/confirmation")
async def confirmed(
    charge_id: str, actor: AdminActor, session: TeamSession, gateway: CurrentGateway
) -> ChargeOut:
    """Ask the gateway what came of it, after its owner was at the bank."""
    charge = await charges.get(session, actor.team_id, charge_id)
    await charges.look(session, gateway, actor.team_id, charge.key)
    return ChargeOut.model_validate(charge, from_attributes=True)
