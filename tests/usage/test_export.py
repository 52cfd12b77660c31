"""CSV and REST say of each entry what the rating says of it (UF2), also of a closed month."""

import asyncio
import csv
import gc
import io
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib import import_module

import pytest
from httpx import AsyncClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from usage_desk import Desk, hire
from usage_seed import Used, write

from offhook import usage
from offhook.db import Database, Session
from offhook.prices import Direction, Money
from offhook.usage import Service, closing, export
from offhook.usage.export import Asked
from offhook.usage.months import month_named
from offhook.web import csv_cell
from web_fixtures import Person, Site, new_owner

MAY = datetime(2026, 5, 1, tzinfo=UTC)
Row = Mapping[str, str]


async def rows(database: Database, team: str, month: str = "2026-05") -> list[Row]:
    async with database.team(team) as session:
        asked = Asked([await month_named(session, team, month)])
    pages = [page async for page in export.entries_csv(database, team, asked)]
    return list(csv.DictReader(io.StringIO("".join(pages))))


class Standing:
    """A clock that a whole run of examples shares."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 5, 28, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant


calls = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 25 * 24 * 60),  # answered, in minutes of the month
        st.integers(1, 25),  # minutes
        st.sets(st.integers(0, 24), max_size=3),  # which were taken back
        st.sampled_from(Direction),
    ),
    max_size=12,
)
texts = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 25 * 24 * 60), st.booleans()),
    max_size=8,
)


def used_by(
    team: str,
    spoken: Sequence[tuple[str, int, int, set[int], Direction]],
    written: Sequence[tuple[str, int, bool]],
) -> list[Used]:
    minutes = [
        Used(
            f"{team}_{name}",
            Service.CALLS,
            direction,
            f"{team}_call_{at}",
            index,
            MAY + timedelta(minutes=start + index),
            index in back,
        )
        for at, (name, start, length, back, direction) in enumerate(spoken)
        for index in range(length)
    ]
    messages = [
        Used(
            f"{team}_{name}",
            Service.SMS,
            Direction.OUTBOUND,
            f"{team}_sms_{at}_{copy}",
            0,
            MAY + timedelta(minutes=start, seconds=copy),
            lost and copy % 7 == 0,
        )
        for at, (name, start, lost) in enumerate(written)
        for copy in range(30)
    ]
    return minutes + messages


def expected(used: Sequence[Used]) -> Counter[str]:
    """The free ones by UF2, in sets and loops."""
    free: Counter[str] = Counter()
    for service, size in ((Service.CALLS, 60), (Service.SMS, 100)):
        counted = [u for u in used if u.service is service and not u.taken_back]
        counted.sort(key=lambda u: (u.starts_at, u.subject_id, u.index))
        free.update(f"{u.subject_id}/{u.index}" for u in counted[:size])
    return free


def check(found: Sequence[Row], used: Sequence[Used], lines: Sequence[closing.RatedLine]) -> None:
    free = expected(used)
    back = {f"{u.subject_id}/{u.index}" for u in used if u.taken_back}
    said: dict[str, set[str]] = defaultdict(set)
    sums: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for row in found:
        said[f"{row['subject_id']}/{row['minute_index'] or 0}"].add(row["rating"])
        line = (row["number_id"], row["service"], row["direction"], row["price_version"])
        sums[line] += Decimal(row["amount"])
    assert len(found) == len(used) + len(back)
    for unit in used:
        name = f"{unit.subject_id}/{unit.index}"
        rating = "taken_back" if name in back else "free" if name in free else "charged"
        assert said[name] == {rating}
    billed = {
        (e.line.number_id, e.line.service, e.line.rate.direction, e.line.rate.price_id): e.amount
        for e in lines
    }
    assert {line: Money.of(amount).rounded() for line, amount in sums.items()} == billed


def test_each_entry_costs_what_the_rating_says(database_url: str) -> None:
    """Free and charged per entry are the rating's, before and after the month's close (UF2)."""
    with asyncio.Runner() as runner:
        database = Database(database_url, clock=Standing())

        async def example(
            spoken: Sequence[tuple[str, int, int, set[int], Direction]],
            written: Sequence[tuple[str, int, bool]],
        ) -> None:
            desk = await hire(database)
            used = used_by(desk.team, spoken, written)
            for name in "ab":
                await desk.number(f"{desk.team}_{name}")
            async with database.team(desk.team) as session:
                await usage.period_at(session, desk.team, MAY)
                await write(session, desk.team, used)
                before = await closing.preview(session, desk.team, MAY)
            check(await rows(database, desk.team), used, before)
            async with database.team(desk.team) as session:
                lines = await closing.close(session, desk.team, MAY)
                await closing.closed(session, desk.team, MAY, closing.ClosedAs.INVOICED, MAY)
            after = await rows(database, desk.team)
            check(after, used, lines)
            assert {row["invoiced_with"] for row in after} <= {"2026-05"}

        @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(spoken=calls, written=texts)
        def examples(
            spoken: list[tuple[str, int, int, set[int], Direction]],
            written: list[tuple[str, int, bool]],
        ) -> None:
            runner.run(example(spoken, written))

        examples()
        runner.run(database.close())


async def test_a_unit_taken_back_after_the_close_is_a_credit(clocked: Database) -> None:
    """A correction after the close undoes what the line had said."""
    desk = await hire(clocked)
    number = await desk.number("num_a")
    texts_sent = [
        Used(number, Service.SMS, Direction.OUTBOUND, f"sms_{n:03}", 0, MAY + timedelta(hours=n))
        for n in range(102)
    ]
    async with clocked.team(desk.team) as session:
        await usage.period_at(session, desk.team, MAY)
        await write(session, desk.team, texts_sent)
        await closing.close(session, desk.team, MAY)
        await closing.closed(session, desk.team, MAY, closing.ClosedAs.INVOICED, MAY)
        for message in ("sms_000", "sms_101"):
            await usage.correct_message(session, desk.team, message_id=message, reason="failed")
    found = {(r["subject_id"], r["kind"]): r for r in await rows(clocked, desk.team)}
    assert found["sms_000", "posted"]["rating"] == "free"
    assert found["sms_000", "corrected"]["amount"] == "0.00"
    assert found["sms_101", "posted"]["amount"] == "0.01"
    assert found["sms_101", "corrected"]["amount"] == "-0.01"
    assert found["sms_101", "corrected"]["invoiced_with"] == ""


@pytest.fixture
async def named(database: Database, owner: Person, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A team whose number has the name of a formula."""

    async def labels(session: Session, team_id: str) -> Mapping[str, usage.Label]:
        return {"num_a": usage.Label("=cmd|' /C calc'!A0", "+16502530000")}

    monkeypatch.setattr(import_module("offhook.usage.names"), "_sources", [labels])
    desk = Desk(database, owner.team_id)
    await desk.number("num_a", calls=300)
    await desk.call("num_a", "call_a", 70)
    await desk.take("num_a", "sms_a", Direction.OUTBOUND)
    await desk.post("sms_a")
    async with database.team(desk.team) as session:
        await usage.correct_message(session, desk.team, message_id="sms_a", reason="=1+1")
    return desk


@pytest.fixture
def rooms() -> Sequence[str]:
    return ("teams", "usage")


async def test_the_download_is_csv_that_no_spreadsheet_runs(
    named: Desk, client: AsyncClient
) -> None:
    """SEC8."""
    answer = await client.get("/usage/entries.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(found[0]) == list(export.ENTRY_COLUMNS)
    assert [row["kind"] for row in found] == ["posted", "posted", "posted", "corrected"]
    assert {row["number_name"] for row in found} == {"'=cmd|' /C calc'!A0"}
    assert {row["number"] for row in found} == {"+16502530000"}
    assert found[3]["reason"] == "'=1+1"
    summary = list(csv.DictReader(io.StringIO((await client.get("/usage/summary.csv")).text)))
    assert list(summary[0]) == list(export.LINE_COLUMNS)
    assert [(row["service"], row["units"], row["amount"]) for row in summary] == [
        ("calls", "2", "0.00")
    ]


@pytest.mark.parametrize("cell", ["=1", "+1 or so", "-1", "@x", "\tx", "\rx", "\nx"])
def test_a_formula_gets_an_apostrophe(cell: str) -> None:
    assert csv_cell(cell) == f"'{cell}"
    assert csv_cell("Front desk") == "Front desk"


async def test_rest_pages_and_csv_are_the_same_entries(named: Desk, client: AsyncClient) -> None:
    whole = await client.get("/api/v1/usage/entries", headers={"accept": "text/csv"})
    by_address = await client.get("/api/v1/usage/entries.csv")
    assert whole.text == by_address.text
    ids = [row["entry_id"] for row in csv.DictReader(io.StringIO(whole.text))]
    paged: list[str] = []
    cursor = ""
    while True:
        address = f"/api/v1/usage/entries?limit=1&cursor={cursor}"
        page = (await client.get(address)).json()
        paged += [str(item["id"]) for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert paged == ids
    only = (await client.get("/api/v1/usage/entries?service=sms&rating=taken_back")).json()
    assert [item["units"] for item in only["items"]] == [1, -1]


async def test_a_wrong_filter_is_refused_by_its_name(named: Desk, client: AsyncClient) -> None:
    for query, code in (
        ("service=fax", "filter_invalid"),
        ("from=2026-02-30", "filter_invalid"),
        ("from=2026-02-03&to=2026-02-02", "filter_invalid"),
        ("from=2026-02-03&month=May", "filter_invalid"),
        ("month=2026-13", "month_missing"),
        ("month=1999-01", "month_missing"),
        ("cursor=xyz", "cursor_invalid"),
    ):
        answer = await client.get(f"/api/v1/usage/entries?{query}")
        assert answer.json()["code"] == code, query


async def test_another_team_sees_none_of_it(
    named: Desk, client: AsyncClient, site: Site, database: Database
) -> None:
    """SEC7: not there, not forbidden."""
    mine = (await client.get("/api/v1/usage/entries")).json()["items"][0]["id"]
    assert (await client.get(f"/usage/entries/{mine}")).status_code == 200
    async with site.client(await new_owner(database, "Rivals")) as rival:
        for address in (f"/usage/entries/{mine}", f"/api/v1/usage/entries/{mine}"):
            assert (await rival.get(address)).status_code == 404
        assert (await rival.get("/api/v1/usage/entries")).json()["items"] == []
        assert len((await rival.get("/usage/entries.csv")).text.splitlines()) == 1


async def test_a_span_is_of_days_in_the_teams_zone(clocked: Database, site: Site) -> None:
    """The days from and to are both included, from local midnight to local midnight."""
    owner = await new_owner(site.database, "Night owls", zone="Asia/Tokyo")
    desk = Desk(site.database, owner.team_id)
    number = await desk.number("num_t")
    midnight = (datetime.now(UTC) - timedelta(days=2)).replace(
        hour=15, minute=0, second=0, microsecond=0
    )  # of Tokyo
    marks = {"before": -1, "first": 0, "last": 24 * 3600 - 1, "after": 24 * 3600}
    async with site.database.team(desk.team) as session:
        await usage.period_at(session, desk.team, midnight - timedelta(days=1))
        await write(
            session,
            desk.team,
            [
                Used(
                    number, Service.SMS, Direction.INBOUND, name, 0, midnight + timedelta(seconds=s)
                )
                for name, s in marks.items()
            ],
        )
    day = (midnight + timedelta(hours=9)).date()
    async with site.client(owner) as client:
        answer = await client.get(f"/api/v1/usage/entries?from={day}&to={day}")
    assert [item["subject_id"] for item in answer.json()["items"]] == ["first", "last"]


MANY = 3_000
FILL = text(
    "INSERT INTO usage_entries (team_id, number_id, service, subject_id, unit_index, stage, kind,"
    " units, direction, period_start, starts_at, recorded_at, price_id, price_micros, currency) "
    "SELECT :team, 'num_a', 'sms', 'sms_' || n, 0, 'resolution', 'posted', 1, 'inbound', :start,"
    " CAST(:start AS timestamptz) + n * interval '1 second', :start, 'p', 10000, 'USD' "
    "FROM generate_series(1, :many) AS n"
)


async def test_an_export_of_any_length_takes_the_same_memory(
    clocked: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text is larger than all that is in memory at once: a page of some, not the month."""
    monkeypatch.setattr(export, "PAGE", 100)
    desk = await hire(clocked)
    await desk.number("num_a")
    async with clocked.team(desk.team) as session:
        period = await usage.period_at(session, desk.team, MAY)
        await session.execute(FILL, {"team": desk.team, "start": period.starts_at, "many": MANY})
        asked = Asked([await month_named(session, desk.team, "2026-05")])
    sizes: list[int] = []
    held: list[int] = []
    tracemalloc.start()
    try:
        async for page in export.entries_csv(clocked, desk.team, asked):
            sizes.append(len(page))
            if len(sizes) % 10 == 0:
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(sizes) == 1 + MANY // 100
    assert max(sizes) < 20_000
    assert held[-1] - held[0] < sum(sizes[10:]) / 5
