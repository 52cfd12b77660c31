"""How values are written, and cursors."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from offhook.db import Database
from offhook.teams import Team
from offhook.web import Paging, paginate
from offhook.web.filters import ago_text, clock, moment_text, money, plural, size
from offhook.web.pagination import CursorInvalid, decode, encode


@dataclass
class Amount:
    micros: int
    currency: str = "USD"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Amount(0), "$0.00"),
        (Amount(1_234_500_000), "$1,234.50"),
        (Amount(7_500), "$0.0075"),
        (Amount(-4_800_000), "−$4.80"),
        (Amount(1_000_000, "EUR"), "€1.00"),
        (Amount(20_000, "CHF"), "CHF 0.02"),
        (Amount(1), "$0.000001"),
    ],
)
def test_money(amount: Amount, text: str) -> None:
    assert money(amount) == text


NOW = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "zone", "text"),
    [
        (NOW - timedelta(hours=3), "UTC", "09:00"),
        (NOW - timedelta(hours=13), "UTC", "13 May, 23:00"),
        (NOW - timedelta(hours=13), "Europe/Paris", "01:00"),
        (datetime(2025, 12, 31, 23, 30, tzinfo=UTC), "UTC", "31 Dec 2025, 23:30"),
        (datetime(2025, 12, 31, 23, 30, tzinfo=UTC), "Asia/Tokyo", "1 Jan, 08:30"),
    ],
)
def test_times_show_the_teams_zone(moment: datetime, zone: str, text: str) -> None:
    assert moment_text(moment, zone, NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (86_400, "1 d ago"),
        (15 * 86_400, "2 wk ago"),
        (-180, "in 3 min"),
        (-30, "in a moment"),
        (-5, "just now"),
    ],
)
def test_relative_times(seconds: int, text: str) -> None:
    assert ago_text(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (clock(7), "0:07"),
        (clock(timedelta(minutes=12, seconds=30)), "12:30"),
        (clock(3723), "1:02:03"),
        (clock(-4), "0:00"),
        (plural(1, "minute"), "1 minute"),
        (plural(1200, "minute"), "1,200 minutes"),
        (size(812), "812 B"),
        (size(4_200), "4.2 kB"),
        (size(25_000_000), "25 MB"),
    ],
)
def test_durations_counts_and_sizes(written: str, text: str) -> None:
    assert written == text


@given(st.datetimes(timezones=st.just(UTC)), st.dates(), st.text(max_size=50), st.integers())
def test_a_cursor_reads_back_what_was_written(
    moment: datetime, day: date, key: str, number: int
) -> None:
    written = [moment, day, key, number]
    assert decode(encode(written), (datetime, date, str, int)) == written


@given(st.text(max_size=80))
def test_a_strange_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorInvalid):
        decode(text, (datetime, str))


@pytest.mark.parametrize(
    "key",
    [
        [1, "a"],
        ["x", "a"],
        [NOW],
        {"a": 1},
        ["2026-05-14T12:00:00", "a"],  # whose clock?
        ["0001-01-01T00:00:00+23:59", "a"],  # before there is any time in UTC
        [NOW, "\ud800"],  # the database stores no half of a character
        [NOW, True],
    ],
)
def test_a_cursor_of_another_list_is_refused(key: Any) -> None:
    with pytest.raises(CursorInvalid):
        decode(encode(key), (datetime, str))


def test_a_yes_is_no_number_of_a_cursor() -> None:
    with pytest.raises(CursorInvalid):
        decode(encode([True]), (int,))


async def test_pages_have_every_row_once_though_rows_come_meanwhile(database: Database) -> None:
    async with database.system() as session:
        # Three rows share an instant: the id decides between them.
        times = [NOW + timedelta(minutes=n // 3) for n in range(7)]
        session.add_all(Team(name=f"t{n}", created_at=time) for n, time in enumerate(times))
        await session.flush()
        seen: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            rows, cursor = await paginate(
                session, select(Team), Paging(2, cursor), Team.created_at, Team.id
            )
            seen += [row.id for row in rows]
            session.add(Team(name="newer", created_at=NOW + timedelta(days=1)))
            await session.flush()
        old = await session.scalars(select(Team.id).where(Team.name != "newer"))
        assert len(seen) == 7
        assert sorted(seen) == sorted(old)
