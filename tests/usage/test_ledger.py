"""The ledger on PostgreSQL: the fixtures of metering.md, one transaction per step."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from offhook.usage import Denied, Granted, Reason

if TYPE_CHECKING:
    from conftest import Clock, Desk


async def test_ux1_the_seeds_300_minutes_answer_300_calls_of_45_seconds(
    desk: Desk, clock: Clock
) -> None:
    number = await desk.number("num_a", calls=300)
    answered = 0
    for index in range(400):
        answered += await desk.call(number, f"call_{index:03}", 45)
        clock.advance(minutes=2)
    assert answered == 300
    assert (await desk.balance(number)).posted == 300


async def test_ux5_of_two_answers_for_the_last_minute_one_is_rejected(desk: Desk) -> None:
    number = await desk.number("num_a", calls=1)
    assert isinstance(await desk.reserve(number, "call_a"), Granted)
    second = await desk.reserve(number, "call_b")
    assert isinstance(second, Denied)
    assert second.reason is Reason.LIMIT_REACHED
    assert second.resets_at == datetime(2026, 6, 1, tzinfo=UTC)
    state = await desk.balance(number)
    assert (state.posted, state.pending, state.left) == (0, 1, 0)
