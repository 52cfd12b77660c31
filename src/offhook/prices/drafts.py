"""A new version of a price as somebody writes it: read, checked, all its faults named at once.

The same rules for the page, REST and a CSV file. Pure: the present time and the writer's zone are
arguments.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers

from offhook.errors import Invalid
from offhook.prices.money import MICROS, Money
from offhook.prices.rules import CarrierKind, NumberType, Price, shipped

LEAD = timedelta(minutes=1)
"""A version is known so long before it is in force: a minute is priced when it is reserved, 20 s
before it begins, and must be charged the same when it is settled (UP5)."""
MAX_PRICE = 10_000
FIRST_YEAR, LAST_YEAR = 2000, 2200
AMOUNTS = (
    "monthly",
    "minute_inbound",
    "minute_outbound",
    "message_inbound",
    "message_outbound",
)
FIELDS = ("carrier", "country", "number_type", *AMOUNTS, "valid_from")


class PriceInvalid(Invalid):
    """A price that cannot be used as it was written; `errors` name each field."""

    code = "price_invalid"


class PriceInPast(Invalid):
    """A new price must not change what has happened already (UP5)."""

    code = "price_in_past"


def currency() -> str:
    """The currency of the whole list: sums over numbers of two currencies would mean nothing."""
    return shipped()[0].monthly.currency


def read(fields: Mapping[str, Any], *, zone: str, present: datetime | None = None) -> Price:
    """The version that `fields` (named as in FIELDS) describe, without an id yet.

    A `valid_from` without an offset is meant in `zone`. Raises PriceInvalid with every fault, and
    PriceInPast where the time is the only one; without `present` any time will do.
    """
    faults: list[dict[str, str]] = []

    def use(field: str, reading: Callable[[object], Any]) -> Any:
        try:
            return reading(fields.get(field, ""))
        except ValueError as fault:
            faults.append({"field": field, "sentence": str(fault)})
            return None

    kind = [
        use("carrier", _carrier),
        use("country", _country),
        use("number_type", _number_type),
    ]
    amounts = [use(field, read_amount) for field in AMOUNTS]
    start = use("valid_from", partial(read_time, zone=zone))
    if faults:
        raise PriceInvalid(
            " ".join(fault["sentence"] for fault in faults),
            remedy="Correct the fields and send it again.",
            errors=faults,
        )
    if present is not None:
        check_start(start, present)
    return Price("", *kind, *amounts, valid_from=start)


def check_start(start: datetime, present: datetime) -> None:
    """Raise PriceInPast unless `start` lies far enough ahead."""
    if start < present + LEAD:
        passed = "has passed" if start < present else "is less than a minute ahead"
        sentence = f"A price cannot be valid from {start:%Y-%m-%d %H:%M} UTC, which {passed}."
        raise PriceInPast(
            sentence,
            remedy="Choose a later time.",
            errors=[{"field": "valid_from", "sentence": sentence}],
        )


def read_amount(value: object) -> Money:
    """Money of the list's currency, from text. ValueError says what is wrong with it."""
    text = str(value).strip()
    if not text:
        raise ValueError("Enter an amount; 0 is free.")
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"“{text[:40]}” is not an amount: write it as 0.0137.") from None
    if not amount.is_finite():
        raise ValueError(f"“{text[:40]}” is not an amount: write it as 0.0137.")
    if amount < 0:
        raise ValueError(f"{text[:40]} is negative: a price is 0 or more.")
    if amount > MAX_PRICE:
        raise ValueError(f"{text[:40]} is more than {MAX_PRICE:,}.")
    if (amount * MICROS) % 1:
        raise ValueError(f"{text[:40]} has more than six digits after the point.")
    return Money.of(amount, currency())


def read_time(value: object, zone: str) -> datetime:
    """An instant, from a time or ISO 8601 text; without an offset it is meant in `zone`."""
    if isinstance(value, datetime):
        moment = value
    else:
        text = str(value).strip()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"“{text[:40]}” is no time: write it as 2026-12-01T00:00.") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"The year {moment.year} is out of range.")
    return moment.astimezone(UTC)


def _carrier(value: object) -> str:
    if str(value) not in set(CarrierKind):
        raise ValueError(f"“{str(value)[:40]}” is no kind of carrier: {', '.join(CarrierKind)}.")
    return CarrierKind(str(value)).value


def _country(value: object) -> str:
    code = str(value).strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError(f"“{str(value)[:40]}” is no country: use its two letters, such as US.")
    return code


def _number_type(value: object) -> NumberType:
    if str(value) not in set(NumberType):
        raise ValueError(f"“{str(value)[:40]}” is no type of number: {', '.join(NumberType)}.")
    return NumberType(str(value))
