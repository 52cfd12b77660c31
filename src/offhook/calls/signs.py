"""Signs of life of one call, and of what it has come to: told to the database while it lives.

A database that is away does not end the call (UC3, UL13): a missed heart-beat is written to the
journal, and what was heard first is noted again at the end. Knows no audio.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

from offhook.calls import service
from offhook.calls.away import AWAY
from offhook.calls.rules import HEARTBEAT_S, End
from offhook.calls.service import Connected
from offhook.db import Session

log = logging.getLogger(__name__)
Ask = Callable[[Callable[[Session], Awaitable[Any]]], Coroutine[Any, Any, Any]]
"""One transaction of the call's team. Raises one of AWAY."""


class Signs:
    """`on_end(reason)` hears that somebody wants the call ended (N9, I5)."""

    def __init__(
        self,
        call: Connected,
        ask: Ask,
        *,
        on_end: Callable[[End], None],
        journal: Callable[[], Awaitable[None]],
    ) -> None:
        self._call = call
        self._ask = ask
        self._on_end = on_end
        self._journal = journal

    async def look(self) -> None:
        """Whether the call is to end; where nobody answers, the next heart-beat looks again."""
        team_id, call_id = self._call.team_id, self._call.call_id
        try:
            reason = await self._ask(
                lambda session: service.requested_end(session, team_id, call_id)
            )
        except AWAY as error:
            log.warning("could not look after %s: %s", call_id, error)
            return
        if reason is not None:
            self._on_end(reason)

    async def beat(self) -> None:
        """Every few seconds, until cancelled."""
        team_id, call_id = self._call.team_id, self._call.call_id
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                wish = await self._ask(lambda session: service.beat(session, team_id, call_id))
            except AWAY as error:
                log.warning("no heart-beat for %s: %s", call_id, error)
                with suppress(OSError):
                    await self._journal()
                continue
            if wish is not None:
                self._on_end(End(wish))

    async def spoke(self) -> None:
        """The agent was heard for the first time."""
        team_id, call_id = self._call.team_id, self._call.call_id
        try:
            await self._ask(lambda session: service.spoke(session, team_id, call_id))
        except AWAY as error:
            log.warning("first words of %s not noted: %s", call_id, error)

    async def recording(self, path: str) -> None:
        """Audio is kept from here on."""
        team_id, call_id = self._call.team_id, self._call.call_id
        try:
            await self._ask(
                lambda session: service.recording_began(session, team_id, call_id, path)
            )
        except AWAY as error:
            log.warning("recording of %s not noted: %s", call_id, error)
