"""UI6: any order of arrival, any duplication of the records, the same invoice."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings
from invoice_desk import audit, close, invoices, lines, price_list, utc
from usage_desk import Desk, hire

from offhook import prices, usage
from offhook.db import Database
from offhook.usage import Direction

NUMBERS = ("num_a", "num_b")
START = utc("2026-01-01")
MINUTE = timedelta(minutes=1)
_teams = iter(range(100_000))


@dataclass(frozen=True)
class Call:
    name: str
    number: str
    begins: int
    minutes: int


@dataclass(frozen=True)
class Text:
    name: str
    number: str
    begins: int
    direction: Direction
    failed: bool


Record = Call | Text
begins = st.integers(0, 31 * 24 * 60 - 120)
calls = st.builds(
    Call, st.just(""), st.sampled_from(NUMBERS), begins, st.sampled_from([1, 2, 20, 40])
)
texts = st.builds(
    Text, st.just(""), st.sampled_from(NUMBERS), begins, st.sampled_from(Direction), st.booleans()
)


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Record], list[Record]]:
    """A month's records in order of time, and as they arrive: shuffled, some of them twice."""
    drawn: list[Record] = draw(st.lists(st.one_of(calls, texts), min_size=1, max_size=9))
    records = [_named(each, index) for index, each in enumerate(drawn)]
    twice = draw(st.lists(st.sampled_from(records), max_size=4))
    return (
        sorted(records, key=lambda each: (each.begins, each.name)),
        draw(st.permutations([*records, *twice])),
    )


def _named(record: Record, index: int) -> Record:
    name = f"{type(record).__name__.lower()}_{index}"
    if isinstance(record, Call):
        return Call(name, record.number, record.begins, record.minutes)
    return Text(name, record.number, record.begins, record.direction, record.failed)


class Clock:
    def __init__(self) -> None:
        self.instant = START

    def __call__(self) -> datetime:
        return self.instant


async def enter(desk: Desk, clock: Clock, tag: str, record: Record) -> None:
    at = START + record.begins * MINUTE
    clock.instant = at
    number, subject = f"{tag}_{record.number}", f"{tag}_{record.name}"
    async with desk.database.team(desk.team) as session:
        if isinstance(record, Call):
            for index in range(record.minutes):
                await usage.reserve_minute(
                    session,
                    desk.team,
                    number_id=number,
                    call_id=subject,
                    index=index,
                    starts_at=at + index * MINUTE,
                )
            await usage.settle_call(
                session, desk.team, call_id=subject, seconds=60 * record.minutes - 1
            )
            return
        await usage.take_message(
            session,
            desk.team,
            number_id=number,
            message_id=subject,
            direction=record.direction,
        )
        await usage.post_message(session, desk.team, message_id=subject)
        if record.failed:
            await usage.correct_message(session, desk.team, message_id=subject, reason="failed")


async def invoiced(database: Database, clock: Clock, records: Sequence[Record]) -> list[str]:
    """The lines of the month's invoice, when the records came in this order."""
    clock.instant = START
    tag = f"t{next(_teams):05}"
    desk = await hire(database)
    for number in NUMBERS:
        await desk.number(f"{tag}_{number}")
    for record in records:
        await enter(desk, clock, tag, record)
    clock.instant = utc("2026-02-04")
    await close(desk)
    [invoice] = await invoices(desk)
    made = [
        f"{line.number_id.removeprefix(tag)} {line.description} {line.units} {line.free} "
        f"{line.amount}"
        for line in await lines(desk, invoice)
    ]
    assert await audit(desk) == []
    return [*made, str(invoice.total)]


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(arrivals())
def test_the_invoice_is_a_function_of_the_set_of_records_ui6(
    database_url: str, given_records: tuple[list[Record], list[Record]]
) -> None:
    in_time, as_they_came = given_records

    async def both() -> tuple[list[str], list[str]]:
        clock = Clock()
        database = Database(database_url, pool_size=4, clock=clock)
        try:
            if not await _priced(database):
                await price_list(database, minute="0.0137", message="0.0079")
            return (
                await invoiced(database, clock, in_time),
                await invoiced(database, clock, as_they_came),
            )
        finally:
            await database.close()

    expected, found = asyncio.run(both())
    assert found == expected


async def _priced(database: Database) -> bool:
    async with database.system() as session:
        known = await prices.versions(
            session, carrier="simulator", country="US", number_type="local"
        )
        return any(each.id.startswith("price_") for each in known)
