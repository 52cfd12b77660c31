"""Secret columns: their type, how a row's secret is sealed and opened, and the rotation of keys.

The vault's context of a secret is made from the row itself (SEC22), so no caller can get it wrong.
Rotation finds every column of the type `Sealed` in the tables it is given; it takes no lock that
a reader or writer would wait for, may be killed anywhere, and is simply run again.

    token: Mapped[str] = mapped_column(Sealed())
    account.token = seal(vault, account, "token", b"...")     # the row has its id and team
    unseal(vault, account, "token")
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, MetaData, Table, Text, TypeDecorator, select, update
from sqlalchemy.engine import Dialect

from offhook.db.engine import Database
from offhook.failpoints import failpoint
from offhook.vault import Vault, parse_sealed

BATCH = 100


class Sealed(TypeDecorator[str]):
    """A column that holds sealed secrets only; a plain one is refused before it is written."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is not None:
            parse_sealed(value)
        return value


def seal(vault: Vault, row: Any, column: str, plain: bytes) -> str:
    """`plain` sealed for this row's `column`; the row must have its id and team already."""
    return vault.seal(plain, _context_of(row, column))


def unseal(vault: Vault, row: Any, column: str) -> bytes:
    """The secret in this row's `column`. Raises the vault's SecretUnreadable."""
    return vault.open(getattr(row, column), _context_of(row, column))


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: secrets under the newest key, and where the others are."""

    key_id: str
    rewrapped: int
    by_key: dict[str, int]


async def keys_in_use(database: Database, metadata: MetaData) -> Counter[str]:
    """How many secrets each key id has sealed."""
    found: Counter[str] = Counter()
    async with database.system() as session:
        for _, column in _secret_columns(metadata):
            for value in await session.scalars(select(column).where(column.is_not(None))):
                found[parse_sealed(value).key_id] += 1
    return found


async def rotate(
    database: Database,
    vault: Vault,
    metadata: MetaData,
    *,
    passage: Callable[[str], None] = failpoint,
) -> Rotated:
    """Wrap every secret with the vault's newest key. Raises the vault's SecretUnreadable.

    A value that somebody replaced meanwhile is left as they wrote it.
    """
    rewrapped = 0
    for table, column in _secret_columns(metadata):
        rewrapped += await _rotate_column(database, vault, table, column, passage)
    return Rotated(vault.newest_key_id, rewrapped, dict(await keys_in_use(database, metadata)))


async def _rotate_column(
    database: Database,
    vault: Vault,
    table: Table,
    column: Column[str],
    passage: Callable[[str], None],
) -> int:
    (key,) = table.primary_key.columns
    done, after = 0, ""
    while True:
        async with database.system() as session:
            rows = await session.execute(
                select(key, table.c.team_id, column)
                .where(key > after, column.is_not(None))
                .order_by(key)
                .limit(BATCH)
            )
            batch = [(str(row[0]), str(row[1]), str(row[2])) for row in rows]
            for row_id, team_id, value in batch:
                again = vault.rewrap(value, _context(table.name, column.name, row_id, team_id))
                if again == value:
                    continue
                changed = await session.execute(
                    update(table)
                    .where(key == row_id, column == value)
                    .values({column: again})
                    .returning(key)
                )
                done += len(changed.all())
                passage("rotate.rewrapped")
        passage("rotate.batch")
        if len(batch) < BATCH:
            return done
        after = batch[-1][0]


def _secret_columns(metadata: MetaData) -> Iterator[tuple[Table, Column[str]]]:
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Sealed):
                yield table, column


def _context_of(row: Any, column: str) -> str:
    if not row.id or not row.team_id:
        raise ValueError("a row needs its id and team before a secret is sealed for it")
    return _context(str(row.__tablename__), column, row.id, row.team_id)


def _context(table: str, column: str, row_id: str, team_id: str) -> str:
    return f"{table}.{column}/{row_id}/{team_id}"
