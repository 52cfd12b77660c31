"""How one conversation puts its caller through: the call leaves, or its run is known as failed.

The sentence that announces it has been heard to its end (C6). Knows the use cases; when the agent
wants it, and what is said about a transfer that did not begin, is the conversation's.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from offhook import inbox
from offhook.agents import HandOver
from offhook.calls import service
from offhook.calls.away import AWAY
from offhook.calls.service import Connected
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers.rules import NotTransferable, wall_s
from offhook.carriers import Carrier, CarrierProblem
from offhook.db import Session
from offhook.errors import Problem

log = logging.getLogger(__name__)
WANTED = "The caller wanted a person and could not be put through."
Transaction = Callable[[Callable[[Session], Awaitable[None]]], Awaitable[None]]


class Minutes(Protocol):
    """What the meter knows of the call."""

    @property
    def granted(self) -> int | None:
        """Minutes that the ledger has granted; None when it must not be asked for more."""
        ...


class HandingOver:
    """Of one call."""

    def __init__(self, call: Connected, minutes: Minutes, ask: Transaction) -> None:
        self._call = call
        self._minutes = minutes
        self._ask = ask

    async def call_off(self, wish: HandOver, sentence: str) -> None:
        """It does not happen, and its run is known as failed (T3)."""
        if wish.run_id:
            await self._fail(wish, sentence)

    async def rescue(self, wish: HandOver | None, target: str, carrier: Carrier | None) -> bool:
        """Give the caller to a person because the agent cannot go on (C9); `wish` is off."""
        if wish is not None:
            await self.call_off(wish, "A technical problem kept the agent from going on.")
        return await self.leave(HandOver("", target), carrier, rescue=True)

    async def _fail(self, wish: HandOver, sentence: str) -> None:
        call = self._call

        async def tell(session: Session) -> None:
            if wish.run_id:
                await transfers.not_begun(session, call.team_id, wish.run_id, sentence)
            else:  # no task asked for it, but the caller, for a person
                await inbox.need_person(session, call.team_id, call.conversation_id, WANTED)

        try:
            await self._ask(tell)
        except AWAY as error:
            log.warning("run %s is not known as failed yet: %s", wish.run_id, error)

    async def leave(self, wish: HandOver, carrier: Carrier | None, *, rescue: bool = False) -> bool:
        """Give the call to the keeper. False: it stays here, and its run has failed."""
        try:
            granted = await self._move(wish, rescue=rescue)
        except (Problem, *AWAY) as error:
            log.warning("call %s is not put through: %s", self._call.call_id, error)
            reason = error.sentence if isinstance(error, Problem) else "A fault on our side."
            await self._fail(wish, reason)
            return False
        if self._call.limited and carrier is not None:
            try:
                await carrier.limit_call(self._call.carrier_call_id, seconds=wall_s(granted))
            except CarrierProblem as problem:  # the keeper tries again
                log.warning("no limit at the carrier for %s: %s", self._call.call_id, problem)
        return True

    async def _move(self, wish: HandOver, *, rescue: bool) -> int:
        granted = self._minutes.granted
        if granted is None:
            raise NotTransferable("The call is about to end.", remedy="Nothing was changed.")
        asked = transfers.Wish(wish.target, wish.run_id, granted, rescue)

        async def move(session: Session) -> None:
            await service.leave(session, self._call.team_id, self._call.call_id, asked)

        try:
            await self._ask(move)
        except AWAY:  # it may have happened all the same, and is harmless twice
            await self._ask(move)
        return granted
