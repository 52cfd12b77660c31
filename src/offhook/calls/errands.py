"""What an agent knows on a call besides its words, and what its replies do besides speaking.

The scope of a call's tasks is set here, by code: this team, this agent, this caller (SEC9, T4). A
result counts as told when it was heard; one that comes while nobody speaks begins a reply (CM5).
Knows the database; knows no audio.
"""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from offhook import agents, inbox, phone, tasks
from offhook.calls.away import AWAY, within
from offhook.calls.service import Connected
from offhook.calls.transfers import targets
from offhook.db import Session

log = logging.getLogger(__name__)
Ask = Callable[[Callable[[Session], Awaitable[Any]]], Coroutine[Any, Any, Any]]
"""One transaction of the call's team. Raises one of AWAY."""
PATIENCE_S = 1.0
"""How long the caller waits for what a reply could do without (C9, UL13)."""


class Errands:
    """The tasks, the memory and the contact of one call."""

    def __init__(self, call: Connected, runner: tasks.Runner, ask: Ask, *, timezone: str) -> None:
        self._call = call
        self._runner = runner
        self._ask = ask
        self._timezone = timezone
        self._memory: inbox.Memory | None = None
        self._stand_in: tuple[agents.StandIn | None] | None = None

    async def toolbox(self, said: Sequence[agents.Said]) -> tasks.Toolbox:
        """For one reply to what was said so far; without tasks while the database is away."""
        turns = [
            tasks.Turn(position, each.speaker is agents.Speaker.CALLER, each.text)
            for position, each in enumerate(said)
        ]
        try:
            return await within(PATIENCE_S, tasks.open_toolbox(self._runner, self._scope(), turns))
        except AWAY as error:
            log.warning("call %s goes on without tasks: %s", self._call.call_id, error)
            return tasks.NoTasks()

    async def memory(self) -> inbox.Memory:
        """What is known of the caller and was said before this call, read once (P4)."""
        if self._memory is None:
            try:
                self._memory = await within(PATIENCE_S, self._ask(self._remembered))
            except AWAY as error:
                log.warning("call %s goes on without memory: %s", self._call.call_id, error)
        return self._memory or inbox.Memory()

    async def _remembered(self, session: Session) -> inbox.Memory:
        call = self._call
        return await inbox.remembered(session, call.team_id, call.conversation_id, call.contact_id)

    async def untold(self) -> list[str]:
        """The runs that have ended and of which the caller does not know. Raises one of AWAY."""
        return [each.step.run_id for each in await (await self.toolbox(())).news()]

    async def all_told(self) -> None:
        """Back from a transfer: the greeting says what became of it."""
        try:
            runs = await self.untold()
        except AWAY as error:
            log.warning("call %s may hear of its transfer twice: %s", self._call.call_id, error)
            return
        for run_id in runs:
            await self.told(run_id)

    async def told(self, run_id: str) -> None:
        """The caller heard what became of the run."""
        try:
            await (await self.toolbox(())).told([run_id])
        except AWAY as error:  # it is told once more, which is better than never
            log.warning("that %s was told is not noted: %s", run_id, error)

    async def stand_in(self) -> agents.StandIn | None:
        """Who takes the caller when a person is needed, looked up once; nobody for a caller who is
        back from a transfer.
        """
        if self._call.returned is not None:
            return None
        if self._stand_in is None:
            try:
                self._stand_in = (await within(PATIENCE_S, self._ask(self._standing_in)),)
            except AWAY as error:
                log.warning("call %s goes on without a person: %s", self._call.call_id, error)
                return None
        return self._stand_in[0]

    async def _standing_in(self, session: Session) -> agents.StandIn | None:
        target = await targets.standing_in(session, self._call.team_id)
        return agents.StandIn(target.id, target.name) if target is not None else None

    async def promise_call_back(self) -> bool:
        """Whether somebody will: it is noted, and there is a number to call."""
        noted = await self.need_person("A technical problem ended the call: please call back.")
        return noted and bool(self._call.caller)

    async def need_person(self, reason: str) -> bool:
        """Ask for a person of the team; whether that is noted."""
        call = self._call
        try:
            await self._ask(
                lambda session: inbox.need_person(
                    session, call.team_id, call.conversation_id, reason
                )
            )
        except AWAY as error:
            log.warning("call %s needs a person, which is not noted: %s", call.call_id, error)
            return False
        return True

    def _scope(self) -> tasks.Scope:
        call = self._call
        return tasks.Scope(
            team_id=call.team_id,
            agent_id=call.snapshot.agent_id,
            conversation_id=call.conversation_id,
            channel=tasks.CALL,
            number_id=call.number_id,
            contact_id=call.contact_id or "",
            caller=call.caller,
            attestation=call.attestation,
            language=call.snapshot.language,
            timezone=self._timezone,
            country=phone.country_of(phone.E164(call.caller)) or "US",
        )
