"""The monthly close on PostgreSQL: LB5, U10, UF8, UP4, UI6, UI8, UC8."""

import asyncio
import contextlib
from datetime import timedelta

import pytest
from invoice_desk import (
    Killed,
    audit,
    charged_so_far,
    close,
    dies_at,
    invoices,
    late_call,
    lines,
    price_list,
    shown,
    use,
    utc,
)
from usage_desk import Clock, hire

from offhook import settings, usage
from offhook.db import Database
from offhook.prices import Money

LAST_DAY = "2026-01-31T"
INSTANTS = ("10:59", "11:00", "11:30", "12:01", "23:59")


async def test_lb5_auckland_two_workers_one_killed_one_invoice(
    clocked: Database, clock: Clock
) -> None:
    clock.instant = utc("2026-01-10")
    desk = await hire(clocked, "Pacific/Auckland")
    await price_list(clocked, minute="0.0137", message="0.0079")
    for index in range(81):
        number = await desk.number(f"num_{index:02}")
        clock.instant += timedelta(minutes=90)
        await use(desk, number, minutes=index % 3 + 1, messages=3 - index % 3, tag=f"{index}")
    clock.instant = utc(f"{LAST_DAY}10:59:59")
    so_far = await charged_so_far(desk)
    for days in (0, 3):
        for instant in INSTANTS:
            clock.instant = utc(f"{LAST_DAY}{instant}") + timedelta(days=days)
            with contextlib.suppress(Killed):
                await asyncio.gather(close(desk, dies_at("close.first_line")), close(desk))
            await close(desk)
            is_due = days == 3 and instant != "10:59"
            assert len(await invoices(desk)) == is_due
    [invoice] = await invoices(desk)
    assert (invoice.period_start, invoice.period_end) == (
        utc("2025-12-31T11:00"),
        utc("2026-01-31T11:00"),
    )
    made = await lines(desk, invoice)
    assert len(made) == 162
    assert sum(line.free for line in made if line.service == "calls") == 60
    assert sum(line.free for line in made if line.service == "sms") == 100
    assert all(line.amount == (line.price * line.charged).rounded() for line in made)
    assert invoice.net == sum((line.amount for line in made), Money(0)) == so_far
    assert await audit(desk) == []

    # One late entry: on the next invoice, alone; what was closed stays as it was.
    await late_call(desk, "num_07", "call_late", utc("2026-01-30T09:00"))
    clock.instant = utc("2026-03-04T12:00")
    await asyncio.gather(close(desk), close(desk))
    first, second = await invoices(desk)
    assert first.net == invoice.net
    assert await shown(desk, second) == [
        "Incoming minutes, late usage, January 2026: 1 (0 free) 0.01 USD"
    ]
    assert await audit(desk) == []


async def test_what_comes_late_uses_what_was_left_of_its_month_uf8(
    clocked: Database, clock: Clock
) -> None:
    clock.instant = utc("2026-01-10")
    desk = await hire(clocked)
    await price_list(clocked, minute="0.02", message="0.01")
    number = await desk.number("num_a")
    await use(desk, number, minutes=30, tag="first")
    await use(desk, number, minutes=29, tag="second")
    clock.instant = utc("2026-02-04T00:01")
    await close(desk)
    await use(desk, number, messages=2, tag="february")
    clock.instant = utc("2026-02-10")
    for call, starts_at in {"b": "2026-01-20", "a": "2026-01-12", "old": "2026-01-02"}.items():
        await late_call(desk, number, f"call_{call}", utc(starts_at))
    clock.instant = utc("2026-03-04T00:01")
    await late_call(desk, number, "call_c", utc("2026-02-05"))  # within the grace: not late
    await close(desk)
    january, february = await invoices(desk)
    assert await shown(desk, january) == ["Incoming minutes: 59 (59 free) 0.00 USD"]
    # One minute of January's allowance was left: the earliest in time takes it, of those that
    # can still be charged.
    assert await shown(desk, february) == [
        "Incoming minutes: 1 (1 free) 0.00 USD",
        "Incoming messages: 2 (2 free) 0.00 USD",
        "Incoming minutes, late usage, January 2026: 2 (1 free) 0.02 USD",
        "Incoming minutes, late usage, January 2026, too late to be charged: 1 (0 free) 0.00 USD",
    ]
    await late_call(desk, number, "call_very_old", utc("2026-01-13"))
    clock.instant = utc("2026-04-04T00:01")
    await close(desk)
    assert await shown(desk, (await invoices(desk))[2]) == [
        "Incoming minutes, late usage, January 2026, too late to be charged: 1 (0 free) 0.00 USD"
    ]
    assert await audit(desk) == []


async def test_what_is_taken_back_is_credited_as_it_was_charged_ut7(
    clocked: Database, clock: Clock
) -> None:
    clock.instant = utc("2026-01-10")
    desk = await hire(clocked)
    await price_list(clocked, minute="0.02", message="0.0079")
    number = await desk.number("num_a")
    await use(desk, number, messages=104, tag="m")
    await desk.give_back("msg_m_0")  # while the month is open: as if it had never been
    clock.instant = utc("2026-02-04T00:01")
    await close(desk)
    for message in ("msg_m_1", "msg_m_98", "msg_m_99"):  # a free one, and two charged ones
        await desk.give_back(message)
    clock.instant = utc("2026-03-04T00:01")
    await close(desk)
    first, second = await invoices(desk)
    assert await shown(desk, first) == ["Incoming messages: 103 (100 free) 0.02 USD"]
    assert await shown(desk, second) == [
        "Incoming messages, credit for January 2026: -3 (-1 free) -0.02 USD"
    ]
    assert (second.due, second.balance_after) == (Money(0), Money.of("-0.02"))
    assert await audit(desk) == []


async def test_a_month_without_anything_gets_no_invoice_and_no_number(
    clocked: Database, clock: Clock
) -> None:
    desk = await hire(clocked)
    number = await desk.number("num_a")
    async with clocked.system() as session:
        await usage.period_at(session, desk.team, clock.instant)
    clock.instant = utc("2026-07-10")
    await use(desk, number, minutes=1, tag="july")
    clock.instant = utc("2026-08-04T00:01")
    await close(desk)
    [invoice] = await invoices(desk)
    assert (invoice.number, invoice.period_start) == ("INV-000001", utc("2026-07-01"))
    assert await audit(desk) == []


async def test_with_billing_off_no_invoice_is_made_then_or_later_u10(
    clocked: Database, clock: Clock, billing_off: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await hire(clocked)
    number = await desk.number("num_a")
    await use(desk, number, minutes=61, tag="may")
    clock.instant = utc("2026-06-04T00:01")
    await close(desk)
    monkeypatch.delenv("OFFHOOK_BILLING")
    settings.load.cache_clear()
    await late_call(desk, number, "call_late", utc("2026-05-20"))
    clock.instant = utc("2026-07-04T00:01")
    await close(desk)
    assert await invoices(desk) == []
    assert await audit(desk) == []
