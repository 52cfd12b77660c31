"""The meter's hands: asks the ledger for the next minute when the meter says so (U4).

Sleeps until something is due, and is woken when a limit may have changed (UL9). Knows the ledger
and a monotonic clock; what a notice or a hang-up sounds like is the conversation's.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from offhook import usage
from offhook.calls.meter import HangUp, Meter, Notice, Renew
from offhook.calls.rules import End
from offhook.calls.service import Connected
from offhook.db import Database

log = logging.getLogger(__name__)
RENEW_TIMEOUT_S = 4.0


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
    ) -> None:
        self._database = database
        self._call = call
        self._meter = meter
        self._on_notice = on_notice
        self._on_hang_up = on_hang_up
        self._began = time.monotonic() - call.answered_ago_ms / 1000
        self._changed = asyncio.Event()

    @property
    def elapsed_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)

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
        seconds = max(0.0, (self._meter.next_ms - self.elapsed_ms) / 1000)
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()
        if (renewal := self._meter.ask_again()) is not None:
            await self._renew(renewal.index)

    async def _renew(self, index: int) -> None:
        call = self._call
        try:
            async with (
                asyncio.timeout(RENEW_TIMEOUT_S),
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
