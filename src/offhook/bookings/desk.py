"""Booking, moving and cancelling wherever a calendar is kept: here, or on a CalDAV server.

Of a calendar on a server the server has the truth. A change is made here first, which holds its
place against everybody who books through us; then the server is told, and asked whether it fits
beside what somebody else wrote there meanwhile: if not, it is undone. A row knows the revision that
the server was told. Whatever dies in between, `mirror` tells the rest: an event is named by its
appointment, so telling it twice changes nothing.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from offhook.bookings import calendars, feed, service, slots
from offhook.bookings.models import Appointment, Calendar
from offhook.bookings.problems import CalendarServerFailed, CalendarServerRefused
from offhook.bookings.rules import HELD, Guest
from offhook.bookings.server import Account, Server
from offhook.bookings.service import Wish
from offhook.bookings.slots import Taken
from offhook.db import Database, Session, now, unseal
from offhook.outgoing import Outgoing, OutgoingProblem
from offhook.vault import Vault

log = logging.getLogger(__name__)
SERVER_PROBLEMS = (OutgoingProblem, CalendarServerRefused, CalendarServerFailed)
"""What asking a server may end in."""

Undo = Callable[[Session], Awaitable[Appointment]]


@dataclass(frozen=True, slots=True)
class Desk:
    """What changing appointments takes; one for a process."""

    database: Database
    vault: Vault
    outgoing: Outgoing

    async def book(self, team_id: str, wish: Wish) -> Appointment:
        """As `service.book`; raises SERVER_PROBLEMS too, and then nothing is booked."""

        async def undo(session: Session) -> Appointment:
            gone = await service.cancel(session, team_id, made.id)
            gone.key = None  # whoever repeats the wish may yet succeed
            return gone

        async with self.database.team(team_id) as session:
            made = await service.book(session, team_id, wish)
            calendar = await calendars.get(session, team_id, made.calendar_id)
        return await self._settled(calendar, made, undo)

    async def move(
        self,
        team_id: str,
        appointment_id: str,
        start: datetime,
        *,
        by_hand: bool = False,
        key: str | None = None,
    ) -> Appointment:
        """As `service.move`; raises SERVER_PROBLEMS too, and then it stays where it was."""

        async def undo(session: Session) -> Appointment:
            return await service.move(session, team_id, appointment_id, before, by_hand=True)

        async with self.database.team(team_id) as session:
            before = (await service.get(session, team_id, appointment_id)).starts_at
            moved = await service.move(
                session, team_id, appointment_id, start, by_hand=by_hand, key=key
            )
            calendar = await calendars.get(session, team_id, moved.calendar_id)
        return await self._settled(calendar, moved, undo)

    async def cancel(
        self, team_id: str, appointment_id: str, *, key: str | None = None
    ) -> Appointment:
        """As `service.cancel`; a server that does not answer is told later."""
        async with self.database.team(team_id) as session:
            gone = await service.cancel(session, team_id, appointment_id, key=key)
            calendar = await calendars.get(session, team_id, gone.calendar_id, deleted_too=True)
        return await self._told_some_time(calendar, gone)

    async def describe(self, team_id: str, appointment_id: str, guest: Guest) -> Appointment:
        """As `service.describe`; a server that does not answer is told later."""
        async with self.database.team(team_id) as session:
            changed = await service.describe(session, team_id, appointment_id, guest)
            calendar = await calendars.get(session, team_id, changed.calendar_id, deleted_too=True)
        return await self._told_some_time(calendar, changed)

    async def tell(self, calendar: Calendar, appointment_id: str) -> None:
        """Bring the server to what we have of one appointment. Raises SERVER_PROBLEMS."""
        team_id = calendar.team_id
        async with self.database.team(team_id) as session:
            row = await service.get(session, team_id, appointment_id)
        if row.state in HELD:
            octets = feed.document([row])
            await self.server(calendar).put(row.id, octets, new=row.revision == 1)
        else:
            await self.server(calendar).delete(row.id)
        async with self.database.team(team_id) as session:
            known = await service.get(session, team_id, appointment_id, lock=True)
            known.told_revision = max(known.told_revision, row.revision)
            known.told_at = await now(session)

    def server(self, calendar: Calendar) -> Server:
        """The server that keeps this calendar."""
        password = unseal(self.vault, calendar, "server_password").decode()
        return Server(self.outgoing, Account(calendar.server_url, calendar.server_user, password))

    async def _settled(self, calendar: Calendar, made: Appointment, undo: Undo) -> Appointment:
        """The server knows of it and it fits there; otherwise it is undone, here and there."""
        if not calendar.server_url or made.told_revision >= made.revision or made.state not in HELD:
            return made
        try:
            await self.tell(calendar, made.id)
            fits = await self._fits(calendar, made)
        except SERVER_PROBLEMS:
            await self._undo(calendar, undo)
            raise
        if fits:
            return made
        await self._undo(calendar, undo)
        raise service.not_free(
            slots.Refusal.FULL, calendars.definition(calendar).plan, made.starts_at, []
        )

    async def _fits(self, calendar: Calendar, made: Appointment) -> bool:
        """Whether it is beside what the server has now, and what we hold."""
        start, end = made.starts_at, made.occupied_until
        events = await self.server(calendar).events(start, end, ZoneInfo(calendar.zone))
        async with self.database.team(calendar.team_id) as session:
            held = await service.held(session, calendar, start - slots.ONE_DAY, end)
        ours = {feed.uid(row) for row in held}
        taken = [Taken(row.starts_at, row.occupied_until, row.places) for row in held]
        taken += [Taken(each.start, each.end) for each in events if each.uid not in ours]
        return slots.peak(taken, start, end) <= calendar.places

    async def _undo(self, calendar: Calendar, undo: Undo) -> None:
        async with self.database.team(calendar.team_id) as session:
            undone = await undo(session)
        await self._told_some_time(calendar, undone)

    async def _told_some_time(self, calendar: Calendar, changed: Appointment) -> Appointment:
        if calendar.server_url:
            try:
                await self.tell(calendar, changed.id)
            except SERVER_PROBLEMS as problem:
                log.warning("the server is told later of %s: %s", changed.id, problem.code)
        return changed
