"""Search, quote and order (A1 to A4); purchasing.py then carries the order out (A5).

The buyer's role is checked where the request comes in. Prices are our own price list's, never a
guess from the carrier's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from offhook import billing, prices
from offhook.carriers import Carrier, NumberType, Offer, Search
from offhook.db import Session, enqueue, new_id, now, touch
from offhook.numbers import problems, rules
from offhook.numbers.activity import By
from offhook.numbers.models import Number, Purchase, Quote
from offhook.numbers.rules import NumberStatus
from offhook.numbers.saga import Happened, PurchaseState, advance
from offhook.phone import E164, country_of, international
from offhook.prices import Money, Price

PURCHASE_JOB = "numbers.purchase"
MAX_KEY_CHARS = 80
MAX_RESULTS = 30


@dataclass(frozen=True, slots=True)
class Listing:
    """One search result with what we charge for it (A2)."""

    offer: Offer
    price: Price


async def search(
    session: Session, carrier: Carrier, query: Search, *, carrier_name: str
) -> list[Listing]:
    """Numbers that can be bought now, each with its price. Raises SearchInvalid, PriceMissing,
    and the carrier's own problems.
    """
    for field in ("area_code", "digits"):
        value: str = getattr(query, field)
        if value and not (value.isascii() and value.isdigit()):
            spoken = field.replace("_", " ")
            raise problems.SearchInvalid(
                f"“{value[:40]}” is not a sequence of digits.",
                remedy=f"Write the {spoken} in digits only.",
                errors=[{"field": field, "sentence": "Digits only."}],
            )
    price = await _price(session, carrier_name, query.country, query.type, await now(session))
    offers = await carrier.search(replace(query, limit=min(query.limit, MAX_RESULTS)))
    return [Listing(offer, price) for offer in offers]


async def quote(
    session: Session,
    carrier: Carrier,
    team_id: str,
    by: By,
    *,
    e164: E164,
    number_type: NumberType,
    zone: str,
    carrier_name: str,
) -> Quote:
    """Put a number that is on offer into writing (A3): good for 15 minutes.

    Raises NumberTaken where the carrier offers it no more.
    """
    country = country_of(e164) or "US"
    found = await carrier.search(Search(country=country, type=number_type, digits=e164[1:]))
    offer = next((each for each in found if each.e164 == e164), None)
    if offer is None:
        raise problems.NumberTaken(
            f"{international(e164)} is no longer on offer.", remedy="Choose another number."
        )
    at = await now(session)
    price = await _price(session, carrier_name, country, number_type, at)
    row = Quote(
        id=new_id("quo"),
        team_id=team_id,
        e164=e164,
        country=country,
        type=number_type,
        locality=", ".join(each for each in (offer.locality, offer.region) if each),
        has_voice=offer.capabilities.voice,
        has_sms=offer.capabilities.sms,
        has_mms=offer.capabilities.mms,
        registrations=[str(each) for each in offer.registrations],
        carrier=carrier_name,
        price_id=price.id,
        currency=price.monthly.currency,
        rent_micros=price.monthly.micros,
        first_month_micros=today(price.monthly, at, zone).micros,
        minute_inbound_micros=price.minute_inbound.micros,
        minute_outbound_micros=price.minute_outbound.micros,
        message_inbound_micros=price.message_inbound.micros,
        message_outbound_micros=price.message_outbound.micros,
        terms_version=prices.TERMS_VERSION,
        created_by=by.id,
        created_at=at,
        expires_at=at + rules.QUOTE_VALID,
    )
    session.add(row)
    await session.flush()
    return row


def today(monthly: Money, at: datetime, zone: str) -> Money:
    """What is charged with the purchase (A6); less than a card can be charged is not charged."""
    rest = rules.first_month(monthly, at, zone)
    return Money(0, rest.currency) if rest < billing.least(rest.currency) else rest


async def get_quote(session: Session, team_id: str, quote_id: str, *, lock: bool = False) -> Quote:
    query = select(Quote).where(Quote.team_id == team_id, Quote.id == quote_id)
    found = await session.scalar(query.with_for_update(key_share=True) if lock else query)
    if found is None:
        raise problems.QuoteNotFound(f"There is no quote {quote_id[:40]}.", remedy="Search again.")
    return found


async def get_purchase(session: Session, team_id: str, purchase_id: str) -> Purchase:
    found = await session.scalar(
        select(Purchase).where(Purchase.team_id == team_id, Purchase.id == purchase_id)
    )
    if found is None:
        raise problems.PurchaseNotFound(f"There is no purchase {purchase_id[:40]}.")
    return found


async def order(
    session: Session,
    team_id: str,
    by: By,
    *,
    quote_id: str,
    accepted_terms: str,
    idempotency_key: str,
) -> Purchase:
    """Order what the quote names; the same key answers with the same purchase (A5).

    Raises PurchaseNotAllowed with all that is missing (A1), QuoteNotFound, QuoteExpired,
    QuoteUsed, PriceChanged (A3), TermsNotAccepted (A4), NumberTaken, IdempotencyKeyReused.
    """
    _check_key(idempotency_key)
    # One order at a time per quote: a parallel one with the same key then finds it made.
    shown = await get_quote(session, team_id, quote_id, lock=True)
    if made := await _by_key(session, team_id, idempotency_key):
        return _same(made, quote_id)
    at = await now(session)
    await _check_standing(session, team_id)
    await _check_quote(session, shown, at)
    _check_terms(shown, accepted_terms)
    await session.execute(
        insert(Purchase)
        .values(
            id=new_id("pur"),
            team_id=team_id,
            idempotency_key=idempotency_key,
            quote_id=quote_id,
            e164=shown.e164,
            state=PurchaseState.ORDERED,
            waits_since=at,
            micros=shown.first_month_micros,
            currency=shown.currency,
            carrier=shown.carrier,
            carrier_id="",
            failure_code="",
            failure="",
            terms_version=accepted_terms,
            terms_accepted_by=by.id,
            terms_accepted_at=at,
            buyer=by.label,
            created_at=at,
            updated_at=at,
        )
        .on_conflict_do_nothing()
    )
    made = await _by_key(session, team_id, idempotency_key)
    if made is None:  # the conflict was about the quote
        raise _used(shown)
    if made.created_at == at:
        await resume(session, team_id, made.id)
    return _same(made, quote_id)


async def give_up(session: Session, team_id: str, purchase_id: str) -> Purchase:
    """The buyer does not authenticate: the purchase is undone. Raises PurchaseNotWaiting."""
    found = await session.scalar(
        select(Purchase)
        .where(Purchase.team_id == team_id, Purchase.id == purchase_id)
        .with_for_update(key_share=True)
    )
    if found is None:
        raise problems.PurchaseNotFound(f"There is no purchase {purchase_id[:40]}.")
    if found.state != PurchaseState.AUTHENTICATING:
        raise problems.PurchaseNotWaiting(
            f"This purchase waits for no confirmation: it is {found.state}.",
            remedy="See how far it has come.",
        )
    found.state = advance(PurchaseState.AUTHENTICATING, Happened.REFUSED)
    found.failure_code = "given_up"
    found.failure = "The payment was not confirmed: the purchase was given up."
    found.updated_at = await now(session)
    await resume(session, team_id, purchase_id)
    await touch(session, team_id, f"purchase:{purchase_id}")
    return found


async def resume(session: Session, team_id: str, purchase_id: str) -> None:
    """Let a worker go on with a purchase; what has ended stays as it is."""
    await enqueue(
        session,
        PURCHASE_JOB,
        lock=purchase_id,
        team_id=team_id,
        purchase_id=purchase_id,
    )


async def when_settled(session: Session, charge: billing.Charge) -> None:
    """A payment was confirmed or refused at its bank: the purchase that waits for it goes on."""
    waiting = await session.scalar(
        select(Purchase.id).where(
            Purchase.team_id == charge.team_id,
            Purchase.id == charge.key,
            Purchase.state == PurchaseState.AUTHENTICATING,
        )
    )
    if waiting is not None:
        await resume(session, charge.team_id, waiting)


async def _price(
    session: Session, carrier_name: str, country: str, number_type: str, at: datetime
) -> Price:
    return await prices.price_at(
        session, carrier=carrier_name, country=country, number_type=number_type, at=at
    )


async def _by_key(session: Session, team_id: str, key: str) -> Purchase | None:
    return await session.scalar(
        select(Purchase).where(Purchase.team_id == team_id, Purchase.idempotency_key == key)
    )


def _same(made: Purchase, quote_id: str) -> Purchase:
    if made.quote_id != quote_id:
        raise problems.IdempotencyKeyReused(
            "This idempotency key was used for another purchase.",
            remedy="Use a new key for a new purchase.",
            purchase_id=made.id,
        )
    return made


def _check_key(key: str) -> None:
    if not 1 <= len(key) <= MAX_KEY_CHARS or not key.isprintable():
        raise problems.IdempotencyKeyMissing(
            f"A purchase needs an idempotency key of 1 to {MAX_KEY_CHARS} characters.",
            remedy="Send the header Idempotency-Key, a new one for each purchase.",
        )


async def _check_standing(session: Session, team_id: str) -> None:
    standing = await billing.standing(session, team_id)
    if standing.may_buy:
        return
    missing: Sequence[billing.Missing] = standing.missing
    raise problems.PurchaseNotAllowed(
        " ".join(each.sentence for each in missing),
        remedy=" ".join(each.remedy for each in missing),
        missing=[
            {"code": each.code, "sentence": each.sentence, "remedy": each.remedy}
            for each in missing
        ],
    )


async def _check_quote(session: Session, shown: Quote, at: datetime) -> None:
    used = await session.scalar(
        select(Purchase.id).where(Purchase.team_id == shown.team_id, Purchase.quote_id == shown.id)
    )
    if used is not None:
        raise _used(shown)
    if at >= shown.expires_at:
        raise problems.QuoteExpired(
            "The quote is older than 15 minutes.", remedy="Ask for a new one."
        )
    price = await _price(session, shown.carrier, shown.country, shown.type, at)
    if _amounts(price) != _shown_amounts(shown):
        raise problems.PriceChanged(
            f"The price of {international(E164(shown.e164))} has changed since the quote.",
            remedy="Ask for a new quote.",
        )
    holder = await session.scalar(
        select(Number.id).where(
            Number.team_id == shown.team_id,
            Number.e164 == shown.e164,
            Number.status != NumberStatus.RELEASED,
        )
    )
    if holder is not None:
        raise problems.NumberTaken(
            f"{international(E164(shown.e164))} is your team's already.",
            remedy="Choose another number.",
        )


def _check_terms(shown: Quote, accepted: str) -> None:
    if accepted != shown.terms_version:
        raise problems.TermsNotAccepted(
            "The terms were not accepted."
            if not accepted
            else f"The terms of the quote are version {shown.terms_version}, not {accepted[:20]}.",
            remedy=f"Read and accept the terms, version {shown.terms_version}.",
            errors=[{"field": "accept_terms", "sentence": "Accept the terms to go on."}],
        )


def _used(shown: Quote) -> problems.QuoteUsed:
    return problems.QuoteUsed(
        f"The quote for {international(E164(shown.e164))} was used already.",
        remedy="Ask for a new one.",
    )


def _amounts(price: Price) -> tuple[Money, ...]:
    return (
        price.monthly,
        price.minute_inbound,
        price.minute_outbound,
        price.message_inbound,
        price.message_outbound,
    )


def _shown_amounts(shown: Quote) -> tuple[Money, ...]:
    return tuple(
        Money(micros, shown.currency)
        for micros in (
            shown.rent_micros,
            shown.minute_inbound_micros,
            shown.minute_outbound_micros,
            shown.message_inbound_micros,
            shown.message_outbound_micros,
        )
    )
