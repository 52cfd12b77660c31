"""Values as REST takes them, one type for each, so that the document forbids what rooms refuse.

A room checks its values itself, with a sentence and a remedy; `told` says the same to programs.
Where neither a bound nor a pattern can say it (a zone that exists, a number that some plan has), a
`format` names it.
"""

import re
from collections.abc import Mapping
from datetime import date, time
from types import NoneType, UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")
SOMETHING = r"\S"
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
MISTAKEN = object()
MAX_NAME = 80
MAX_PHONE = 60
MAX_EMAIL = 254
MAX_URL = 2_000


def told(**schema: Any) -> Any:
    """What the document says of a value, in JSON Schema's words; the room holds it."""
    return Field(json_schema_extra=schema)


def _day(value: Any) -> Any:
    """A day is written whole: no count of seconds, no instant stands for one."""
    if isinstance(value, str | int | float) and not DAY.fullmatch(str(value)):
        raise ValueError("write a day as YYYY-MM-DD")
    return value


def _on_the_clock(value: Any) -> Any:
    """A time on the wall has no offset from UTC, and is no count of seconds."""
    if isinstance(value, str | int | float) and not re.fullmatch(CLOCK, str(value)):
        raise ValueError("write a time as HH:MM")
    return value


def _instant(value: Any) -> Any:
    """An instant is a date with a time and its offset: no count of seconds stands for one."""
    if isinstance(value, str | int | float) and not INSTANT.match(str(value)):
        raise ValueError("write a time as 2026-05-14T09:30:00Z")
    return value


class Body(BaseModel):
    """What a request's JSON holds: `0` is no `false`, `true` no number, `"5"` neither of them."""

    @model_validator(mode="before")
    @classmethod
    def _as_json(cls, body: Any) -> Any:
        """A value of another JSON type is passed on as one that its field refuses in its words."""
        if not isinstance(body, Mapping):
            return body
        fields = cls.model_fields
        return {
            name: value
            if name not in fields or _fits(value, _types(fields[name].annotation))
            else MISTAKEN
            for name, value in cast("Mapping[str, Any]", body).items()
        }


def _fits(value: Any, wanted: frozenset[Any]) -> bool:
    """Whether JSON's truths, figures and texts are wanted where they are; else pydantic decides."""
    figures = bool(wanted & {int, float})
    if isinstance(value, bool):
        return bool in wanted or not figures
    if isinstance(value, int | float):
        return figures or bool not in wanted
    return not (isinstance(value, str) and wanted <= {int, float, bool, NoneType})


class Exact(Body):
    """A body whose unknown members are refused, so that a typing error is noticed."""

    model_config = ConfigDict(extra="forbid")


def _types(annotation: Any) -> frozenset[Any]:
    """The types that a field takes: those of a union, one by one."""
    if get_origin(annotation) is Annotated:
        return _types(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return frozenset[Any]().union(*map(_types, get_args(annotation)))
    return frozenset({annotation})


class MoneyOut(BaseModel):
    """An exact amount."""

    amount: str = Field(description='Decimal text, such as "4.80".')
    currency: str = Field(description="ISO 4217.")


Name = Annotated[str, told(minLength=1, maxLength=MAX_NAME, pattern=SOMETHING)]
"""What people call something: 1 to 80 characters, not all of them spaces."""
Text = Annotated[str, told(minLength=1, pattern=SOMETHING)]
"""Something is written; its bound is the field's."""
Day = Annotated[date, BeforeValidator(_day)]
"""`2026-05-14`."""
Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
"""`2026-05-14T09:30:00Z`."""
Clock = Annotated[
    time,
    BeforeValidator(_on_the_clock),
    PlainSerializer(lambda clock: f"{clock:%H:%M}", return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": CLOCK}),
]
"""A time on the wall: `09:00`."""
Month = Annotated[str, told(pattern="^([0-9]{4}-(0[1-9]|1[0-2]))?$", maxLength=7)]
"""`2026-05`; empty where the parameter says what that means."""
Phone = Annotated[str, Field(max_length=MAX_PHONE), told(minLength=1, format="phone")]
"""A telephone number as people write it; read in the team's country."""
Email = Annotated[str, told(minLength=1, maxLength=MAX_EMAIL, format="email")]
Zone = Annotated[str, told(minLength=1, maxLength=64, format="time-zone")]
"""An IANA name: `Europe/Paris`."""
Country = Annotated[str, told(minLength=2, maxLength=2, format="country")]
"""ISO 3166: `US`."""
Url = Annotated[str, Field(max_length=MAX_URL), told(minLength=1, format="web-address")]
"""The address of somebody's own system."""
Amount = Annotated[str, told(pattern=r"^[0-9]{1,4}(\.[0-9]{1,6})?$")]
"""A price as decimal text."""
Cents = Annotated[str, told(pattern=r"^[0-9]{1,6}(\.[0-9]{1,2})?$")]
"""Money as decimal text, in whole cents."""
