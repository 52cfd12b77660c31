"""Monthly limits of a number, set through the ledger and kept in its activity (U1, UL1)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from offhook import audit, prices, usage
from offhook.db import Session, now
from offhook.numbers import activity, service
from offhook.numbers.activity import By
from offhook.numbers.models import Activity, Number
from offhook.prices import Price
from offhook.usage import Counted, LimitThen, Period, Service


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as a page shows it: what is used of it, and what it means in words."""

    use: Counted
    resets_at: datetime
    sentence: str


async def set_limit(
    session: Session, team_id: str, number_id: str, by: By, limited: Service, value: object
) -> int | None:
    """Set a limit at once; None is unlimited. Raises LimitInvalid, NumberGone."""
    number = await service.locked(session, team_id, number_id)
    before = await usage.limit_of(session, team_id, number_id=number_id, service=limited)
    after = await usage.set_limit(
        session, team_id, number_id=number_id, service=limited, value=value
    )
    name = f"{limited}_limit"
    if after != before:
        await activity.record(
            session, number, by, "limited", before={name: before}, after={name: after}
        )
        changes = {name: (before, after)}
        audit.record(
            session, team_id, "changed", "number", number_id, label=number.name, changes=changes
        )
    return after


async def limits(session: Session, number: Number) -> dict[Service, Limit]:
    """The limits of both services."""
    price = await _price(session, number)
    month, used = await usage.counted_of(session, number.team_id, number.id)
    return {
        service: Limit(use, month.ends_at, _sentence(service, use.limit, price, month))
        for service, use in used.items()
    }


async def sentence_for(
    session: Session, number: Number, limited: Service, limit: int | None
) -> str:
    """What `limit` would mean (pages.md, Limits), before it is set."""
    month, _ = await usage.counted_of(session, number.team_id, number.id)
    return _sentence(limited, limit, await _price(session, number), month)


async def _price(session: Session, number: Number) -> Price:
    return await prices.price_at(
        session,
        carrier=number.price_kind,
        country=number.country,
        number_type=number.type,
        at=await now(session),
    )


def _sentence(limited: Service, limit: int | None, price: Price, month: Period) -> str:
    each = price.per_minute() if limited is Service.CALLS else price.per_message()
    return usage.limit_sentence(limited, limit, each, month)


async def limit_then(
    session: Session, team_id: str, number_id: str, limited: Service, at: datetime
) -> LimitThen | None:
    """The limit in force at `at`, by the number's activity (`usage.limits_from`)."""
    name = f"{limited}_limit"
    changes = select(Activity).where(
        Activity.team_id == team_id,
        Activity.number_id == number_id,
        Activity.action == "limited",
        Activity.after.has_key(name),
    )
    before = await session.scalar(
        changes.where(Activity.at <= at).order_by(Activity.position.desc()).limit(1)
    )
    if before is not None:
        return LimitThen(before.after[name])
    later = await session.scalar(
        changes.where(Activity.at > at).order_by(Activity.position).limit(1)
    )
    if later is not None:
        return LimitThen(later.before.get(name))
    limit = await usage.limit_of(session, team_id, number_id=number_id, service=limited)
    return LimitThen(limit)
