"""What REST takes: values of the type that its document names, and no other that could be meant."""

from datetime import date, time
from typing import Annotated, Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from offhook.web.shapes import Body, Clock, Day, Exact, Instant


class Wished(Body):
    on: bool = False
    share: float = 0.0
    count: Annotated[int, Field(ge=0)] | None = None
    name: str = ""
    at: Instant | None = None
    opens: Clock = time(8)
    first: Day = date(2026, 1, 1)
    free: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it


class Whole(Exact):
    on: bool | None = None


@pytest.mark.parametrize(
    "body",
    [
        {"on": True, "share": 1, "count": 3.0, "name": "x", "at": "2026-05-14T09:30:00+02:00"},
        {"opens": "09:00", "first": "2026-05-14", "free": {"on": 0}, "count": None},
        {"not_known": 1},
        {},
    ],
)
def test_what_the_document_allows_is_taken(body: dict[str, Any]) -> None:
    Wished.model_validate(body)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("on", 0),
        ("on", "true"),
        ("share", True),
        ("share", "0.5"),
        ("count", False),
        ("count", "3"),
        ("count", 3.5),
        ("name", 1),
        ("at", 0.5),
        ("at", "0.5"),
        ("at", "2026-05-14"),
        ("at", "2026-05-14T09:30:00"),
        ("opens", 0),
        ("opens", 28800.0),
        ("first", 0),
        ("first", "20260514"),
    ],
)
def test_what_another_type_stands_for_is_refused_at_its_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Wished.model_validate({field: value})
    assert {each["loc"][0] for each in refused.value.errors()} == {field}


def test_unknown_members_of_an_exact_body_are_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        Whole.model_validate({"onn": True})
    with pytest.raises(ValidationError):
        Whole.model_validate({"on": 1})


@pytest.mark.parametrize("written", ["2026-05-14T09:30:00Z", "2026-05-14 09:30:00-05:00"])
def test_an_instant_of_a_query_is_a_date_with_its_time(written: str) -> None:
    assert TypeAdapter(Instant).validate_python(written).utcoffset() is not None
