"""A state machine drives the ledger on PostgreSQL and the reference model side by side.

Two numbers of a team, five time zones; calls, renewals, ends, crashes, limits, a number disabled or
sold to another team, zones, duplicates, months; one after the other, and several at once on
connections of their own.
"""

import asyncio
import os
from datetime import UTC, datetime
from typing import ClassVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from usage_pair import NUMBERS, Act, Pair, pair, pair_of
from usage_pure import PureDesk

from offhook.db import Database
from offhook.usage import Direction, Service

ZONES = (
    "UTC",
    "America/Los_Angeles",
    "Asia/Tokyo",
    "Pacific/Auckland",
    "Asia/Kathmandu",
)
LIMITS = st.one_of(st.none(), st.integers(1, 4))
SECONDS = [0.4, 59.5, 60.0, 60.001, 130.0]
TEAMS = 3
EXAMPLES = 8 * int(os.environ.get("OFFHOOK_KILLS", "1"))
names = st.sampled_from(NUMBERS)
services = st.sampled_from(list(Service))


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
    former: list[Pair]
    """Teams that gave up their numbers: what they used stays theirs."""
    disabled: set[str]

    @initialize(zone=st.sampled_from(ZONES))
    def hire(self, zone: str) -> None:
        self.clock.instant = datetime(2026, 2, 26, 12, 0, tzinfo=UTC)
        self.former, self.disabled = [], set()
        self.pair = self.runner.run(self.open(zone))

    async def open(self, zone: str) -> Pair:
        return await pair(self.database, self.clock, zone)

    @precondition(lambda self: len(self.former) < TEAMS - 1)
    @rule(zone=st.sampled_from(ZONES))
    def sold_to_another_team(self, zone: str) -> None:
        """Both numbers are disabled and deleted; another team buys them in mid-month (UN6)."""
        for name in NUMBERS:
            self.runner.run(self.pair.disable(name))
        self.former.append(self.pair)
        self.disabled = set()
        self.pair = self.runner.run(self.open(zone))

    @rule(name=names)
    def disable(self, name: str) -> None:
        self.runner.run(self.pair.disable(name))
        self.disabled.add(name)

    @precondition(lambda self: self.disabled)
    @rule(data=st.data())
    def enable(self, data: st.DataObject) -> None:
        """Counters go on; toggling resets nothing (UN3)."""
        self.disabled.discard(data.draw(st.sampled_from(sorted(self.disabled))))

    @precondition(lambda self: len(self.disabled) < len(NUMBERS))
    @rule(data=st.data(), count=st.integers(2, 5))
    def rush(self, data: st.DataObject, count: int) -> None:
        acts: list[Act] = []
        ending: set[str] = set()
        for _ in range(count):
            name = self._on(data)
            kind = data.draw(st.sampled_from(["call", "text", "reply", "limit", "renew", "end"]))
            alive = sorted(self.pair.live.keys() - ending)
            if kind in {"renew", "end"} and alive:
                call = data.draw(st.sampled_from(alive))
                if kind == "end":
                    ending.add(call)
                    acts.append(self.pair.act_end(call, data.draw(st.sampled_from(SECONDS))))
                elif not any(act.call == call for act in acts):
                    acts.append(self.pair.act_renew(call))
            elif kind == "limit":
                service = data.draw(services)
                acts.append(self.pair.act_limit(name, service, data.draw(LIMITS)))
            elif kind in {"text", "reply"}:
                way = Direction.INBOUND if kind == "text" else Direction.OUTBOUND
                acts.append(self.pair.act_text(name, way))
            else:
                acts.append(self.pair.act_call(name))
        self.runner.run(self.pair.rush(acts))

    @precondition(lambda self: len(self.disabled) < len(NUMBERS))
    @rule(data=st.data())
    def call(self, data: st.DataObject) -> None:
        self.runner.run(self.pair.call(self._on(data)))

    @precondition(lambda self: self.pair.live)
    @rule(data=st.data(), again=st.booleans())
    def renew(self, data: st.DataObject, again: bool) -> None:
        self.runner.run(self.pair.renew(self._live(data), again=again))

    @precondition(lambda self: self.pair.live)
    @rule(data=st.data(), seconds=st.sampled_from(SECONDS))
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

    @rule(name=names, service=services, value=LIMITS)
    def limit(self, name: str, service: Service, value: int | None) -> None:
        self.runner.run(self.pair.limit(name, service, value))

    @rule(zone=st.sampled_from(ZONES))
    def zone(self, zone: str) -> None:
        self.runner.run(self.pair.zone(zone))

    @precondition(lambda self: len(self.disabled) < len(NUMBERS))
    @rule(data=st.data())
    def inbound(self, data: st.DataObject) -> None:
        self.runner.run(self.pair.inbound(self._on(data)))

    @precondition(lambda self: len(self.disabled) < len(NUMBERS))
    @rule(data=st.data())
    def outbound(self, data: st.DataObject) -> None:
        self.runner.run(self.pair.outbound(self._on(data)))

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
            for one in (*self.former, self.pair):
                self.runner.run(one.check())

    def teardown(self) -> None:
        if hasattr(self, "pair"):
            self.pair.forward(seconds=121)
            self.runner.run(self.pair.sweep())
            self.agree()
            self.runner.run(self.pair.audit())

    def _on(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from([name for name in NUMBERS if name not in self.disabled]))

    def _live(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.pair.live)))


class PureLedger(Ledger):
    """The same lives on the pure rules alone."""

    async def open(self, zone: str) -> Pair:
        desk = PureDesk(self.clock, zone, f"team_{len(self.former)}")
        return await pair_of(desk, self.clock, zone)


async def _open(url: str, clock: StandingClock) -> Database:
    return Database(url, pool_size=5, clock=clock)


def lives(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a shorter life takes longer to find than to read
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def test_the_pure_rules_agree_with_the_reference() -> None:
    """The same rules and the same lives without a database, so many more of them."""
    with asyncio.Runner() as runner:
        PureLedger.runner, PureLedger.clock = runner, StandingClock()
        run_state_machine_as_test(PureLedger, settings=lives(6 * EXAMPLES))


def test_the_ledger_agrees_with_the_reference(database_url: str) -> None:
    """UI1 to UI6, UL1 to UL11, UM2, UM6, UP2, UC3, U8, UF2 over random lives."""
    with asyncio.Runner() as runner:
        Ledger.runner, Ledger.clock = runner, StandingClock()
        Ledger.database = runner.run(_open(database_url, Ledger.clock))
        run_state_machine_as_test(Ledger, settings=lives(EXAMPLES))
        runner.run(Ledger.database.close())
