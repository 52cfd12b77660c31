"""Looking up prices, adding versions and withdrawing them. Prices belong to no team."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, select
from sqlalchemy.dialects.postgresql import insert

from offhook.db import Session, new_id, now
from offhook.errors import Conflict, NotFound
from offhook.prices import drafts, rules
from offhook.prices.models import PriceVersion
from offhook.prices.money import Money
from offhook.prices.rules import NumberType, Price, PriceMissing

Kind = tuple[str, str, str]
"""Carrier, country, number type."""
Compared = str | SQLColumnExpression[str]


class PriceTaken(Conflict):
    """Another version begins at the same instant; rows are never changed."""

    code = "price_taken"


class PriceUnknown(NotFound):
    code = "price_unknown"


class PriceStands(Conflict):
    """A version in force has priced what happened, so it stays."""

    code = "price_in_force"


@dataclass(frozen=True, slots=True)
class Version:
    """One version with who made it; `price.id` names shipped ones too."""

    price: Price
    created_by: str
    created_at: datetime | None  # None: it came with Offhook
    withdrawn_by: str = ""
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """One kind of number on the list: what is in force, and what is to come, the next first."""

    kind: Kind
    in_force: Price | None
    scheduled: tuple[Price, ...]


async def versions(
    session: Session, *, carrier: str, country: str, number_type: str
) -> list[Price]:
    """Every version for one kind of number, for `in_force`: shipped ones, then the operator's,
    so that of one instant the operator's wins.
    """
    rows = await session.scalars(
        select(PriceVersion).where(stands_for(carrier, country, number_type))
    )
    return all_of((carrier, country, number_type), rows)


def stands_for(carrier: Compared, country: Compared, number_type: Compared) -> ColumnElement[bool]:
    """Of whose rows `all_of` makes prices, where somebody joins them to a question of their own."""
    return and_(
        PriceVersion.carrier == carrier,
        PriceVersion.country == country,
        PriceVersion.number_type == number_type,
        PriceVersion.withdrawn_at.is_(None),
    )


def all_of(kind: Kind, rows: Iterable[PriceVersion]) -> list[Price]:
    """The shipped versions of a kind and those of the operator in `rows`."""
    return [*(p for p in rules.shipped() if p.kind == kind), *map(_price, rows)]


async def price_at(
    session: Session, *, carrier: str, country: str, number_type: str, at: datetime
) -> Price:
    """The price in force at `at` (UP5). Raises PriceMissing."""
    known = await versions(session, carrier=carrier, country=country, number_type=number_type)
    price = rules.in_force(known, at)
    if price is None:
        raise PriceMissing(
            f"No price is set for {number_type} numbers of {country} at {carrier}.",
            remedy="The operator can add one to the price list.",
            carrier=carrier,
            country=country,
            number_type=number_type,
        )
    return price


async def price_list(session: Session, at: datetime) -> list[Listed]:
    """Every kind of number that has a price at `at` or later, by carrier, country and type."""
    rows = await session.scalars(select(PriceVersion).where(PriceVersion.withdrawn_at.is_(None)))
    known: dict[Kind, list[Price]] = {}
    for price in [*rules.shipped(), *map(_price, rows)]:
        known.setdefault(price.kind, []).append(price)
    return [
        Listed(kind, rules.in_force(prices, at), _scheduled(prices, at))
        for kind, prices in sorted(known.items())
    ]


async def history(session: Session, kind: Kind) -> list[Version]:
    """Every version of one kind, withdrawn ones too, the latest to begin first."""
    carrier, country, number_type = kind
    rows = await session.scalars(
        select(PriceVersion).where(
            PriceVersion.carrier == carrier,
            PriceVersion.country == country,
            PriceVersion.number_type == number_type,
        )
    )
    own = [
        Version(_price(r), r.created_by, r.created_at, r.withdrawn_by or "", r.withdrawn_at)
        for r in rows
    ]
    known = [*(Version(p, "", None) for p in rules.shipped() if p.kind == kind), *own]
    return sorted(known, key=lambda v: (v.price.valid_from, v.created_at is not None), reverse=True)


async def add(session: Session, draft: Price, *, by: str) -> Price:
    """Keep a checked draft (`drafts.read`) as a version. Raises PriceInPast, PriceTaken."""
    present = await now(session)
    drafts.check_start(draft.valid_from, present)
    written = await session.scalar(
        insert(PriceVersion)
        .values(
            id=new_id("price"),
            carrier=draft.carrier,
            country=draft.country,
            number_type=draft.number_type.value,
            currency=draft.monthly.currency,
            monthly=draft.monthly.micros,
            minute_inbound=draft.minute_inbound.micros,
            minute_outbound=draft.minute_outbound.micros,
            message_inbound=draft.message_inbound.micros,
            message_outbound=draft.message_outbound.micros,
            valid_from=draft.valid_from,
            created_at=present,
            created_by=by,
        )
        .on_conflict_do_nothing()
        .returning(PriceVersion)
    )
    if written is None:
        sentence = (
            f"A price of {draft.number_type} numbers of {draft.country} at {draft.carrier} begins "
            f"at {draft.valid_from:%Y-%m-%d %H:%M} UTC already."
        )
        raise PriceTaken(
            sentence,
            remedy="Choose another time, or withdraw that version first.",
            errors=[{"field": "valid_from", "sentence": sentence}],
        )
    return _price(written)


async def add_price(
    session: Session,
    *,
    carrier: str,
    country: str,
    number_type: NumberType,
    monthly: Money,
    minute: tuple[Money, Money],
    message: tuple[Money, Money],
    valid_from: datetime,
    by: str = "",
) -> Price:
    """A new version from `valid_from` on; `minute` and `message` are (inbound, outbound).

    Raises PriceInPast where it would reach back, PriceTaken.
    """
    draft = Price("", carrier, country, number_type, monthly, *minute, *message, valid_from)
    return await add(session, draft, by=by)


async def withdraw(session: Session, price_id: str, *, by: str) -> Price:
    """A scheduled version will not come into force; the row stays, saying who withdrew it.

    Withdrawn again it stays as it was. Raises PriceUnknown, PriceStands.
    """
    row = await session.scalar(
        select(PriceVersion).where(PriceVersion.id == price_id).with_for_update(key_share=True)
    )
    if row is None:
        raise PriceUnknown(f"There is no price version “{price_id[:40]}” of the operator's.")
    present = await now(session)
    if row.withdrawn_at is None:
        if row.valid_from < present + drafts.LEAD:
            raise PriceStands(
                "This version is in force, or will be within a minute: it cannot be withdrawn.",
                remedy="Add a version that follows it.",
            )
        row.withdrawn_at, row.withdrawn_by = present, by
        await session.flush()
    return _price(row)


async def latest_changes(session: Session, limit: int = 20) -> list[Version]:
    """Who added which version lately, the newest first."""
    rows = await session.scalars(
        select(PriceVersion)
        .order_by(PriceVersion.created_at.desc(), PriceVersion.id.desc())
        .limit(limit)
    )
    return [
        Version(_price(r), r.created_by, r.created_at, r.withdrawn_by or "", r.withdrawn_at)
        for r in rows
    ]


def _scheduled(prices: Sequence[Price], at: datetime) -> tuple[Price, ...]:
    return tuple(sorted((p for p in prices if p.valid_from > at), key=lambda p: p.valid_from))


def _price(row: PriceVersion) -> Price:
    return Price(
        id=row.id,
        carrier=row.carrier,
        country=row.country,
        number_type=NumberType(row.number_type),
        monthly=Money(row.monthly, row.currency),
        minute_inbound=Money(row.minute_inbound, row.currency),
        minute_outbound=Money(row.minute_outbound, row.currency),
        message_inbound=Money(row.message_inbound, row.currency),
        message_outbound=Money(row.message_outbound, row.currency),
        valid_from=row.valid_from,
    )
