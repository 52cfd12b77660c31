"""Monthly limits of a number, set through the ledger and kept in its activity (U1, UL1)."""

from dataclasses import dataclass

from offhook import prices, usage
from offhook.db import Session, now
from offhook.numbers import activity, service
from offhook.numbers.activity import By
from offhook.numbers.models import Number
from offhook.usage import Balance, Counted, Service


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as a page shows it: what is used of it, and what it means in words."""

    service: Service
    balance: Balance
    use: Counted
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
    return after


async def limits(session: Session, number: Number) -> list[Limit]:
    """The limits of both services."""
    found: list[Limit] = []
    used = {
        use.service: use
        for use in await usage.counted(session, number.team_id)
        if use.number_id == number.id
    }
    for each in Service:
        balance = await usage.balance(session, number.team_id, number_id=number.id, service=each)
        sentence = await sentence_for(session, number, each, balance.limit, balance)
        found.append(Limit(each, balance, used[each], sentence))
    return found


async def sentence_for(
    session: Session, number: Number, limited: Service, limit: int | None, balance: Balance
) -> str:
    """What `limit` would mean (pages.md, Limits), also before it is set."""
    price = await prices.price_at(
        session,
        carrier=number.price_kind,
        country=number.country,
        number_type=number.type,
        at=await now(session),
    )
    each = price.per_minute() if limited is Service.CALLS else price.per_message()
    return usage.limit_sentence(limited, limit, each, balance.period)
