"""What a live call tells the database about itself: signs of life, its first words, its end.

Each telling is one transaction with an end to our patience. What cannot be told now, and must not
be lost, is written into the process's journal, and told when the database answers (UL13). Knows no
line and no words.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from offhook import costs
from offhook.calls import service
from offhook.calls.away import AWAY, PATIENCE_S, within
from offhook.calls.journal import Fact, Journal
from offhook.calls.rules import End
from offhook.calls.service import Connected
from offhook.db import Database, Session

log = logging.getLogger(__name__)
T = TypeVar("T")


class Logbook:
    """One call's. `seconds()` is the time since its answer, by a monotonic clock (UM7)."""

    def __init__(
        self, database: Database, journal: Journal, call: Connected, seconds: Callable[[], float]
    ) -> None:
        self._database = database
        self._journal = journal
        self._call = call
        self._seconds = seconds
        self.spoke = False
        """Whether the agent was ever heard (UM5); set before `first_words` can be written."""

    async def ask(self, use: Callable[[Session], Awaitable[T]]) -> T:
        """One transaction of the call's team. Raises one of AWAY."""

        async def whole() -> T:
            async with self._database.team(self._call.team_id) as session:
                return await use(session)

        return await within(PATIENCE_S, whole())

    async def asked(self) -> service.Asked:
        """What anybody wants of the call now; nothing also when nobody can be asked: the next
        heart-beat looks again.
        """
        call = self._call
        try:
            return await self.ask(
                lambda session: service.asked(session, call.team_id, call.call_id)
            )
        except AWAY as error:
            log.warning("could not look after %s: %s", call.call_id, error)
            return service.Asked(None)

    async def beat(self) -> End | None:
        """A sign of life; a database that is away does not end the call (UC3, UL13)."""
        call = self._call
        try:
            wish = await self.ask(lambda session: service.beat(session, call.team_id, call.call_id))
        except AWAY as error:
            log.warning("no heart-beat for %s: %s", call.call_id, error)
            with suppress(OSError):
                await self._note()
            return None
        return End(wish) if wish is not None else None

    async def first_words(self) -> None:
        """The agent is heard; noted again at the end, should the database be away now."""
        call = self._call
        try:
            await self.ask(lambda session: service.spoke(session, call.team_id, call.call_id))
        except AWAY as error:
            log.warning("first words of %s not noted: %s", call.call_id, error)

    async def recording(self, path: Path) -> None:
        """The recording has begun."""
        call = self._call
        try:
            await self.ask(
                lambda session: service.recording_began(
                    session, call.team_id, call.call_id, str(path)
                )
            )
        except AWAY as error:
            log.warning("recording of %s not noted: %s", call.call_id, error)

    async def recording_refused(self) -> None:
        """What was recorded is deleted (SEC17)."""
        call = self._call
        try:
            await self.ask(
                lambda session: service.recording_refused(session, call.team_id, call.call_id)
            )
        except AWAY as error:
            log.error("incident: %s is recorded against a wish: %s", call.call_id, error)  # noqa: TRY400 - no traceback helps

    async def minute(self, index: int) -> None:
        """A minute was granted without the ledger. Raises OSError."""
        await self._note(minute=index)

    async def departed(self, used: Sequence[costs.Used]) -> None:
        """The call left this process, and used this of its vendors here. Raises one of AWAY."""
        call = self._call
        await self.ask(
            lambda session: costs.record(
                session,
                call.team_id,
                conversation_id=call.conversation_id,
                number_id=call.number_id,
                used=used,
            )
        )

    async def ended(self, reason: End, seconds: float, used: Sequence[costs.Used]) -> None:
        """Settled once, by the call's own clock, now or as soon as the database answers (UL13)."""
        call = self._call

        async def finish(session: Session) -> None:
            if self.spoke:
                await service.spoke(session, call.team_id, call.call_id)
            await service.finish(
                session, call.team_id, call.call_id, reason, seconds=seconds, used=used
            )

        try:
            await self.ask(finish)
        except AWAY as error:
            log.warning("call %s ended and is settled later: %s", call.call_id, error)
            try:
                await self._note(seconds=seconds, ended=reason)
            except OSError:
                log.exception("the end of %s is in no journal; the sweeper settles", call.call_id)

    async def _note(
        self, *, minute: int | None = None, seconds: float | None = None, ended: End | None = None
    ) -> None:
        """Write down what the ledger cannot be told now. Raises OSError."""
        call = self._call
        await self._journal.write(
            Fact(
                call_id=call.call_id,
                team_id=call.team_id,
                number_id=call.number_id,
                seconds=self._seconds() if seconds is None else seconds,
                spoke=self.spoke,
                minute=minute,
                ended=ended.value if ended else None,
            )
        )
