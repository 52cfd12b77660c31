"""The meter's hands: asks the ledger for the next minute when the meter says so (U4).

Sleeps until something is due, and is woken when a limit may have changed (UL9). Knows the ledger
and a monotonic clock (UM7); what a notice or a hang-up sounds like is the conversation's.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from offhook import usage
from offhook.calls.meter import HangUp, Meter, Notice, Renew
from offhook.calls.rules import End
from offhook.calls.service import Connected
from offhook.db import Database

log = logging.getLogger(__name__)
RENEW_TIMEOUT_S = 4.0


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
        call: Connected,
        meter: Meter,
        *,
        on_notice: Callable[[End], None],
        on_hang_up: Callable[[End], None],
        clock: Clock | None = None,
    ) -> None:
        self._database = database
        self._call = call
        self._meter = meter
        self._on_notice = on_notice
        self._on_hang_up = on_hang_up
        self._clock = clock or Monotonic()
        self._began = self._clock.now() - call.answered_ago_ms / 1000
        self._changed = asyncio.Event()

    @property
    def elapsed_ms(self) -> int:
        return int((self._clock.now() - self._began) * 1000)

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
        call = self._call
        # A ledger that does not answer must not carry the call past its last minute.
        patience_s = min(RENEW_TIMEOUT_S, self._seconds_to(self._meter.hang_up_ms))
        try:
            async with (
                asyncio.timeout(patience_s),
                self._database.team(call.team_id) as session,
            ):
                answer = await usage.reserve_minute(
                    session,
                    call.team_id,
                    number_id=call.number_id,
                    call_id=call.call_id,
                    index=index,
                )
        except (DBAPIError, OSError, TimeoutError) as error:
            log.warning("the ledger did not answer for %s: %s", call.call_id, error)
            self._meter.on_unreachable(self.elapsed_ms)
            return
        if isinstance(answer, usage.Denied):
            self._meter.on_denied()
        else:
            self._meter.on_granted(index)
