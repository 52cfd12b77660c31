"""Months by name and day, through a change of zone: what is read is what the calendar says."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from httpx import AsyncClient
from usage_desk import Clock, hire
from usage_seed import Used, write

from offhook import usage
from offhook.db import Database
from offhook.prices import Direction
from offhook.teams.service import change_team
from offhook.usage import Service
from offhook.usage.month import month_of, summary_of
from offhook.usage.months import MonthMissing, month_named, months

LA, TOKYO = ZoneInfo("America/Los_Angeles"), ZoneInfo("Asia/Tokyo")


@pytest.fixture
def rooms() -> Sequence[str]:
    return ("teams", "usage")


async def test_the_month_in_which_the_zone_changed_has_its_own_days(
    clocked: Database, clock: Clock
) -> None:
    """UP2: LA to Tokyo in May; June is [1 June 07:00Z, 30 June 15:00Z), its days are Tokyo's."""
    desk = await hire(clocked, "America/Los_Angeles")
    number = await desk.number("num_a")
    async with clocked.system() as session:
        await usage.period_at(session, desk.team, clock.instant)
        await change_team(session, desk.team, timezone="Asia/Tokyo")
    clock.instant = datetime(2026, 6, 30, 14, 0, tzinfo=UTC)
    chance = Random(5)
    start = datetime(2026, 5, 1, 7, 0, tzinfo=UTC)
    moments = [start + timedelta(seconds=chance.uniform(0, 60 * 86_400)) for _ in range(150)]
    june = datetime(2026, 6, 1, 7, 0, tzinfo=UTC)
    edges = [june - timedelta(microseconds=1), june, june + timedelta(hours=8)]
    used = [
        Used(number, Service.SMS, Direction.INBOUND, f"sms_{n}", 0, moment)
        for n, moment in enumerate([*moments, *edges])
    ]
    async with clocked.team(desk.team) as session:
        await write(session, desk.team, used)
        named = await months(session, desk.team)
        assert [each.name for each in named] == ["2026-06", "2026-05"]
        assert [each.period.zone for each in named] == ["Asia/Tokyo", "America/Los_Angeles"]
        for name, zone in (("2026-06", TOKYO), ("2026-05", LA)):
            shown = await month_of(session, desk.team, await month_named(session, desk.team, name))
            days = Counter(
                unit.starts_at.astimezone(zone).date()
                for unit in used
                if shown.period.holds(unit.starts_at)
            )
            counts = shown.units_by_day(Service.SMS)
            found = {
                day.date: count for day, count in zip(shown.days, counts, strict=True) if count
            }
            assert found == dict(days)
            assert sum(counts) == shown.numbers[1].used
        assert date(2026, 5, 31) in days
        for name in ("2026-07", "2026-04", "2026-6", "0000-01", "June"):
            with pytest.raises(MonthMissing):
                await month_named(session, desk.team, name)


async def test_a_closed_month_shows_what_its_lines_say(clocked: Database, clock: Clock) -> None:
    """Its charges are the invoice's, its limits those with which it ended."""
    desk = await hire(clocked)
    number = await desk.number("num_a", sms=150)
    first = datetime(2026, 5, 2, tzinfo=UTC)
    async with clocked.team(desk.team) as session:
        period = await usage.period_at(session, desk.team, first)
        await write(
            session,
            desk.team,
            [
                Used(
                    number,
                    Service.SMS,
                    Direction.INBOUND,
                    f"sms_{n}",
                    0,
                    first + timedelta(hours=n),
                )
                for n in range(120)
            ],
        )
    clock.instant = datetime(2026, 6, 10, tzinfo=UTC)
    await desk.limit(number, Service.SMS, 10)
    async with clocked.team(desk.team) as session:
        lines = await usage.closing.close(session, desk.team, period.starts_at)
        how = usage.closing.ClosedAs.INVOICED
        await usage.closing.closed(session, desk.team, period.starts_at, how, clock.instant)
        shown = await month_of(session, desk.team, await month_named(session, desk.team, "2026-05"))
    texts = next(use for use in shown.numbers if use.service is Service.SMS)
    assert (texts.used, texts.limit, texts.free, texts.charged.amount) == (120, 150, 100, "0.20")
    assert shown.rated == lines
    assert shown.pools[Service.SMS].used == 100
    assert sum(shown.units_by_day(Service.SMS, free_only=True)) == 100
    async with clocked.team(desk.team) as session:
        named = await month_named(session, desk.team, "2026-05")
        said = await summary_of(session, desk.team, named)
    assert (said.used[Service.SMS], said.free[Service.SMS], said.charged) == (
        120,
        100,
        shown.charged,
    )
    assert not shown.is_running


async def test_rest_tells_months_days_and_forecasts(client: AsyncClient) -> None:
    """U9 for programs."""
    found = (await client.get("/api/v1/usage/months")).json()["items"]
    assert len(found) == 1
    assert (found[0]["minutes"], found[0]["charged"]["amount"]) == (0, "0.00")
    days = (await client.get("/api/v1/usage/days")).json()
    assert days["timezone"] == "UTC"
    assert {day["minutes"] for day in days["items"]} == {0}
    said = (await client.get("/api/v1/usage/forecast")).json()["items"]
    assert [(each["service"], each["outlook"]) for each in said] == [
        ("calls", "unknown"),
        ("sms", "unknown"),
    ]
    missing = await client.get("/api/v1/usage?month=2020-01")
    assert (missing.status_code, missing.json()["code"]) == (404, "month_missing")
