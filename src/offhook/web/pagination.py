"""Cursor pagination of lists, the same for every list of the API.

A cursor names the last row that was seen by its sort key, so rows that come or go meanwhile make
no gap and no repetition. To the caller it is opaque.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar, cast

from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import Select, literal, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from offhook.db import UtcTime
from offhook.errors import Invalid

T = TypeVar("T")
Row = TypeVar("Row")
DEFAULT_LIMIT = 25
MAX_LIMIT = 100


class CursorInvalid(Invalid):
    code = "cursor_invalid"


class Page(BaseModel, Generic[T]):
    """One page of a list; `next` is the cursor of the following one, or null at the end."""

    items: list[T]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """The caller's wish: how many, after which cursor."""

    limit: int = DEFAULT_LIMIT
    cursor: str = ""


def _paging(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT,
    cursor: Annotated[str, Query(max_length=500, json_schema_extra={"format": "cursor"})] = "",
) -> Paging:
    return Paging(limit, cursor)


PagingQuery = Annotated[Paging, Depends(_paging)]


def encode(key: Sequence[Any]) -> str:
    values = [v.isoformat() if isinstance(v, date) else v for v in key]
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decode(cursor: str, kinds: Sequence[type]) -> list[Any]:
    """The sort key of the last row seen. Raises CursorInvalid for anything we did not write."""
    try:
        return [_meant(value, kind) for value, kind in zip(_read(cursor), kinds, strict=True)]
    except (ValueError, OverflowError, binascii.Error):
        raise _invalid(cursor) from None


def _meant(value: Any, kind: type) -> Any:
    """A value of a key, from JSON. ValueError or OverflowError where it is none of this kind."""
    if kind is datetime:
        moment = datetime.fromisoformat(str(value))
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment.astimezone(UTC)
    if kind is date:
        return date.fromisoformat(str(value))
    if type(value) is not kind:  # true is an int to Python, and none to a database
        raise ValueError(f"{value!r} is no {kind.__name__}")
    str(value).encode()  # half a surrogate pair cannot be stored
    return value


def _read(cursor: str) -> list[Any]:
    values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    return cast("list[Any]", values) if isinstance(values, list) else []


def _invalid(cursor: str) -> CursorInvalid:
    return CursorInvalid(
        f"“{cursor[:40]}” is not a cursor of this list.",
        remedy="Use the value of `next` of the page before, unchanged.",
    )


def beyond(query: Select[Row], cursor: str, *order: InstrumentedAttribute[Any]) -> Select[Row]:
    """`query` from the cursor on, newest first; `paginate` takes a page of it."""
    if cursor:
        kinds = [
            datetime if isinstance(column.type, UtcTime) else column.type.python_type
            for column in order
        ]
        values = decode(cursor, kinds)
        seen = [literal(value, column.type) for value, column in zip(values, order, strict=True)]
        query = query.where(tuple_(*order) < tuple_(*seen))
    return query.order_by(*(column.desc() for column in order))


async def paginate(
    session: AsyncSession,
    query: Select[Row],
    paging: Paging,
    *order: InstrumentedAttribute[Any],
) -> tuple[list[Row], str | None]:
    """The rows of one page, newest first by `order` (its last column unique), and the next cursor.

    `query` comes without order and limit: `paginate(session, select(Call), paging, Call.created,
    Call.id)`.
    """
    ahead = beyond(query, paging.cursor, *order).limit(paging.limit + 1)
    rows = list((await session.scalars(ahead)).all())
    if len(rows) <= paging.limit:
        return rows, None
    rows = rows[: paging.limit]
    return rows, encode([getattr(rows[-1], column.key) for column in order])
