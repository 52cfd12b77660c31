"""Importing a file row by row: each is taken or refused with line and reason (P7).

A file is uploaded, its reading shown, then a job takes it in batches, each one transaction with
its progress: a killed job goes on behind its last batch. The same file again changes nothing, and
values set by hand stay. What rows are for is a `Taker`: contacts here, opt-outs in messages.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import delete, select

from offhook import phone
from offhook.contacts import rules, spreadsheet
from offhook.contacts.defining import attributes
from offhook.contacts.import_models import Import, ImportState, RefusedRow
from offhook.contacts.models import Contact, ContactNumber, Value
from offhook.contacts.spreadsheet import NUMBER, Meant, Row, Sheet, Way
from offhook.db import (
    Database,
    Session,
    count_anew,
    enqueue,
    for_change,
    now,
    plan_by_values,
    touch,
)
from offhook.errors import Conflict, Invalid, NotFound, Problem
from offhook.failpoints import failpoint
from offhook.web import csv_line

JOB = "contacts.import"
BATCH = 500
MANY = 1_000
GROWN = (Contact, ContactNumber, Value)
"""Tables that an import of many rows makes another size."""
PAGE = 1_000
KEPT = timedelta(days=30)
CELL_CHARACTERS = 200


class ImportNotFound(NotFound):
    code = "import_not_found"


class ImportStarted(Conflict):
    code = "import_started"


class ColumnsInvalid(Invalid):
    code = "import_columns_invalid"


class Taken(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


File = Mapping[str, Meant]
"""The good rows of a file, by their canonical numbers."""


class Taker(Protocol):
    """What the rows of one kind of import are for."""

    meanings: Sequence[str] | None
    """What its columns may mean beside the number; None: the name and every attribute."""

    async def check(
        self, session: Session, team_id: str, options: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The options as they are to be kept. Raises a Problem for what cannot be used."""
        ...

    async def choices(self, session: Session, team_id: str) -> Sequence[tuple[str, str]]:
        """What the option `number_id` may be, as value and text; none: there is no such option."""
        ...

    async def take(
        self,
        session: Session,
        team_id: str,
        rows: Sequence[Meant],
        options: Mapping[str, Any],
        file: File,
    ) -> Sequence[Taken]:
        """Take rows whose numbers differ; what became of each. `file`: all that it says, taken
        already or not.
        """
        ...


_takers: dict[str, Taker] = {}


def imports(kind: str, taker: Taker) -> None:
    """Register what an import of `kind` does; rooms above do it in app.py."""
    _takers[kind] = taker


def taker_of(kind: str) -> Taker:
    """Raises ColumnsInvalid."""
    if kind not in _takers:
        raise ColumnsInvalid(
            f"“{kind[:40]}” cannot be imported.", remedy=f"Use one of: {', '.join(_takers)}."
        )
    return _takers[kind]


@dataclass(frozen=True, slots=True)
class Upload:
    kind: str
    filename: str
    data: bytes
    country: str
    by: str


async def upload(session: Session, team_id: str, file: Upload) -> Import:
    """Keep a file and propose how to read it. Raises FileUnusable; then nothing was kept."""
    taker_of(file.kind)
    # In a thread: a large file must not hold up the process that serves pages.
    way = await asyncio.to_thread(spreadsheet.detect, file.data)
    sheet = await asyncio.to_thread(spreadsheet.read, file.data, way)
    defined = await attributes(session, team_id)
    columns = spreadsheet.guess(sheet, defined)
    allowed = _meanings(file.kind, [each.key for each in defined])
    row = Import(
        team_id=team_id,
        kind=file.kind,
        filename=rules.tidy(file.filename)[:200],
        data=file.data,
        encoding=way.encoding,
        separator=way.separator,
        country=file.country,
        columns=[each if each in allowed else "" for each in columns],
        state=ImportState.ASKING,
        rows_total=len(sheet.rows),
        started_by=file.by,
        created_at=await now(session),
    )
    session.add(row)
    await session.flush()
    return row


async def get(session: Session, team_id: str, import_id: str, *, lock: bool = False) -> Import:
    """Raises ImportNotFound."""
    query = select(Import).where(Import.team_id == team_id, Import.id == import_id)
    if lock:
        query = for_change(query)
    found = await session.scalar(query)
    if found is None:
        raise ImportNotFound(
            f"There is no import “{import_id[:40]}”.", remedy="Take an id from the list."
        )
    return found


async def read_again(session: Session, team_id: str, import_id: str, way: Way) -> Import:
    """Read a waiting file another way. Raises ImportNotFound, ImportStarted, FileUnusable."""
    row = await _waiting(session, team_id, import_id)
    sheet = await asyncio.to_thread(spreadsheet.read, await _data(session, row), way)
    defined = await attributes(session, team_id)
    allowed = _meanings(row.kind, [each.key for each in defined])
    row.encoding, row.separator, row.rows_total = way.encoding, way.separator, len(sheet.rows)
    row.columns = [each if each in allowed else "" for each in spreadsheet.guess(sheet, defined)]
    await session.flush()
    return row


async def sheet_of(session: Session, row: Import) -> Sheet:
    """The file as it is read now; only while it waits or runs."""
    way = Way(row.encoding, row.separator)
    return await asyncio.to_thread(spreadsheet.read, await _data(session, row), way)


async def start(
    session: Session,
    team_id: str,
    import_id: str,
    *,
    columns: Sequence[str] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Import:
    """Let a worker take the rows. Without `columns` as they were guessed.

    Raises ImportNotFound, ImportStarted, ColumnsInvalid.
    """
    row = await _waiting(session, team_id, import_id)
    wanted = list(row.columns if columns is None else columns)
    keys = [each.key for each in await attributes(session, team_id)]
    _check_columns(wanted, _meanings(row.kind, keys), len(row.columns))
    row.columns = wanted
    row.options = dict(await taker_of(row.kind).check(session, team_id, options or {}))
    row.state = ImportState.RUNNING
    await session.flush()
    await enqueue(session, JOB, lock=row.id, team_id=team_id, import_id=row.id)
    await touch(session, team_id, "imports", f"import:{row.id}")
    return row


async def choices(session: Session, row: Import) -> Sequence[tuple[str, str]]:
    """What its option may be, for the page that asks."""
    return await taker_of(row.kind).choices(session, row.team_id)


def _meanings(kind: str, keys: Sequence[str]) -> frozenset[str]:
    extra = taker_of(kind).meanings
    return frozenset({NUMBER, *((rules.NAME, *keys) if extra is None else extra)})


def _check_columns(columns: Sequence[str], allowed: frozenset[str], width: int) -> None:
    meant = [each for each in columns if each]
    if len(columns) != width:
        raise ColumnsInvalid(
            f"{len(columns)} columns were told, the file has {width}.",
            remedy="Say for each column what it means, empty to leave it out.",
        )
    if unknown := next((each for each in meant if each not in allowed), None):
        raise ColumnsInvalid(
            f"A column cannot mean “{unknown[:40]}”.",
            remedy=f"Use one of: {', '.join(sorted(allowed))}.",
        )
    if len(set(meant)) < len(meant):
        twice = next(each for each in meant if meant.count(each) > 1)
        raise ColumnsInvalid(f"Two columns mean “{twice}”.", remedy="Leave one of them out.")
    if NUMBER not in meant:
        raise ColumnsInvalid(
            "No column holds the telephone number.", remedy=f"Mark one column as “{NUMBER}”."
        )


async def _waiting(session: Session, team_id: str, import_id: str) -> Import:
    row = await get(session, team_id, import_id, lock=True)
    if row.state is not ImportState.ASKING:
        raise ImportStarted(
            "This import has begun already.", remedy="Upload the file again for another one."
        )
    return row


async def _data(session: Session, row: Import) -> bytes:
    data = await session.scalar(
        select(Import.data).where(Import.team_id == row.team_id, Import.id == row.id)
    )
    if data is None:
        raise ImportStarted("The file was read and is not kept.", remedy="Upload it again.")
    return data


async def listed(session: Session, team_id: str, *, limit: int = 50) -> Sequence[Import]:
    """The newest first."""
    rows = await session.scalars(
        select(Import)
        .where(Import.team_id == team_id)
        .order_by(Import.created_at.desc(), Import.id.desc())
        .limit(limit)
    )
    return rows.all()


async def refusals(
    session: Session, team_id: str, import_id: str, *, after: int = 0, limit: int = 100
) -> Sequence[RefusedRow]:
    """The refused rows below line `after`, in the order of the file."""
    rows = await session.scalars(
        select(RefusedRow)
        .where(
            RefusedRow.team_id == team_id,
            RefusedRow.import_id == import_id,
            RefusedRow.line > after,
        )
        .order_by(RefusedRow.line)
        .limit(limit)
    )
    return rows.all()


async def report(database: Database, team_id: str, import_id: str) -> AsyncIterator[str]:
    """The refused rows as CSV: line, reason, and the row's own cells."""
    yield csv_line(["line", "reason", "row"])
    after = 0
    while True:
        async with database.team(team_id) as session:
            page = await refusals(session, team_id, import_id, after=after, limit=PAGE)
        for row in page:
            yield csv_line([str(row.line), row.reason, *row.cells])
        if len(page) < PAGE:
            return
        after = page[-1].line


class Importer:
    """The job `contacts.import` of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, team_id: str, import_id: str) -> None:
        """Take the rows that are not taken yet."""
        async with self._database.team(team_id) as session:
            row = await get(session, team_id, import_id)
            if row.state is not ImportState.RUNNING:
                return
            sheet = await sheet_of(session, row)
            defined = {each.key: each for each in await attributes(session, team_id)}
        judged = await asyncio.to_thread(_judged, sheet, row, defined)
        file = {
            phone.canonical(meant.number.e164): meant
            for _, meant in judged
            if not isinstance(meant, str)
        }
        while row.rows_done < len(judged):
            async with self._database.team(team_id) as session:
                await plan_by_values(session)  # the tables grow with each batch
                row = await get(session, team_id, import_id, lock=True)
                batch = judged[row.rows_done : row.rows_done + BATCH]
                await self._batch(session, row, batch, file)
                failpoint("contacts.imported")
        if len(judged) >= MANY:
            async with self._database.team(team_id) as session:
                await count_anew(session, *GROWN)
        async with self._database.team(team_id) as session:
            row = await get(session, team_id, import_id, lock=True)
            row.state, row.data, row.ended_at = ImportState.DONE, None, await now(session)
            await touch(session, team_id, "imports", f"import:{row.id}", "contacts")

    async def _batch(
        self, session: Session, row: Import, batch: Sequence[tuple[Row, Meant | str]], file: File
    ) -> None:
        good = [meant for _, meant in batch if not isinstance(meant, str)]
        taken = await taker_of(row.kind).take(session, row.team_id, good, row.options, file)
        row.created += sum(each is Taken.CREATED for each in taken)
        row.updated += sum(each is Taken.UPDATED for each in taken)
        row.unchanged += sum(each is Taken.UNCHANGED for each in taken)
        row.refused += len(batch) - len(good)
        row.rows_done += len(batch)
        session.add_all(
            RefusedRow(
                team_id=row.team_id,
                import_id=row.id,
                line=each.line,
                cells=[rules.tidy(cell)[:CELL_CHARACTERS] for cell in each.cells],
                reason=reason,
            )
            for each, reason in batch
            if isinstance(reason, str)
        )
        await session.flush()
        await touch(session, row.team_id, f"import:{row.id}")

    async def forget_old(self) -> None:
        """Imports and their refused rows are kept for 30 days."""
        async with self._database.system() as session:
            old = select(Import.id).where(Import.created_at < await now(session) - KEPT)
            await session.execute(delete(RefusedRow).where(RefusedRow.import_id.in_(old)))
            await session.execute(delete(Import).where(Import.id.in_(old)))


def _judged(
    sheet: Sheet, row: Import, defined: Mapping[str, rules.Attribute]
) -> list[tuple[Row, Meant | str]]:
    """Every row with what it means, or why it is refused; the same each time."""
    seen: dict[str, int] = {}
    judged: list[tuple[Row, Meant | str]] = []
    for each in sheet.rows:
        try:
            meant = spreadsheet.row_meaning(each, row.columns, defined, row.country)
        except Problem as problem:
            judged.append((each, f"{problem.sentence} {problem.remedy}".strip()))
            continue
        number = phone.canonical(meant.number.e164)
        if number in seen:
            judged.append((each, f"The number is on line {seen[number]} already."))
            continue
        seen[number] = each.line
        judged.append((each, meant))
    return judged
