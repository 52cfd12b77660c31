"""A state machine drives the ledger on PostgreSQL and the reference model side by side.

Two numbers, five time zones; calls, renewals, ends, crashes, limits, zones, duplicates, months.
"""

import asyncio
from datetime import UTC, datetime
from typing import ClassVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from usage_pair import NUMBERS, Pair, pair

from offhook.db import Database
from offhook.usage import Service

ZONES = (
    "UTC",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Pacific/Auckland",
    "Asia/Kathmandu",
)
LIMITS = st.one_of(st.none(), st.integers(1, 4))
names = st.sampled_from(NUMBERS)


class StandingClock:
    def __init__(self) -> None:
        self.instant = datetime(2026, 2, 26, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant


class Ledger(RuleBasedStateMachine):
    runner: ClassVar[asyncio.Runner]
    clock: ClassVar[StandingClock]
    database: ClassVar[Database]
    pair: Pair

    @initialize(zone=st.sampled_from(ZONES))
    def hire(self, zone: str) -> None:
        self.clock.instant = datetime(2026, 2, 26, 12, 0, tzinfo=UTC)
        self.pair = self.runner.run(pair(self.database, self.clock, zone))

    @rule(name=names)
    def call(self, name: str) -> None:
        self.runner.run(self.pair.call(name))

    @precondition(lambda self: self.pair.live)
    @rule(data=st.data(), again=st.booleans())
    def renew(self, data: st.DataObject, again: bool) -> None:
        self.runner.run(self.pair.renew(self._live(data), again=again))

    @precondition(lambda self: self.pair.live)
    @rule(data=st.data(), seconds=st.sampled_from([0.4, 59.5, 60.0, 60.001, 130.0]))
    def end(self, data: st.DataObject, seconds: float) -> None:
        self.runner.run(self.pair.end(self._live(data), seconds))

    @precondition(lambda self: self.pair.live)
    @rule(data=st.data())
    def heartbeat(self, data: st.DataObject) -> None:
        self.runner.run(self.pair.heartbeat(self._live(data)))

    @rule()
    def crash(self) -> None:
        """Nobody speaks for the live calls any more: their leases end."""
        self.pair.forward(seconds=121)
        self.runner.run(self.pair.sweep())

    @rule(name=names, service=st.sampled_from(list(Service)), value=LIMITS)
    def limit(self, name: str, service: Service, value: int | None) -> None:
        self.runner.run(self.pair.limit(name, service, value))

    @rule(zone=st.sampled_from(ZONES))
    def zone(self, zone: str) -> None:
        self.runner.run(self.pair.zone(zone))

    @rule(name=names)
    def inbound(self, name: str) -> None:
        self.runner.run(self.pair.inbound(name))

    @rule(name=names)
    def outbound(self, name: str) -> None:
        self.runner.run(self.pair.outbound(name))

    @precondition(lambda self: self.pair.messages)
    @rule(data=st.data(), sent=st.booleans())
    def answer(self, data: st.DataObject, sent: bool) -> None:
        message = data.draw(st.sampled_from(self.pair.messages))
        self.runner.run(self.pair.sent(message) if sent else self.pair.failed(message))

    @rule(seconds=st.sampled_from([1, 45, 70]))
    def wait(self, seconds: int) -> None:
        self.pair.forward(seconds=seconds)

    @rule(seconds=st.sampled_from([0, 30, 90]))
    def to_months_end(self, seconds: int) -> None:
        """Days later: whoever was on the line then is gone."""
        self.pair.to_months_end(seconds)
        self.runner.run(self.pair.sweep())

    @invariant()
    def agree(self) -> None:
        if hasattr(self, "pair"):
            self.runner.run(self.pair.check())

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            self.pair.forward(seconds=121)
            self.runner.run(self.pair.sweep())
            self.runner.run(self.pair.check())
            self.runner.run(self.pair.audit())

    def _live(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.pair.live)))


async def _open(url: str, clock: StandingClock) -> Database:
    return Database(url, pool_size=2, clock=clock)


def test_the_ledger_agrees_with_the_reference(database_url: str) -> None:
    """UI1 to UI6, UL1 to UL11, UM2, UM6, UP2, UC3, U8, UF2 over random lives."""
    with asyncio.Runner() as runner:
        Ledger.runner, Ledger.clock = runner, StandingClock()
        Ledger.database = runner.run(_open(database_url, Ledger.clock))
        run_state_machine_as_test(
            Ledger,
            settings=settings(
                max_examples=8,
                stateful_step_count=25,
                deadline=None,
                database=None,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
            ),
        )
        runner.run(Ledger.database.close())
