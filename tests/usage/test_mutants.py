"""The tests bite: each known way to get metering wrong is put in, and the comparison notices.

One scripted life of a team, told to the product and to the reference; it passes as it is and must
fail with any mutant of metering.md's list.
"""

from collections.abc import Callable

import psycopg
import pytest
from usage_desk import Clock
from usage_pair import pair

from offhook.db import Database
from offhook.usage import Service, kernel, month, rating, statements
from offhook.usage.models import Entry

Mutate = Callable[[pytest.MonkeyPatch], None]


async def life(database: Database, clock: Clock) -> None:
    """Limits met, minutes renewed and returned, a month's end, twice-told news, the pool used."""
    both = await pair(database, clock, "Europe/Paris")
    await both.limit("a", Service.CALLS, 2)
    for _ in range(3):
        await both.call("a")
        await both.check()
    for call in list(both.live):
        await both.end(call, 30)
    await both.limit("b", Service.SMS, 2)
    for _ in range(2):
        await both.outbound("b")
        await both.inbound("b")
    await both.sent(both.messages[0])
    await both.failed(both.messages[-1])
    await both.check()
    # Settled in another order than begun: the long call began later and is posted first.
    await both.limit("a", Service.CALLS, None)
    await both.call("a")
    early = list(both.live)[-1]
    for _ in range(9):
        await both.renew(early)
    both.forward(seconds=15)
    await both.call("b")
    late = list(both.live)[-1]
    for _ in range(59):
        await both.renew(late)
    await both.end(late, 3600)
    await both.end(early, 600)
    await both.check()
    both.to_months_end(70)
    await both.call("a")
    over = list(both.live)[-1]
    for _ in range(3):
        await both.renew(over)
    await both.renew(over, again=True)
    await both.end(over, 220)
    await both.check()
    both.forward(seconds=300)
    await both.check()
    await both.audit()


def patched(name: str, old: str, new: str) -> Mutate:
    """The SQL `name` of the kernel with `old` replaced."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        sql: str = getattr(kernel, name)
        assert old in sql
        patch.setattr(kernel, name, sql.replace(old, new))

    return mutate


def arrival_order_rating(patch: pytest.MonkeyPatch) -> None:
    def as_they_come(units: list[rating.Unit], allowance: int) -> list[rating.Unit]:
        return list(units)[:allowance]

    patch.setattr(month, "IN_ORDER", (Entry.id,))
    patch.setattr(rating, "first_free", as_they_come)


async def test_the_life_passes_without_a_mutant(clocked: Database, clock: Clock) -> None:
    await life(clocked, clock)


@pytest.mark.parametrize(
    "mutate",
    [
        pytest.param(
            patched("RESERVE", "pending + 1 <= counter", "pending <= counter"), id="off-by-one"
        ),
        pytest.param(
            patched("RESERVE", "posted + pending + 1 <=", "posted + 1 <="), id="pending-ignored"
        ),
        pytest.param(
            patched("NEXT_MINUTE", "+ %(index)s * interval '1 minute'", "+ interval '0'"),
            id="whole-call-to-the-answers-month",
        ),
        pytest.param(arrival_order_rating, id="arrival-order-rating"),
        pytest.param(
            patched("RESOLVE", "counter.pending - sums.ended", "counter.pending"),
            id="held-not-returned",
        ),
        pytest.param(
            patched("RESOLVE", "width_bucket(unit.starts_at, month.day_starts) - 1", "0"),
            id="used-on-another-day",
        ),
        pytest.param(
            patched("CORRECT", "sum(unit.units)", "0"), id="taken-back-of-the-counter-only"
        ),
    ],
)
async def test_a_mutant_is_noticed(
    clocked: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, mutate: Mutate
) -> None:
    mutate(monkeypatch)
    with pytest.raises(AssertionError):
        await life(clocked, clock)


@pytest.mark.parametrize("statement", ["RESERVE", "RESOLVE"])
async def test_a_second_telling_counted_twice_is_noticed(
    clocked: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """Duplicate ingest and double end, without the key that forbids them."""
    url = clocked.psycopg_url
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("DROP INDEX uq_usage_entries_unit")
    for name in ("RESERVE", "RESOLVE", "CORRECT"):
        replacement = "" if name == statement else "ON CONFLICT DO NOTHING"
        patched(name, statements.ONCE, replacement)(monkeypatch)
    with pytest.raises(AssertionError):
        await life(clocked, clock)
