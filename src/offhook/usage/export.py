"""Usage as CSV: every entry of a span of months, and a month's lines.

Entries are streamed page by page, each page a short transaction that reads by key: a million rows
are never in memory, and no connection waits for a slow reader. What is recorded while an export
runs is left out, so that a month's free units are those that the export began with.

Text cells that a spreadsheet would take for a formula get an apostrophe (SEC8); a number in E.164
keeps its plus, which no formula can follow. `ENTRY_COLUMNS` and `LINE_COLUMNS` say what is in each.
"""

import csv
import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from offhook.db import Database, now
from offhook.usage import entries
from offhook.usage.closing import RatedLine
from offhook.usage.entries import Key, RatedEntry, Wanted, rated_by
from offhook.usage.month import MonthToDate
from offhook.usage.months import NamedMonth, name_of, names_of_months
from offhook.usage.names import Label, names
from offhook.usage.rules import Service
from offhook.web import csv_cell

PAGE = 1_000

ENTRY_COLUMNS: Mapping[str, str] = {
    "entry_id": "The entry on the ledger; its page is /usage/entries/{entry_id}.",
    "started_at_utc": "When the minute began, or the message was counted; UTC, ISO 8601.",
    "started_at_local": "The same by the month's time zone, with its offset.",
    "timezone": "The IANA name of the zone in which the month is counted.",
    "month": "The month that the unit belongs to, YYYY-MM.",
    "number": "The team's number in E.164.",
    "number_name": "Its name.",
    "number_id": "Its id.",
    "service": "calls or sms.",
    "direction": "inbound or outbound.",
    "subject_id": "The id of the call or message.",
    "minute_index": "Which minute of the call, from 0; empty for messages.",
    "kind": "posted, or corrected: a unit taken back.",
    "units": "1, or -1 for a unit taken back.",
    "rating": "free, charged, taken_back (posted and taken back) or too_late (at price 0).",
    "price_version": "The price version in force when the unit began; empty: no price was set.",
    "price": "Per unit, exact.",
    "currency": "ISO 4217.",
    "amount": "What this entry costs, exact; an invoice rounds once per line.",
    "recorded_at_utc": "When it was recorded.",
    "invoiced_with": "The month whose invoice it is on, YYYY-MM; empty: on none yet.",
    "reason": "Why it was taken back.",
}
LINE_COLUMNS: Mapping[str, str] = {
    "month": "YYYY-MM.",
    "timezone": "The IANA name of the zone in which the month is counted.",
    "number": "The team's number in E.164.",
    "number_name": "Its name.",
    "number_id": "Its id.",
    "service": "calls or sms.",
    "direction": "inbound or outbound.",
    "kind": "usage; late, expired (too late, at price 0) or credit came after the month's close.",
    "price_version": "The price version.",
    "price": "Per unit, exact.",
    "units": "Used minutes or messages.",
    "free": "How many of them are free.",
    "charged": "How many are charged.",
    "amount": "What the line comes to, rounded once, half to even.",
    "currency": "ISO 4217.",
}
Cell = str | int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What to export: `months` in order; `wanted` narrows it; `services` are one or both."""

    months: Sequence[NamedMonth]
    wanted: Wanted = field(default_factory=Wanted)
    services: Sequence[Service] = tuple(Service)


async def entries_csv(database: Database, team_id: str, asked: Asked) -> AsyncIterator[str]:
    """The entries as CSV text, a page at a time: by month, calls before messages, in order."""
    async with database.team(team_id) as session:
        begun_at = await now(session)
        labels = await names(session, team_id)
        months = await names_of_months(session, team_id)
    yield _text([list(ENTRY_COLUMNS)])
    wanted = replace(asked.wanted, recorded_until=begun_at)
    for month in asked.months:
        for service in asked.services:
            async for page in _pages(database, team_id, service, month, wanted):
                yield _text(_entry_row(entry, month.period.zone, labels, months) for entry in page)


def lines_csv(month: MonthToDate, labels: Mapping[str, Label]) -> str:
    """A month's lines as CSV: what an invoice says of it, or would say now."""
    return _text([list(LINE_COLUMNS), *(_line_row(each, month, labels) for each in month.rated)])


def described(sentence: str, columns: Mapping[str, str]) -> str:
    """What a file of these columns is, in Markdown."""
    listed = "\n".join(f"- `{name}`: {what}" for name, what in columns.items())
    return f"{sentence} Its columns:\n\n{listed}"


async def _pages(
    database: Database, team_id: str, service: Service, month: NamedMonth, wanted: Wanted
) -> AsyncIterator[list[RatedEntry]]:
    async with database.team(team_id) as session:
        free = await entries.free_ids(session, team_id, service, month)
    rated = rated_by(wanted, free)
    after: Key | None = None
    while True:
        async with database.team(team_id) as session:
            page = await entries.of_month(
                session, team_id, service, month.period.starts_at, rated, after=after, limit=PAGE
            )
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = page[-1].key


def _entry_row(
    entry: RatedEntry, zone: str, labels: Mapping[str, Label], months: Mapping[datetime, str]
) -> list[Cell]:
    label = labels.get(entry.number_id, Label(""))
    closed_in = entry.closed_in
    return [
        entry.id,
        _utc(entry.starts_at),
        entry.starts_at.astimezone(ZoneInfo(zone)).isoformat(timespec="microseconds"),
        zone,
        months[entry.period_start],
        csv_cell(label.e164),
        csv_cell(label.name),
        csv_cell(entry.number_id),
        entry.service,
        entry.direction,
        csv_cell(entry.subject_id),
        entry.unit_index if entry.service is Service.CALLS else None,
        entry.kind,
        entry.units,
        entry.rating,
        csv_cell(entry.price_id),
        entry.price.amount if entry.price_id else None,
        entry.price.currency,
        entry.amount.amount,
        _utc(entry.recorded_at),
        months[closed_in] if closed_in else None,
        csv_cell(entry.reason),
    ]


def _line_row(each: RatedLine, month: MonthToDate, labels: Mapping[str, Label]) -> list[Cell]:
    line = each.line
    label = labels.get(line.number_id, Label(""))
    return [
        name_of(month.period),
        month.period.zone,
        csv_cell(label.e164),
        csv_cell(label.name),
        csv_cell(line.number_id),
        line.service,
        line.rate.direction,
        each.kind,
        csv_cell(line.rate.price_id),
        line.rate.money.amount,
        line.units,
        line.free,
        line.charged,
        each.amount.amount,
        line.rate.currency,
    ]


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _text(rows: Iterator[list[Cell]] | Sequence[Sequence[Cell]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()
