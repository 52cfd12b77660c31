"""Imports of what spreadsheets write: found or asked, row by row, twice the same (CI1, P6, P7)."""

import asyncio
import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text

from contact_fixtures import join, make_team
from offhook import contacts
from offhook.contacts import exporting, importing, service, spreadsheet
from offhook.contacts.exporting import as_csv, as_json
from offhook.contacts.import_models import Import, ImportState
from offhook.contacts.importing import Importer, Upload
from offhook.contacts.models import Contact
from offhook.contacts.numbers import add
from offhook.contacts.profile import values_of
from offhook.contacts.spreadsheet import FileUnusable, Way
from offhook.db import Database, EventRow, Jobs
from offhook.phone import E164, Written
from offhook.web import csv_line

ROWS = (
    '"Zoë, Ärztin";07712 345678;"a note, with commas\r\nand a ""break"""',
    "Bob;447712345679;x",
    "Carl;4,47712E+11;rounded",
    "Dora;'+447712345680;text",
    'Eve;=HYPERLINK("http://x.example");formula',
    "Frank;;no number",
    "Gina;07712345678;again",
    "Hugo;07712 345681 / 07712 345682;two",
    "Ida;0800-FLOWERS;letters",
    "Jo;+266696687;hidden",
    "Kim;07712 345683 ext. 12;extension",
)
FILE = "Name;Phone;Note\r\n" + "\r\n".join(ROWS) + "\r\n"
REASONS = {
    5: "was rounded by the spreadsheet",
    7: "is a formula",
    8: "There is no number.",
    9: "The number is on line 2 already.",
    10: "is more than one number",
    11: "has letters in it",
    12: "stands for callers who hide their number",
}


@dataclass(slots=True)
class Desk:
    """A team that imports, a British one."""

    database: Database
    team: str
    country: str = "GB"
    jobs: Jobs = field(init=False)

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.database)
        self.jobs.add(importing.JOB, Importer(self.database).run)

    async def upload(self, data: bytes, kind: str = "contacts") -> Import:
        async with self.database.team(self.team) as session:
            return await importing.upload(
                session, self.team, Upload(kind, "people.csv", data, self.country, "usr_1")
            )

    async def take(self, data: bytes, **wanted: Any) -> Import:
        row = await self.upload(data)
        async with self.database.team(self.team) as session:
            await importing.start(session, self.team, row.id, **wanted)
        await self.jobs.run_due()
        async with self.database.team(self.team) as session:
            done = await importing.get(session, self.team, row.id)
        assert done.state is ImportState.DONE
        return done

    async def reasons(self, row: Import) -> dict[int, str]:
        async with self.database.team(self.team) as session:
            rows = await importing.refusals(session, self.team, row.id)
        return {each.line: each.reason for each in rows}

    async def names(self) -> Mapping[str, str]:
        async with self.database.team(self.team) as session:
            rows = await session.scalars(contacts.listed(self.team))
            return {each.e164: each.name for each in rows}


@pytest.fixture
async def desk(database: Database) -> Desk:
    join()
    return Desk(database, await make_team(database, country="GB"))


@pytest.mark.parametrize(
    ("data", "way"),
    [
        (b"\xef\xbb\xbf" + FILE.encode(), Way("utf-8", ";")),
        (FILE.encode("cp1252"), Way("cp1252", ";")),
        (b"\xff\xfe" + FILE.encode("utf-16-le"), Way("utf-16-le", ";")),
        (FILE.encode("utf-16-le"), Way("utf-16-le", ";")),
        (b"\xfe\xff" + FILE.encode("utf-16-be"), Way("utf-16-be", ";")),
        (b"sep=;\r\n" + FILE.encode(), Way("utf-8", ";")),
        (FILE.replace(";", "\t").encode(), Way("utf-8", "\t")),
        (b"Phone\r\n+447712345678\r\n+447712345679\r\n", Way("utf-8", ",")),
        (b"Name,Phone\nAnn,+447712345678\n", Way("utf-8", ",")),
    ],
)
def test_encoding_and_separator_are_found(data: bytes, way: Way) -> None:
    """CI1"""
    assert spreadsheet.detect(data) == way
    sheet = spreadsheet.read(data, way)
    assert sheet.head[0] in {"Name", "Phone"}
    assert spreadsheet.NUMBER in spreadsheet.guess(sheet, [])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        (b"Name;Phone\r\n", "no rows below its head"),
        (b"<html><table><tr><td>Ann</td></tr></table></html>", "web page"),
        (b"PK\x03\x04" + bytes(100), "Excel workbook"),
        (b"%PDF-1.7", "document"),
        (b'Name;Phone\r\n"Ann;+447712345678\r\n', "cannot be read"),
        (b"Phone\n" + b"+447712345678\n" * 50_001, "more than 50,000 rows"),
        (b"Name,Phone\n" + b"," * 300 + b"\n", "no rows|more than 200 columns"),
        (b"x" * 10_000_001, "10,000,001 bytes"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    """CI1: never a success without data."""
    with pytest.raises(FileUnusable, match=reason):
        spreadsheet.read(data, spreadsheet.detect(data))


def test_a_file_without_a_head_keeps_its_first_row() -> None:
    sheet = spreadsheet.read(b"Ann,+447712345678\nBob,+447712345679\n", Way("utf-8", ","))
    assert len(sheet.rows) == 2
    assert spreadsheet.guess(sheet, []) == ["", "number"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
async def test_each_row_is_taken_or_refused_with_line_and_reason(desk: Desk, encoding: str) -> None:
    """CI1: nothing invented, the accents right, the extension apart."""
    done = await desk.take(FILE.encode(encoding))
    assert (done.created, done.updated, done.unchanged, done.refused) == (4, 0, 0, 7)
    assert done.rows_done == done.rows_total == len(ROWS)
    assert await desk.names() == {
        "+447712345678": "Zoë, Ärztin",
        "+447712345679": "Bob",
        "+447712345680": "Dora",
        "+447712345683": "Kim",
    }
    reasons = await desk.reasons(done)
    assert reasons.keys() == REASONS.keys()
    for at, reason in REASONS.items():
        assert reason in reasons[at]
    async with desk.database.team(desk.team) as session:
        kim = await contacts.find(session, desk.team, E164("+447712345683"))
        assert kim is not None
        (number,) = await contacts.numbers_of(session, desk.team, kim.id)
        assert number.extension == "12"
        assert await session.scalar(select(Import.data).where(Import.id == done.id)) is None


async def test_the_same_file_again_changes_nothing_and_hands_stay(desk: Desk) -> None:
    """CI1, P2, P7"""
    data = FILE.encode()
    await desk.take(data)
    async with desk.database.team(desk.team) as session:
        bob = await contacts.find(session, desk.team, E164("+447712345679"))
        assert bob is not None
        await contacts.set_by_hand(session, desk.team, bob.id, {"name": "Robert"}, set_by="u")
        events = await session.scalar(select(func.count()).select_from(EventRow))
    again = await desk.take(data)
    assert (again.created, again.updated, again.unchanged, again.refused) == (0, 0, 4, 7)
    assert (await desk.names())["+447712345679"] == "Robert"
    async with desk.database.team(desk.team) as session:
        assert await session.scalar(select(func.count()).select_from(EventRow)) == events


async def test_imports_and_first_contacts_at_once_make_one_contact_of_each_number(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P1, P7: two imports of one file, in batches, while everybody in it calls."""
    monkeypatch.setattr(importing, "BATCH", 15)
    numbers = [E164(f"+4477123456{each:02}") for each in range(60)]
    rows = [f"Caller {each};{number}" for each, number in enumerate(numbers)]
    backwards = [*reversed(rows)]
    imports = [
        await desk.upload("\n".join(["Name;Phone", *each]).encode()) for each in (rows, backwards)
    ]
    called: list[bool] = []

    async def call(number: E164) -> None:
        async with desk.database.team(desk.team) as session:
            _, made = await service.meet(session, desk.team, number)
            called.append(made)

    async def take(row: Import) -> Import:
        async with desk.database.team(desk.team) as session:
            await importing.start(session, desk.team, row.id)
        await Importer(desk.database).run(desk.team, row.id)
        async with desk.database.team(desk.team) as session:
            return await importing.get(session, desk.team, row.id)

    one, other, *_ = await asyncio.gather(*map(take, imports), *map(call, numbers))
    assert one is not None
    assert other is not None
    assert one.created + other.created + sum(called) == len(numbers)
    for done in (one, other):
        assert (done.rows_done, done.refused) == (len(numbers), 0)
    assert await desk.names() == {number: f"Caller {each}" for each, number in enumerate(numbers)}
    async with desk.database.team(desk.team) as session:
        events = await session.execute(select(EventRow.name, func.count()).group_by(EventRow.name))
        assert dict(events.all()) == {
            "contact.created": len(numbers),
            "contact.updated": len(numbers),
        }


async def test_a_batch_costs_as_many_waits_however_long_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: of new people, of known ones about whom there is news, and of nothing new."""
    said: list[object] = []
    execute = psycopg.AsyncCursor[Any].execute

    async def counted(cursor: psycopg.AsyncCursor[Any], query: Any, *given: Any, **how: Any) -> Any:
        said.append(query)
        return await execute(cursor, query, *given, **how)

    async def waits(rows: range, company: str) -> int:
        lines = (f"+4477123{each:05};{company};Leeds" for each in rows)
        row = await desk.upload("\n".join(["Phone;Company;City", *lines]).encode())
        async with desk.database.team(desk.team) as session:
            await importing.start(session, desk.team, row.id)
        with monkeypatch.context() as counting:
            counting.setattr(psycopg.AsyncCursor, "execute", counted)
            said.clear()
            await Importer(desk.database).run(desk.team, row.id)
            return len(said)

    few, many = range(2), range(100, 300)
    for company in ("Acme", "Apex", "Apex"):
        assert await waits(many, company) == await waits(few, company) > 1


async def test_after_many_rows_the_server_counts_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that an export right after it looks up what it needs."""
    monkeypatch.setattr(importing, "MANY", 50)
    rows = "".join(f"+4477123{each:05};Acme\n" for each in range(50))
    await desk.take(f"Phone;Company\n{rows}".encode())
    known = text("SELECT reltuples FROM pg_class WHERE relname = :name")
    async with desk.database.team(desk.team) as session:
        for name in ("contacts", "contact_numbers", "contact_values"):
            assert await session.scalar(known, {"name": name}) == 50, name


async def test_every_spelling_finds_who_was_imported(database: Database) -> None:
    """CI4, P6"""
    join()
    desk = Desk(database, await make_team(database), "US")
    await desk.take(b"Name;Phone\nLuz;+52 55 8765 4321\nLarry;(650) 253-0000\n")
    async with database.team(desk.team) as session:
        for spelled, name in (
            ("+5215587654321", "Luz"),
            ("+525587654321", "Luz"),
            ("+16502530000", "Larry"),
        ):
            assert (await contacts.on_contact(session, desk.team, E164(spelled))).name == name
    again = await desk.take(b"Name;Phone\nLuz;+52 1 55 8765 4321\nLarry;650-253-0000\n")
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)


@pytest.mark.parametrize("apart", [0, 4], ids=["in one batch", "batches apart"])
async def test_two_numbers_of_one_contact_in_a_file_are_one_contact_still(
    desk: Desk, apart: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: with what the later row says; once more it changes nothing."""
    monkeypatch.setattr(importing, "BATCH", 2)
    async with desk.database.team(desk.team) as session:
        ann = await contacts.on_contact(session, desk.team, E164("+447712345678"))
        await add(session, desk.team, ann.id, Written(E164("+447712345679")))
    others = "".join(f"077124{each:05},Acme,Leeds\n" for each in range(apart))
    told = f"Phone,Company,City\n07712345678,Old Ltd,London\n{others}07712345679,New Ltd,\n"
    done, again = await desk.take(told.encode()), await desk.take(told.encode())
    assert (done.created, done.updated + done.unchanged) == (apart, 2)
    assert (again.created, again.updated, again.unchanged) == (0, 0, apart + 2)
    async with desk.database.team(desk.team) as session:
        values = await values_of(session, desk.team, ann.id)
    assert {key: each.text for key, each in values.items()} == {
        "company": "New Ltd",
        "location": "London",
    }


async def test_a_list_longer_than_a_page_is_exported_whole_and_in_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: in the order of the file."""
    monkeypatch.setattr(exporting, "PAGE", 4)
    numbers = [f"+4477123456{each:02}" for each in range(9, -1, -1)]
    await desk.take("\n".join(["Phone", *numbers]).encode())
    exported = [part async for part in as_csv(desk.database, desk.team)]
    assert [line.split(",")[1] for line in exported[1:]] == numbers
    listed = json.loads("".join([part async for part in as_json(desk.database, desk.team)]))
    assert [each["number"] for each in listed] == numbers


async def test_columns_are_attributes_and_what_is_learnt_since_stays(desk: Desk) -> None:
    async with desk.database.team(desk.team) as session:
        ann = await contacts.on_contact(session, desk.team, E164("+447712345678"))
        said = {"conversation_id": "cnv_1", "turn_id": "trn_1"}
        await contacts.learn(session, desk.team, ann.id, "company", "Acme", **said)
    rows = ("07712345678,Old Ltd,ann@example.com,London", "07712345679,,bad,")
    done = await desk.take("\n".join(("Phone,Company,E-Mail,City", *rows)).encode())
    assert (done.updated, done.refused) == (1, 1)
    assert "is not an email address" in (await desk.reasons(done))[3]
    async with desk.database.team(desk.team) as session:
        values = await values_of(session, desk.team, ann.id)
    assert {key: (each.text, each.source) for key, each in values.items()} == {
        "company": ("Acme", contacts.Source.AGENT),
        "email": ("ann@example.com", contacts.Source.IMPORT),
        "location": ("London", contacts.Source.IMPORT),
    }


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (["name", "", ""], "No column holds"),
        (["number"], "1 columns were told, the file has 3"),
        (["number", "number", ""], "Two columns mean"),
        (["number", "password", ""], "cannot mean"),
    ],
)
async def test_columns_that_make_no_sense_are_refused(
    desk: Desk, columns: list[str], reason: str
) -> None:
    row = await desk.upload(FILE.encode())
    async with desk.database.team(desk.team) as session:
        with pytest.raises(importing.ColumnsInvalid, match=reason):
            await importing.start(session, desk.team, row.id, columns=columns)


async def test_a_file_can_be_read_another_way(desk: Desk) -> None:
    """CI1: asked where it cannot be found."""
    row = await desk.upload("Name;Phone\r\nŁucja;07712345678\r\n".encode("cp1250"))
    assert row.encoding == "cp1252"
    async with desk.database.team(desk.team) as session:
        again = await importing.read_again(session, desk.team, row.id, Way("cp1250", ";"))
        sheet = await importing.sheet_of(session, again)
        assert sheet.rows[0].cells[0] == "Łucja"
        with pytest.raises(FileUnusable):
            await importing.read_again(session, desk.team, row.id, Way("utf-8", ";"))
        with pytest.raises(FileUnusable):
            await importing.read_again(session, desk.team, row.id, Way("rot13", ";"))


async def test_a_separator_that_is_none_is_refused(desk: Desk) -> None:
    """Also where the file itself names one."""
    row = await desk.upload(b"sep=^\r\nName^Phone\r\nAnn^(650) 253-0000\r\n")
    async with desk.database.team(desk.team) as session:
        for wrong in ("", "xy", "~"):
            with pytest.raises(FileUnusable):
                await importing.read_again(session, desk.team, row.id, Way("utf-8", wrong))
        await importing.read_again(session, desk.team, row.id, Way("utf-8", "^"))


async def test_another_team_sees_no_import(desk: Desk) -> None:
    """SEC7"""
    row, other = await desk.upload(FILE.encode()), await make_team(desk.database)
    async with desk.database.team(other) as session:
        with pytest.raises(importing.ImportNotFound):
            await importing.start(session, other, row.id)


async def test_the_reports_hold_no_formula(desk: Desk) -> None:
    """SEC8: neither the refused rows nor the export of the list."""
    rows = 'Name;Phone\r\n=1+1;07712345678\r\n@SUM(A1);x\r\n"-2+3";=cmd\r\n'
    done = await desk.take(rows.encode())
    for parts in (
        importing.report(desk.database, desk.team, done.id),
        as_csv(desk.database, desk.team),
    ):
        cells = list(csv.reader(io.StringIO("".join([part async for part in parts]))))
        assert len(cells) > 1
        for cell in (cell for each in cells for cell in each):
            assert not cell.startswith(("=", "@", "-", "\t", "\r"))
    assert csv_line(["+447712345678", "+1+1"]) == "+447712345678,'+1+1\r\n"


async def test_a_killed_import_goes_on_behind_its_last_batch(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P7: as a worker that dies between two batches leaves it."""
    monkeypatch.setattr(importing, "BATCH", 3)
    row = await desk.upload(FILE.encode())
    async with desk.database.team(desk.team) as session:
        await importing.start(session, desk.team, row.id)

    class DiedError(Exception):
        """The process ends here."""

    passed = iter(range(3))

    def die(_name: str) -> None:
        if next(passed) == 1:
            raise DiedError

    with monkeypatch.context() as dying:
        dying.setattr(importing, "failpoint", die)
        with pytest.raises(DiedError):
            await Importer(desk.database).run(desk.team, row.id)
    await desk.jobs.run_due()
    async with desk.database.team(desk.team) as session:
        done = await importing.get(session, desk.team, row.id)
        assert (done.state, done.created, done.refused) == (ImportState.DONE, 4, 7)
        assert await session.scalar(select(func.count()).select_from(Contact)) == 4
    assert (await desk.reasons(done)).keys() == REASONS.keys()
