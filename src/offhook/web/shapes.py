"""Values as REST takes them, one type for each, so that the document forbids what rooms refuse.

A room checks its values itself, with a sentence and a remedy; `told` says the same to programs.
Where neither a bound nor a pattern can say it (a zone that exists, a number that some plan has), a
`format` names it.
"""

import re
from datetime import date, time
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, WithJsonSchema

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SOMETHING = r"\S"
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"
MAX_NAME = 80
MAX_PHONE = 60
MAX_EMAIL = 254
MAX_URL = 2_000


def told(**schema: Any) -> Any:
    """What the document says of a value, in JSON Schema's words; the room holds it."""
    return Field(json_schema_extra=schema)


def _day(value: Any) -> Any:
    """A day is written whole: no count of seconds, no instant stands for one."""
    if isinstance(value, str) and not DAY.fullmatch(value):
        raise ValueError("write a day as YYYY-MM-DD")
    return value


def _on_the_clock(value: Any) -> Any:
    """A time on the wall has no offset from UTC, and is no count of seconds."""
    if isinstance(value, str) and not re.fullmatch(CLOCK, value):
        raise ValueError("write a time as HH:MM")
    return value


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
