"""What every table has in common: names of constraints, ids, UTC times, the owning team.

A table with a `team_id` is protected by row-level security as a second wall behind the queries'
own `team_id`: a session sees the rows of the team that it was opened for (SEC7).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import (
    DateTime,
    Enum,
    ForeignKey,
    MetaData,
    String,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from offhook.db.ids import new_id

ID_LENGTH = 40
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcTime(TypeDecorator[datetime]):
    """An aware time, in UTC on both sides; a naive one is refused before it is written."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value!r}")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: UtcTime()}  # noqa: RUF012 - SQLAlchemy's own way to say it


def primary_key(prefix: str) -> Mapped[str]:
    """A text id with `prefix`, made by us before the row is written."""
    return mapped_column(
        String(ID_LENGTH),
        primary_key=True,
        default=partial(new_id, prefix),
        info={"prefix": prefix},
    )


def one_of(kind: type[StrEnum], *, length: int = 20) -> Enum:
    """A text column that reads back as the enumeration; new members need no migration."""
    return Enum(kind, native_enum=False, length=length, values_callable=_values)


def _values(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]


class TeamOwned:
    """A row that belongs to one team; the team's deletion is not a way to lose a ledger."""

    @declared_attr
    def team_id(cls) -> Mapped[str]:  # noqa: N805 - a declared attribute is a class method
        return mapped_column(String(ID_LENGTH), ForeignKey("teams.id"), index=True)


class TeamKeyed(TeamOwned):
    """The same, in a table whose rows are found by longer keys, most of which begin with the team.

    An index of the team alone would be written with each row, and where the server knows nothing of
    a table yet it would read all that a team has there to find a few.
    """

    @declared_attr
    def team_id(cls) -> Mapped[str]:  # noqa: N805 - a declared attribute is a class method
        return mapped_column(String(ID_LENGTH), ForeignKey("teams.id"))


def protect(table: str) -> Sequence[str]:
    """The statements that put `table` behind row-level security, for its migration."""
    seen = "team_id = current_setting('offhook.team', true)"
    system = "current_setting('offhook.team', true) = '*'"
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY team ON {table} USING ({seen} OR {system}) WITH CHECK ({seen} OR {system})",
    )
