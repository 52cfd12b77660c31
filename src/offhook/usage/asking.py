"""Which entries an address asks for: the same words on pages, in REST and in exports.

`month=2026-11`, or `from=2026-11-03&to=2026-11-09` (days of the team's zone, both included), and
what narrows them. An empty value means all; a wrong one is refused by its name.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Query
from pydantic import Field, WithJsonSchema

from offhook.db import Session
from offhook.errors import Invalid
from offhook.prices import Direction
from offhook.usage.entries import Rating, Wanted
from offhook.usage.export import Asked
from offhook.usage.months import NAMED, month_named, months_of_span
from offhook.usage.rules import Service
from offhook.web import shapes

Member = TypeVar("Member", bound=StrEnum)


class FilterInvalid(Invalid):
    """A filter's value that is none of its choices."""

    code = "filter_invalid"


@dataclass(frozen=True, slots=True)
class Entries:
    """The address's wish as it was written; texts are empty where nothing is said."""

    month: str = ""
    first: str = ""
    last: str = ""
    service: Service | None = None
    number: str = ""
    direction: Direction | None = None
    price: str = ""
    rating: Rating | None = None
    subject: str = ""

    @property
    def wanted(self) -> Wanted:
        return Wanted(
            number_id=self.number,
            direction=self.direction,
            price_id=self.price,
            rating=self.rating,
            subject_id=self.subject,
        )

    @property
    def query(self) -> str:
        """As the address has it, empty parts left out."""
        parts = {
            "month": self.month,
            "from": self.first,
            "to": self.last,
            "service": self.service or "",
            "number": self.number,
            "direction": self.direction or "",
            "price": self.price,
            "rating": self.rating or "",
            "subject": self.subject,
        }
        return urlencode({name: value for name, value in parts.items() if value})


OptionalDay = Annotated[
    str,
    Field(max_length=10),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "maxLength": 0}]}
    ),
]


def _one_of(kind: type[StrEnum], description: str) -> Any:
    """A parameter that is one of these or empty, as the document says it; read by `_choice`."""
    return Query(description=description, json_schema_extra={"enum": ["", *kind]})


def _asked(
    month: Annotated[shapes.Month, Query(description="YYYY-MM; empty: the running one.")] = "",
    first: Annotated[OptionalDay, Query(alias="from", description="YYYY-MM-DD.")] = "",
    last: Annotated[OptionalDay, Query(alias="to", description="YYYY-MM-DD.")] = "",
    service: Annotated[str, _one_of(Service, "Empty: both.")] = "",
    number: Annotated[str, Query(max_length=80, description="A number's id.")] = "",
    direction: Annotated[str, _one_of(Direction, "Empty: both.")] = "",
    price: Annotated[str, Query(max_length=60, description="A price version's id.")] = "",
    rating: Annotated[str, _one_of(Rating, "Empty: all.")] = "",
    subject: Annotated[str, Query(max_length=80, description="A call's or message's id.")] = "",
) -> Entries:
    return Entries(
        month=month,
        first=first,
        last=last,
        service=_choice(Service, "service", service),
        number=number,
        direction=_choice(Direction, "direction", direction),
        price=price,
        rating=_choice(Rating, "rating", rating),
        subject=subject,
    )


EntriesQuery = Annotated[Entries, Depends(_asked)]


async def to_export(session: Session, team_id: str, zone: str, asked: Entries) -> Asked:
    """What to read for `asked`. Raises MonthMissing, FilterInvalid."""
    services = tuple(Service) if asked.service is None else (asked.service,)
    if not (asked.first or asked.last):
        named = await month_named(session, team_id, asked.month)
        return Asked([named], asked.wanted, services)
    if asked.month and not NAMED.fullmatch(asked.month):
        raise FilterInvalid(f"“{asked.month[:20]}” is no month.", remedy="Write it as 2026-04.")
    start = (
        _midnight(asked.first, "from", zone) if asked.first else datetime.min.replace(tzinfo=UTC)
    )
    after = timedelta(days=1)
    end = (
        _midnight(asked.last, "to", zone, after) if asked.last else datetime.max.replace(tzinfo=UTC)
    )
    if end <= start:
        raise FilterInvalid(
            f"No day is from {asked.first} to {asked.last}.", remedy="Let `to` be the later day."
        )
    months = await months_of_span(session, team_id, start, end)
    return Asked(months, replace(asked.wanted, span=(start, end)), services)


def _midnight(text: str, name: str, zone: str, later: timedelta = timedelta(0)) -> datetime:
    try:
        day = date.fromisoformat(text) + later
        return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise FilterInvalid(
            f"“{text}” is not a day for `{name}`.", remedy="Write a day as YYYY-MM-DD."
        ) from None


def _choice(kind: type[Member], name: str, value: str) -> Member | None:
    if not value:
        return None
    if value not in list(kind):
        choices = ", ".join(kind)
        raise FilterInvalid(
            f"“{value[:20]}” is not a `{name}`.",
            remedy=f"Choose one of {choices}, or leave it out.",
        )
    return kind(value)
