"""Use cases of calendars: made, changed, deleted; the secret link of the feed."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import date

from sqlalchemy import select

from offhook.bookings import hours, rules
from offhook.bookings.hours import Special
from offhook.bookings.models import Appointment, Calendar
from offhook.bookings.problems import CalendarInUse, CalendarInvalid, CalendarNotFound
from offhook.bookings.rules import HELD, Definition
from offhook.db import Session, for_change, now, touch
from offhook.web import Kit

TOPIC = "bookings"
MAX_CALENDARS = 200
_PLAIN = tuple(each.name for each in fields(Definition) if each.name != "hours")


def definition(calendar: Calendar) -> Definition:
    """What the team set of a calendar."""
    plain = {name: getattr(calendar, name) for name in _PLAIN}
    return Definition(hours=hours.from_json(calendar.hours), **plain)


async def create(session: Session, team_id: str, wanted: Definition) -> Calendar:
    """A new calendar. Raises CalendarInvalid, HoursInvalid."""
    if len(await listed(session, team_id)) >= MAX_CALENDARS:
        raise CalendarInvalid(
            f"The team has {MAX_CALENDARS} calendars already.", remedy="Delete one that is unused."
        )
    calendar = Calendar(team_id=team_id, created_at=await now(session))
    _write(calendar, rules.checked(wanted))
    session.add(calendar)
    await session.flush()
    await touch(session, team_id, TOPIC)
    return calendar


async def change(session: Session, team_id: str, calendar_id: str, wanted: Definition) -> Calendar:
    """Set everything anew. What is booked stays as it was booked."""
    calendar = await get(session, team_id, calendar_id, lock=True)
    _write(calendar, rules.checked(wanted))
    await session.flush()
    await touch(session, team_id, TOPIC)
    return calendar


async def add_special(session: Session, team_id: str, calendar_id: str, added: Special) -> Calendar:
    """Give some days hours of their own, or close them. Raises HoursInvalid."""
    before = definition(await get(session, team_id, calendar_id, lock=True))
    changed = replace(before.hours, special=(*before.hours.special, added))
    return await change(session, team_id, calendar_id, replace(before, hours=changed))


async def remove_special(session: Session, team_id: str, calendar_id: str, first: date) -> Calendar:
    """Take the special days that begin on `first` back; nothing where there are none."""
    before = definition(await get(session, team_id, calendar_id, lock=True))
    kept = tuple(each for each in before.hours.special if each.first != first)
    changed = replace(before.hours, special=kept)
    return await change(session, team_id, calendar_id, replace(before, hours=changed))


async def delete(session: Session, team_id: str, calendar_id: str) -> None:
    """No longer to be booked; past appointments are kept. Raises CalendarInUse."""
    calendar = await get(session, team_id, calendar_id, lock=True)
    moment = await now(session)
    ahead = await session.scalars(
        select(Appointment.id).where(
            Appointment.team_id == team_id,
            Appointment.calendar_id == calendar_id,
            Appointment.state.in_(HELD),
            Appointment.ends_at > moment,
        )
    )
    if count := len(ahead.all()):
        noun = "appointment is" if count == 1 else "appointments are"
        raise CalendarInUse(
            f"{count} {noun} still to come in “{calendar.name}”.",
            remedy="Cancel them first, or wait until they are over.",
            appointments=count,
        )
    calendar.deleted_at = moment
    await session.flush()
    await touch(session, team_id, TOPIC)


async def get(
    session: Session,
    team_id: str,
    calendar_id: str,
    *,
    lock: bool = False,
    deleted_too: bool = False,
) -> Calendar:
    """Raises CalendarNotFound, also for another team's (SEC7) and for a deleted one."""
    query = select(Calendar).where(Calendar.team_id == team_id, Calendar.id == calendar_id)
    if not deleted_too:
        query = query.where(Calendar.deleted_at.is_(None))
    if lock:
        query = for_change(query)
    calendar = await session.scalar(query)
    if calendar is None:
        raise CalendarNotFound(
            f"There is no calendar “{calendar_id[:40]}”.", remedy="Take an id from the list."
        )
    return calendar


async def listed(session: Session, team_id: str) -> Sequence[Calendar]:
    """The team's calendars, the oldest first."""
    rows = await session.scalars(
        select(Calendar)
        .where(Calendar.team_id == team_id, Calendar.deleted_at.is_(None))
        .order_by(Calendar.created_at, Calendar.id)
    )
    return rows.all()


async def renew_feed(session: Session, team_id: str, calendar_id: str) -> Calendar:
    """Give the feed a link, or another one: the old one ends at once."""
    calendar = await get(session, team_id, calendar_id, lock=True)
    calendar.feed_version = abs(calendar.feed_version) + 1
    await session.flush()
    return calendar


async def end_feed(session: Session, team_id: str, calendar_id: str) -> Calendar:
    """No link opens the feed any more; versions are never used twice."""
    calendar = await get(session, team_id, calendar_id, lock=True)
    calendar.feed_version = -abs(calendar.feed_version)
    await session.flush()
    return calendar


def feed_url(web: Kit, calendar: Calendar) -> str:
    """The feed's secret link; empty where it has none."""
    if calendar.feed_version <= 0:
        return ""
    return f"{web.settings.web_url}/feeds/{calendar.id}/{_feed_token(web.secret, calendar)}.ics"


async def by_feed(session: Session, secret: bytes, calendar_id: str, token: str) -> Calendar:
    """The calendar that a feed's link opens (system scope). Raises CalendarNotFound."""
    calendar = await session.scalar(
        select(Calendar).where(
            Calendar.id == calendar_id, Calendar.deleted_at.is_(None), Calendar.feed_version > 0
        )
    )
    if calendar is None or not hmac.compare_digest(
        _feed_token(secret, calendar).encode(), token.encode()
    ):
        raise CalendarNotFound("There is no such feed.", remedy="Copy the link again.")
    return calendar


def _feed_token(secret: bytes, calendar: Calendar) -> str:
    subject = f"booking feed\n{calendar.id}\n{calendar.feed_version}"
    return hmac.new(secret, subject.encode(), hashlib.sha256).hexdigest()[:40]


def _write(calendar: Calendar, wanted: Definition) -> None:
    for name in _PLAIN:
        setattr(calendar, name, getattr(wanted, name))
    calendar.hours = hours.to_json(wanted.hours)
