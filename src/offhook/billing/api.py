"""REST of billing: subscription and standing, cards, charges."""

from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from sqlalchemy import select
from starlette.responses import Response

from offhook.billing import cards, subscriptions
from offhook.billing.gateway import CardInput, HoldState
from offhook.billing.models import Charge, PaymentMethod
from offhook.billing.rules import CardStatus, MissingCode, SubscriptionState
from offhook.billing.web import CurrentGateway
from offhook.teams import AdminActor, CurrentActor, TeamSession
from offhook.web import Page, PagingQuery, paginate

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


class CardIn(BaseModel):
    """A card to store. With the test gateway only test cards are taken."""

    model_config = ConfigDict(extra="forbid")
    number: SecretStr
    expiry_month: int
    expiry_year: int
    code: SecretStr


class ChargeOut(BaseModel):
    id: str
    reference: str
    description: str
    micros: int = Field(description="Millionths of the currency's unit.")
    currency: str
    state: HoldState
    decline_code: str
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


@router.post("/cards", status_code=HTTPStatus.CREATED)
async def add_card(
    body: CardIn, actor: AdminActor, session: TeamSession, gateway: CurrentGateway
) -> CardOut:
    """Store a card. It becomes the default when no other one works."""
    given = CardInput(
        body.number.get_secret_value(),
        body.expiry_month,
        body.expiry_year,
        body.code.get_secret_value(),
    )
    return _card(await cards.add_card(session, gateway, actor.team_id, given))


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
