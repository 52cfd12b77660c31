"""One conversation's wish to put its caller through: from the brain's word until the call has left.

The sentence that announces it is heard to its end before the leg moves (C6). A caller who speaks
into it keeps the agent: noise only delays the transfer, words call it off. Knows the use cases;
what is said about a transfer that did not begin is the conversation's.
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
    """At most one wish at a time; a newer one replaces it."""

    def __init__(self, call: Connected, minutes: Minutes, ask: Transaction) -> None:
        self._call = call
        self._minutes = minutes
        self._ask = ask
        self._wish: HandOver | None = None
        self._held: HandOver | None = None

    @property
    def is_due(self) -> bool:
        """Whether the call is to leave once all was heard."""
        return self._wish is not None

    def wanted(self, wish: HandOver) -> None:
        self._wish, self._held = wish, None

    def interrupted(self) -> None:
        """Somebody spoke into it, or something."""
        self._wish, self._held = None, self._wish or self._held

    def goes_on(self) -> None:
        """It was noise."""
        self._wish, self._held = self._held, None

    async def call_off(self, sentence: str) -> None:
        """It does not happen, and its run is known as failed (T3)."""
        wish = self._wish or self._held
        self._wish = self._held = None
        if wish is not None and wish.run_id:
            await self._fail(wish, sentence)

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

    async def rescue(self, target: str, carrier: Carrier | None) -> bool:
        """Give the caller to a person because the agent cannot go on (C9)."""
        await self.call_off("A technical problem kept the agent from going on.")
        self._wish = HandOver("", target)
        return await self.leave(carrier, rescue=True)

    async def leave(self, carrier: Carrier | None, *, rescue: bool = False) -> bool:
        """Give the call to the keeper. False: it stays here, and its run has failed."""
        wish, self._wish = self._wish, None
        if wish is None:
            return False
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
