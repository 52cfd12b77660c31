"""The facts of explain.py in plain words, for a person who has an invoice in hand. Pure."""

from dataclasses import dataclass

from offhook.usage.closing import LineKind
from offhook.usage.entries import Rating
from offhook.usage.explain import Explanation
from offhook.usage.rules import Kind, Service
from offhook.web import money_text

MINUTES_AND_MESSAGES = {Service.CALLS: ("minute", "minutes"), Service.SMS: ("message", "messages")}


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of a reader and its answer, in plain words."""

    question: str
    answer: str


def headline(found: Explanation) -> str:
    """What the unit cost, in a few words."""
    if found.entry is None:
        held = found.steps[-1].kind is Kind.RESERVED
        return "Held, not used yet" if held else "Not used, not charged"
    return {
        Rating.FREE: "Free",
        Rating.CHARGED: f"Charged {money_text(found.entry.price)}",
        Rating.TAKEN_BACK: "Taken back, not charged",
        Rating.TOO_LATE: "Recorded too late, not charged",
    }[found.entry.rating]


def sentences(found: Explanation) -> list[Answer]:
    """Why it was charged or not, which limit it counted toward, and where the price is from."""
    return [
        Answer("Why", _why(found)),
        *([Answer("Taken back", text)] if (text := _taken_back(found)) else []),
        *([Answer("Limit", text)] if (text := _toward(found)) else []),
        *([Answer("Price", text)] if (text := _priced(found)) else []),
        *([Answer("Invoice", text)] if (text := _invoiced(found)) else []),
    ]


def _why(found: Explanation) -> str:
    one, many = MINUTES_AND_MESSAGES[found.service]
    month = f"{found.month.period.month:%B %Y}"
    size = found.service.free_units
    entry = found.entry
    if entry is None:
        if found.steps[-1].kind is Kind.RESERVED:
            return f"This {one} is reserved. It is neither usage nor charged until it is used."
        return f"This {one} was reserved and given back unused, so it cost nothing."
    if entry.rating is Rating.TAKEN_BACK:
        return f"This {one} was used and taken back, so it is neither free nor charged."
    if entry.rating is Rating.TOO_LATE:
        return f"This {one} was recorded more than 35 days after it was used. It costs nothing."
    shared = f"The first {size} of a month are free, shared by all numbers"
    if entry.line_kind in (LineKind.LATE, LineKind.EXPIRED) or _is_late(found):
        left = "some of them were left" if entry.rating is Rating.FREE else "none of them were left"
        outcome = "free" if entry.rating is Rating.FREE else "charged"
        return (
            f"This {one} was recorded after {month} had been closed. {shared}; {left} by then, "
            f"so this one is {outcome}. What was rated before stays as it was."
        )
    place = f"This was the {ordinal(found.rank or 0)} {one} of {month} of all your numbers."
    outcome = "so this one is free" if entry.rating is Rating.FREE else "so this one is charged"
    moves = "" if found.month.closed_at else _may_move(entry.rating, many)
    return f"{place} {shared}, in the order of use, {outcome}.{moves}"


def _is_late(found: Explanation) -> bool:
    return found.month.is_rated and found.entry is not None and found.entry.closed_in is None


def _may_move(rating: Rating, many: str) -> str:
    if rating is Rating.FREE:
        return ""
    return f" If earlier {many} are taken back before the month is closed, it may become free."


def _taken_back(found: Explanation) -> str:
    back = next((step for step in found.steps if step.kind is Kind.CORRECTED), None)
    if back is None:
        return ""
    by = f" by {back.actor}" if back.actor else ""
    why = f": {back.reason}" if back.reason else ""
    credited = found.back is not None and found.back.line_kind is LineKind.CREDIT
    where = " The amount was credited on a later invoice." if credited else ""
    return f"Taken back{by}{why}.{where}"


def _toward(found: Explanation) -> str:
    if found.rank_of_number is None:
        return ""
    _, many = MINUTES_AND_MESSAGES[found.service]
    count = f"It was the {ordinal(found.rank_of_number)} of this number’s {many} in the month."
    if found.limit is None:
        said = "The number had no limit" if found.limit_is_known else "The number has no limit"
        return f"{count} {said} for {many}."
    when = "when it was taken" if found.limit_is_known else "in that month"
    return f"{count} The limit {when} was {found.limit:,}; free {many} count toward it too."


def _priced(found: Explanation) -> str:
    if found.entry is None:
        return ""
    one, _ = MINUTES_AND_MESSAGES[found.service]
    if found.price is None:
        return "No price was set for this kind of number, so it cost nothing."
    price = found.price.price
    return (
        f"{money_text(found.entry.price)} per {found.direction} {one}, "
        f"by price version {price.id}, "
        f"in force since {price.valid_from.day} {price.valid_from:%b %Y}. "
        f"A {one} keeps the price that was in force when it began."
    )


def _invoiced(found: Explanation) -> str:
    if found.entry is None:
        return ""
    if found.invoice is not None:
        return f"It is on invoice {found.invoice.text}."
    if found.entry.closed_in is not None:
        return "Its month is closed."
    if found.month.is_rated:
        return "It came after its month was closed; it will be on the next invoice."
    if found.invoice_at is not None:
        return "It will be on the invoice of its month, which is made 3 days after the month ends."
    return "Billing was off in its month: it is on no invoice."


def ordinal(number: int) -> str:
    """`61st`, `112th`."""
    tens = 10 <= number % 100 <= 20  # noqa: PLR2004 - eleventh to twentieth
    return f"{number:,}{'th' if tens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
