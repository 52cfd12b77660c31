"""One calendar on a CalDAV server (RFC 4791): what is busy in it, our events put and taken back.

Knows addresses and iCalendar; knows no table.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from offhook.bookings.problems import CalendarServerFailed
from offhook.outgoing import Outgoing

if TYPE_CHECKING:
    from caldav.response import DAVResponse

    from offhook.bookings.dav_client import GuardedClient

MOST_EVENTS = 5_000
ENDLESS = frozenset({"SECONDLY", "MINUTELY"})


@dataclass(frozen=True, slots=True)
class Account:
    """Where the calendar is, and as whom it is asked."""

    url: str
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Found:
    """A calendar of the account."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that takes time in the calendar, each occurrence by itself."""

    uid: str
    start: datetime
    end: datetime
    summary: str


class Server:
    """A calendar, or the account that has it.

    Raises the problems of `outgoing`, CalendarServerRefused, CalendarServerFailed.
    """

    def __init__(self, outgoing: Outgoing, account: Account) -> None:
        self._outgoing = outgoing
        self._account = account

    async def calendars(self) -> list[Found]:
        """The calendars of the account, wherever its address points: server, user or calendar."""
        found: list[Any] = await self._client().get_calendars()
        return [Found(str(each.url), await each.get_display_name() or "") for each in found]

    async def events(self, start: datetime, end: datetime, zone: ZoneInfo) -> list[Event]:
        """What takes time from `start` until `end`; `zone` is that of times without one."""
        answer = await self._client().calendar_query(
            self._account.url, start=start, end=end, event=True
        )
        _check(answer, {HTTPStatus.MULTI_STATUS, HTTPStatus.OK})
        results: list[Any] = list(answer.results or ())
        texts = [str(each.calendar_data) for each in results if each.calendar_data]
        return await asyncio.to_thread(_read, texts, start, end, zone)

    async def put(self, name: str, octets: bytes, *, new: bool) -> None:
        """Write an event; with `new` one that is there already is left as it is."""
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        if new:
            headers["If-None-Match"] = "*"
        answer = await self._client().put(self._at(name), octets.decode(), headers)
        allowed = {HTTPStatus.CREATED, HTTPStatus.NO_CONTENT, HTTPStatus.OK}
        _check(answer, allowed | ({HTTPStatus.PRECONDITION_FAILED} if new else set()))

    async def delete(self, name: str) -> None:
        """Take an event away; one that is gone already is fine."""
        answer = await self._client().delete(self._at(name))
        gone = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
        _check(answer, {HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.ACCEPTED} | gone)

    def _at(self, name: str) -> str:
        return f"{self._account.url.rstrip('/')}/{name}.ics"

    def _client(self) -> "GuardedClient":
        from offhook.bookings.dav_client import GuardedClient

        account = self._account
        return GuardedClient(self._outgoing, account.url, account.username, account.password)


def _check(answer: "DAVResponse", allowed: set[HTTPStatus]) -> None:
    if answer.status not in allowed:
        raise CalendarServerFailed(
            f"The calendar server answers {answer.status}.",
            remedy="Check the address: it has to be that of a calendar.",
        )


def _read(texts: Sequence[str], start: datetime, end: datetime, zone: ZoneInfo) -> list[Event]:
    """The occurrences within the time asked for, in order."""
    found: list[Event] = []
    for text in texts:
        found += _occurrences(text, start, end, zone)
        if len(found) > MOST_EVENTS:
            raise CalendarServerFailed(
                f"The calendar has more than {MOST_EVENTS:,} events ahead.",
                remedy="Use another calendar for bookings.",
            )
    return sorted(found, key=lambda each: (each.start, each.uid))


def _occurrences(text: str, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[Event]:
    import icalendar
    import recurring_ical_events

    try:
        whole: Any = icalendar.Calendar.from_ical(text)
        if any(_repeats_endlessly(each) for each in whole.walk("VEVENT")):
            raise CalendarServerFailed(
                "The calendar has an event that repeats every minute or second.",
                remedy="Delete it, or use another calendar for bookings.",
            )
        rows: list[Any] = list(recurring_ical_events.of(whole).between(start, end))
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise CalendarServerFailed(
            "An event of the calendar cannot be read.", remedy="Look for a broken event in it."
        ) from error
    for row in rows:
        if str(row.get("TRANSP", "")).upper() == "TRANSPARENT":
            continue
        if str(row.get("STATUS", "")).upper() == "CANCELLED":
            continue
        begins, ends = _instant(row.start, zone), _instant(row.end, zone)
        if begins < end and ends > start and ends > begins:
            yield Event(str(row.get("UID", "")), begins, ends, str(row.get("SUMMARY", ""))[:200])


def _repeats_endlessly(event: Any) -> bool:
    found: Any = event.get("RRULE", [])
    rules = cast("list[dict[str, list[str]]]", found if isinstance(found, list) else [found])
    frequencies = {str(each).upper() for rule in rules for each in rule.get("FREQ", ())}
    return bool(frequencies & ENDLESS)


def _instant(moment: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(0))
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
