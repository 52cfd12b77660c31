"""REST of buying: search, quote, order, and how far an order has come (A1 to A5)."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query
from pydantic import BaseModel, Field

from offhook import phone, prices
from offhook.carriers import NumberType, Registration, Search
from offhook.numbers import purchase
from offhook.numbers.models import Purchase, Quote
from offhook.numbers.saga import PurchaseState
from offhook.numbers.web import CarrierName, CurrentCarrier
from offhook.numbers.who import by
from offhook.teams import AdminActor, CurrentActor, TeamSession
from offhook.web import shapes

router = APIRouter(prefix="/api/v1/numbers", tags=["buying numbers"])


class AvailableOut(BaseModel):
    e164: str
    country: str
    type: NumberType
    locality: str
    region: str
    voice: bool
    sms: bool
    mms: bool
    registrations: list[Registration]
    monthly_micros: int = Field(description="Millionths of the currency's unit.")
    currency: str


class QuoteIn(shapes.Exact):
    e164: shapes.Phone = Field(description="One of the numbers that a search has found.")
    type: NumberType = NumberType.LOCAL


class QuoteOut(BaseModel):
    """What is shown before paying. Prices are in millionths of the currency's unit."""

    id: str
    e164: str
    country: str
    type: str
    locality: str
    has_voice: bool
    has_sms: bool
    has_mms: bool
    registrations: list[str]
    currency: str
    rent_micros: int
    first_month_micros: int = Field(description="Charged with the purchase.")
    minute_inbound_micros: int
    minute_outbound_micros: int
    message_inbound_micros: int
    message_outbound_micros: int
    free_minutes: int = prices.FREE_MINUTES
    free_messages: int = prices.FREE_MESSAGES
    terms_version: str
    terms: str
    created_at: datetime
    expires_at: datetime


class PurchaseIn(shapes.Exact):
    quote_id: str
    accept_terms: str = Field(default="", description="The version of the terms you accept.")


class PurchaseOut(BaseModel):
    id: str
    quote_id: str
    e164: str
    state: PurchaseState
    number_id: str | None = Field(description="There once the state is completed.")
    charge_id: str | None = Field(
        description="The payment. While the state is authenticating, its owner confirms it: "
        "/api/v1/billing/charges/{id}/confirmation."
    )
    failure_code: str
    failure: str
    micros: int
    currency: str
    terms_version: str
    terms_accepted_by: str
    terms_accepted_at: datetime
    created_at: datetime
    updated_at: datetime


def _purchase(row: Purchase) -> PurchaseOut:
    return PurchaseOut.model_validate(row, from_attributes=True)


def _quote(row: Quote) -> QuoteOut:
    names = set(QuoteOut.model_fields) - {"terms", "free_minutes", "free_messages"}
    return QuoteOut(**{name: getattr(row, name) for name in names}, terms=prices.terms())


@router.get("/available")
async def search(
    _: CurrentActor,
    session: TeamSession,
    carrier: CurrentCarrier,
    carrier_name: CarrierName,
    country: Annotated[str, Query(pattern="^[A-Z]{2}$")] = "US",
    type: NumberType = NumberType.LOCAL,  # noqa: A002 - the parameter's name in the address
    area_code: Annotated[str, Query(max_length=6), shapes.told(pattern="^[0-9]*$")] = "",
    digits: Annotated[str, Query(max_length=15)] = "",
    voice: bool = False,
    sms: bool = False,
    limit: Annotated[int, Query(ge=1, le=purchase.MAX_RESULTS)] = 20,
) -> list[AvailableOut]:
    """Numbers that can be bought now, each with its price."""
    query = Search(country, type, area_code, digits, voice, sms, limit)
    found = await purchase.search(session, carrier, query, carrier_name=carrier_name)
    return [
        AvailableOut(
            e164=each.offer.e164,
            country=each.offer.country,
            type=each.offer.type,
            locality=each.offer.locality,
            region=each.offer.region,
            voice=each.offer.capabilities.voice,
            sms=each.offer.capabilities.sms,
            mms=each.offer.capabilities.mms,
            registrations=list(each.offer.registrations),
            monthly_micros=each.price.monthly.micros,
            currency=each.price.monthly.currency,
        )
        for each in found
    ]


@router.post("/quotes", status_code=HTTPStatus.CREATED)
async def make_quote(
    body: QuoteIn,
    actor: AdminActor,
    session: TeamSession,
    carrier: CurrentCarrier,
    carrier_name: CarrierName,
) -> QuoteOut:
    """What a number costs and what must be accepted; good for 15 minutes."""
    row = await purchase.quote(
        session,
        carrier,
        actor.team_id,
        by(actor),
        e164=phone.parse(body.e164),
        number_type=body.type,
        zone=actor.timezone,
        carrier_name=carrier_name,
    )
    return _quote(row)


@router.get("/quotes/{quote_id}")
async def get_quote(quote_id: str, actor: CurrentActor, session: TeamSession) -> QuoteOut:
    return _quote(await purchase.get_quote(session, actor.team_id, quote_id))


@router.post("/purchases", status_code=HTTPStatus.ACCEPTED)
async def order(
    body: PurchaseIn,
    actor: AdminActor,
    session: TeamSession,
    idempotency_key: Annotated[str, Header(min_length=1, max_length=80)],
) -> PurchaseOut:
    """Buy what the quote names. The same Idempotency-Key never buys twice."""
    row = await purchase.order(
        session,
        actor.team_id,
        by(actor),
        quote_id=body.quote_id,
        accepted_terms=body.accept_terms,
        idempotency_key=idempotency_key,
    )
    return _purchase(row)


@router.get("/purchases/{purchase_id}")
async def get_purchase(purchase_id: str, actor: CurrentActor, session: TeamSession) -> PurchaseOut:
    """How far a purchase has come; `completed` and `failed` are its two ends."""
    return _purchase(await purchase.get_purchase(session, actor.team_id, purchase_id))


@router.post("/purchases/{purchase_id}/give-up")
async def give_up(purchase_id: str, actor: AdminActor, session: TeamSession) -> PurchaseOut:
    """End a purchase whose payment waits to be confirmed; nothing is charged."""
    return _purchase(await purchase.give_up(session, actor.team_id, purchase_id))
