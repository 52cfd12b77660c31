"""The meter's hands: asks the ledger for the next minute when the meter says so (U4).

Sleeps until something is due, and is woken when a limit may have changed (UL9). Knows the ledger
and a monotonic clock (UM7); what a notice or a hang-up sounds like is the conversation's.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

from offhook import usage
from offhook.calls.away import AWAY, PATIENCE_S, within
from offhook.calls.meter import HangUp, Meter, Notice, Phase, Renew
from offhook.calls.parts import Parts
from offhook.calls.rules import End
from offhook.calls.service import Connected
from offhook.db import Database, Session

log = logging.getLogger(__name__)
JournalMinute = Callable[[int], Awaitable[None]]
"""Writes to disk that minute `index` was granted without the ledger. Raises OSError."""


class Clock(Protocol):
    """The time that a call is measured by: seconds that never jump (UM7)."""

    def now(self) -> float: ...

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Until `event` is set, at most so long; whether it was."""
        ...


class Monotonic:
    """The machine's own clock."""

    def now(self) -> float:
        return time.monotonic()

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await event.wait()
        except TimeoutError:
            return False


class Credit:
    """One live call's credit. `elapsed_ms` is the time since the answer, by a monotonic clock."""

    def __init__(
        self,
        database: Database,
        renewals: usage.Renewals,
        call: Connected,
        meter: Meter,
        *,
        journal: JournalMinute,
        on_notice: Callable[[End], None],
        on_hang_up: Callable[[End], None],
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._renewals = renewals
        self._call = call
        self._meter = meter
        self._journal = journal
        self._on_notice = on_notice
        self._on_hang_up = on_hang_up
        self._clock = clock or Monotonic()
        self._began = self._clock.now() - call.answered_ago_ms / 1000
        self._changed = asyncio.Event()

    @property
    def elapsed_ms(self) -> int:
        return int((self._clock.now() - self._began) * 1000)

    @property
    def left_ms(self) -> int:
        """Until the last instant at which something may be heard (U4)."""
        return self._meter.hang_up_ms - self.elapsed_ms

    @property
    def granted(self) -> int | None:
        """Minutes that the ledger has granted; None where it was away, or said no."""
        meter = self._meter
        return None if meter.alone or meter.phase in {Phase.FINAL, Phase.OVER} else meter.granted

    def limit_changed(self) -> None:
        """Somebody changed a limit: a call in its final unit asks again."""
        self._changed.set()

    async def run(self) -> None:
        """Until the meter says that the call is over."""
        while True:
            due = self._meter.due(self.elapsed_ms)
            match due:
                case Renew(index=index):
                    await self._renew(index)
                case Notice(reason=reason):
                    self._on_notice(reason)
                case HangUp(reason=reason):
                    self._on_hang_up(reason)
                    return
                case None:
                    await self._wait()

    async def _wait(self) -> None:
        if not await self._clock.wait(self._changed, self._seconds_to(self._meter.next_ms)):
            return
        self._changed.clear()
        if (renewal := self._meter.ask_again()) is not None:
            await self._renew(renewal.index)

    def _seconds_to(self, ms: int) -> float:
        return max(0.0, (ms - self.elapsed_ms) / 1000)

    async def _renew(self, index: int) -> None:
        # A ledger that does not answer must not carry the call past its last minute.
        patience_s = min(PATIENCE_S, self._seconds_to(self._meter.hang_up_ms))
        try:
            answer = await within(patience_s, self._reserve(index))
        except AWAY as error:
            log.warning("the ledger did not answer for %s: %s", self._call.call_id, error)
            await self._without_ledger(index)
            return
        if isinstance(answer, usage.Denied):
            capped = answer.reason is usage.Reason.SPEND_CAP
            self._meter.on_denied(End.SPEND_CAP if capped else End.LIMIT_REACHED)
            return
        self._meter.limited = answer.left is not None or answer.is_capped
        self._meter.on_granted(index)

    async def _reserve(self, index: int) -> usage.Granted | usage.Denied:
        """Minute `index`, after those that the ledger does not know yet (UL13)."""
        if not self._meter.alone:
            call = self._call
            return await self._renewals.reserve(
                usage.Renewal(call.team_id, call.number_id, call.call_id, index, call.direction)
            )
        async with self._database.team(self._call.team_id) as session:
            for untold in range(index - self._meter.alone, index):
                answer = await self._take(session, untold)
                if isinstance(answer, usage.Denied):
                    return answer
            return await self._take(session, index)

    async def _take(self, session: Session, index: int) -> usage.Granted | usage.Denied:
        call = self._call
        return await usage.reserve_minute(
            session,
            call.team_id,
            number_id=call.number_id,
            call_id=call.call_id,
            index=index,
            direction=call.direction,
        )

    async def _without_ledger(self, index: int) -> None:
        """Asked twice in vain: an unlimited call goes on by our own journal for a while."""
        meter = self._meter
        if meter.asks_once_more or not meter.may_go_on_alone:
            meter.on_unreachable(self.elapsed_ms)
            return
        try:
            await self._journal(index)
        except OSError:
            log.exception("minute %s of %s is in no journal", index, self._call.call_id)
            meter.on_unreachable(self.elapsed_ms)
            return
        log.error("incident: call %s goes on without the ledger", self._call.call_id)
        meter.on_granted_alone()


def open_credit(
    parts: Parts,
    call: Connected,
    journal: JournalMinute,
    *,
    on_notice: Callable[[End], None],
    on_hang_up: Callable[[End], None],
) -> Credit:
    """The credit of a call as it was connected."""
    longest = call.snapshot.options.max_call_minutes
    meter = Meter(call.limited, longest, granted=call.granted)
    return Credit(
        parts.database,
        parts.renewals,
        call,
        meter,
        journal=journal,
        on_notice=on_notice,
        on_hang_up=on_hang_up,
    )
