"""A calendar that a CalDAV server keeps (Radicale): read, followed, told once, never overbooked."""

import asyncio
import hashlib
import re
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import icalendar
import pytest
from radicale import config
from radicale.app import Application

from offhook import bookings
from offhook.bookings import (
    Appointment,
    AppointmentState,
    Calendar,
    Definition,
    Guest,
    Hours,
    NotFree,
    Span,
    Wish,
    feed,
    mirror,
    service,
)
from offhook.bookings.desk import Desk
from offhook.bookings.problems import (
    CalendarInvalid,
    CalendarServerFailed,
    CalendarServerRefused,
)
from offhook.bookings.server import Account
from offhook.db import Database
from offhook.outgoing import Outgoing, OutgoingProblem
from offhook.settings import Settings
from offhook.vault import open_vault

HALF_HOUR = timedelta(minutes=30)
START = (datetime.now(UTC) + timedelta(days=7)).replace(hour=10, minute=0, second=0, microsecond=0)
ALWAYS = Hours(((Span(START.time(), START.replace(hour=18).time()),),) * 7)
CHAIR = Definition("The chair", "UTC", ALWAYS)
SECRET = "app-password"
FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        pass


class Threads(ThreadingMixIn, WSGIServer):
    daemon_threads = True


@dataclass(slots=True)
class DavServer:
    """Radicale on loopback, with what was asked of it; `status` answers instead of it."""

    port: int = 0
    asked: list[str] = field(default_factory=list[str])
    status: HTTPStatus | None = None
    refuses: str = ""
    """A method that is answered with 409."""
    digest: bool = False
    """It takes no plain password, only a digest of it (RFC 7616)."""
    after: dict[str, Callable[[], None]] = field(default_factory=dict[str, Callable[[], None]])
    """Method to what somebody else does right after it was answered once."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/ann/work/"

    def person(self) -> httpx.Client:
        """Somebody who uses the calendar with another program."""
        auth: Any = httpx.DigestAuth("ann", SECRET) if self.digest else ("ann", SECRET)
        return httpx.Client(auth=auth, base_url=self.url, trust_env=False)

    def make(self, name: str) -> None:
        """Another calendar of the account."""
        with self.person() as person:
            answer = person.request("MKCALENDAR", f"http://127.0.0.1:{self.port}/ann/{name}/")
            assert answer.status_code == 201

    def write(self, name: str, **given: Any) -> None:
        """An event by another program."""
        event: Any = icalendar.Event()
        usual = {"uid": name, "dtstamp": START, "dtstart": START, "dtend": START + HALF_HOUR}
        for key, value in (usual | {"summary": "Somebody else"} | given).items():
            event.add(key, value)
        whole: Any = icalendar.Calendar()
        whole.add("prodid", "-//Another program//EN")
        whole.add("version", "2.0")
        whole.add_component(event)
        with self.person() as person:
            answer = person.put(
                f"{name}.ics", content=whole.to_ical(), headers={"content-type": "text/calendar"}
            )
            assert answer.status_code in {201, 204}, answer.text

    def events(self) -> dict[str, Any]:
        """What is in it, by UID."""
        with self.person() as person:
            text = person.get("").text
        whole: Any = icalendar.Calendar.from_ical(text)
        return {str(each["uid"]): each for each in whole.walk("VEVENT")}


@pytest.fixture
def dav(tmp_path: Path) -> Iterator[DavServer]:
    found = DavServer()
    settings = config.load()
    users = tmp_path / "users"
    users.write_text(f"ann:{SECRET}\n")
    settings.update(
        {
            "auth": {
                "type": "htpasswd",
                "htpasswd_filename": str(users),
                "htpasswd_encryption": "plain",
                "delay": "0",
            },
            "storage": {"filesystem_folder": str(tmp_path / "dav")},
            "logging": {"level": "critical"},
        },
        "a test",
        privileged=True,
    )
    inside = Application(settings)

    def application(environ: Any, start_response: Any) -> Any:
        method = str(environ["REQUEST_METHOD"])
        found.asked.append(method)
        if found.status is not None:
            start_response(f"{found.status.value} .", [("Content-Length", "0")])
            return [b""]
        if method == found.refuses:
            start_response("409 .", [("Content-Length", "0")])
            return [b""]
        if found.digest and not _shows_digest(environ):
            challenge = 'Digest realm="dav", qop="auth", nonce="once", algorithm=SHA-256'
            start_response("401 .", [("WWW-Authenticate", challenge), ("Content-Length", "0")])
            return [b""]
        answer = list(inside(environ, start_response))
        if (then := found.after.pop(method, None)) is not None:
            then()
        return answer

    with make_server("127.0.0.1", 0, application, Threads, Quiet) as server:
        found.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        found.make("work")
        found.asked.clear()
        yield found
        server.shutdown()
        thread.join()


def _shows_digest(environ: Any) -> bool:
    """Whether the request proves the password (RFC 7616 3.4.1); Radicale then gets it plain."""
    scheme, _, fields = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme != "Digest":
        return False
    told = {key: plain or quoted for key, quoted, plain in FIELD.findall(fields)}

    def hashed(text: str) -> str:
        return hashlib.sha256(text.encode()).hexdigest()

    secret = hashed(f"ann:dav:{SECRET}")
    asked = hashed(f"{environ['REQUEST_METHOD']}:{told['uri']}")
    middle = f"{told['nonce']}:{told['nc']}:{told['cnonce']}:{told['qop']}"
    environ["HTTP_AUTHORIZATION"] = "Basic " + b64encode(f"ann:{SECRET}".encode()).decode()
    return told["response"] == hashed(f"{secret}:{middle}:{asked}")


@pytest.fixture
async def desk(clocked: Database, dav: DavServer, tmp_path: Path) -> AsyncIterator[Desk]:
    settings = Settings(
        home=str(tmp_path),
        outgoing_http=True,
        outgoing_ports=[dav.port],
        outgoing_private_networks=["127.0.0.0/8"],
    )
    clocked.clock = None  # the server is in the present
    async with Outgoing(settings) as outgoing:
        yield Desk(clocked, open_vault(settings), outgoing)


def account(dav: DavServer, **changes: str) -> Account:
    return replace(Account(dav.url, "ann", SECRET), **changes)


@pytest.fixture
async def calendar(desk: Desk, dav: DavServer, team_id: str) -> Calendar:
    """A chair, kept on the server."""
    async with desk.database.team(team_id) as session:
        made = await bookings.create_calendar(session, team_id, CHAIR)
    await mirror.connect(desk, team_id, made.id, account(dav))
    dav.asked.clear()
    return await fresh(desk, made)


async def fresh(desk: Desk, calendar: Calendar) -> Calendar:
    async with desk.database.team(calendar.team_id) as session:
        return await bookings.calendar(session, calendar.team_id, calendar.id)


async def again(desk: Desk, appointment: Appointment) -> Appointment:
    async with desk.database.team(appointment.team_id) as session:
        return await service.get(session, appointment.team_id, appointment.id)


async def starts(desk: Desk, calendar: Calendar) -> set[datetime]:
    async with desk.database.team(calendar.team_id) as session:
        day = START.date()
        free = await bookings.free(session, calendar.team_id, calendar.id, day, day)
        return {slot.start for slot in free}


def wish(calendar: Calendar, start: datetime = START, **given: Any) -> Wish:
    return replace(Wish(calendar.id, start, Guest("Zoë 🥐", "+16502530000"), by="usr_1"), **given)


async def test_what_is_booked_is_written_on_the_server_once(
    desk: Desk, dav: DavServer, calendar: Calendar
) -> None:
    made = await desk.book(calendar.team_id, wish(calendar, key="run"))
    (event,) = dav.events().values()
    assert (str(event["uid"]), str(event["summary"])) == (feed.uid(made), "Zoë 🥐")
    assert (event.start, event.end) == (START, START + HALF_HOUR)
    repeated = await desk.book(calendar.team_id, wish(calendar, key="run"))
    assert repeated.id == made.id
    assert dav.asked.count("PUT") == 1
    await desk.move(calendar.team_id, made.id, START + HALF_HOUR)
    (moved,) = dav.events().values()
    assert (moved.start, moved["sequence"]) == (START + HALF_HOUR, 1)
    await desk.cancel(calendar.team_id, made.id)
    assert dav.events() == {}


async def test_a_server_that_takes_no_plain_password_is_shown_a_digest_of_it(
    desk: Desk, dav: DavServer, calendar: Calendar
) -> None:
    dav.digest = True
    made = await desk.book(calendar.team_id, wish(calendar, key="run"))
    assert made.state is AppointmentState.BOOKED
    dav.write("one", dtstart=START + 4 * HALF_HOUR, dtend=START + 5 * HALF_HOUR)
    await mirror.read(desk, calendar.team_id, calendar.id)
    assert {START, START + 4 * HALF_HOUR}.isdisjoint(await starts(desk, calendar))
    with pytest.raises(CalendarServerRefused):
        await mirror.connect(desk, calendar.team_id, calendar.id, account(dav, password="wrong"))


async def test_others_events_take_a_place(desk: Desk, dav: DavServer, calendar: Calendar) -> None:
    """One, a weekly one, a whole day; not what is marked as free or cancelled."""
    dav.write("one")
    dav.write("free", dtstart=START + HALF_HOUR, dtend=START + 2 * HALF_HOUR, transp="TRANSPARENT")
    dav.write("off", dtstart=START + HALF_HOUR, dtend=START + 2 * HALF_HOUR, status="CANCELLED")
    begun = START - timedelta(days=28) + 4 * HALF_HOUR
    dav.write("weekly", dtstart=begun, dtend=begun + HALF_HOUR, rrule={"FREQ": "WEEKLY"})
    await mirror.read(desk, calendar.team_id, calendar.id)
    free = await starts(desk, calendar)
    assert {START, START + 4 * HALF_HOUR}.isdisjoint(free)
    assert {START + HALF_HOUR, START + 2 * HALF_HOUR} <= free
    with pytest.raises(NotFree):
        await desk.book(calendar.team_id, wish(calendar))
    tomorrow = START.date() + timedelta(days=1)
    dav.write("day", dtstart=START.date(), dtend=tomorrow)
    await mirror.read(desk, calendar.team_id, calendar.id)
    assert await starts(desk, calendar) == set()


async def test_what_somebody_wrote_meanwhile_is_not_overbooked(
    desk: Desk, dav: DavServer, calendar: Calendar
) -> None:
    """Between our last reading and our event, another program takes the time: we give way."""
    dav.after["PUT"] = lambda: dav.write("rival")
    with pytest.raises(NotFree, match="is full"):
        await desk.book(calendar.team_id, wish(calendar, key="run"))
    assert set(dav.events()) == {"rival"}
    with pytest.raises(NotFree):  # the key is free again, the time is not
        await desk.book(calendar.team_id, wish(calendar, key="run"))
    made = await desk.book(calendar.team_id, wish(calendar, START + HALF_HOUR))
    dav.after["PUT"] = lambda: dav.write(
        "third", dtstart=START + 2 * HALF_HOUR, dtend=START + 3 * HALF_HOUR
    )
    with pytest.raises(NotFree):
        await desk.move(calendar.team_id, made.id, START + 2 * HALF_HOUR)
    assert dav.events()[feed.uid(made)].start == START + HALF_HOUR
    assert (await again(desk, made)).starts_at == START + HALF_HOUR


async def test_many_at_once_end_in_one(desk: Desk, dav: DavServer, calendar: Calendar) -> None:
    tries = [desk.book(calendar.team_id, wish(calendar, key=f"{each}")) for each in range(5)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, Appointment) for each in results) == 1
    assert len(dav.events()) == 1


@pytest.mark.parametrize("status", [HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.UNAUTHORIZED])
async def test_a_server_that_fails_books_nothing_and_is_told_later(
    desk: Desk, dav: DavServer, calendar: Calendar, status: HTTPStatus
) -> None:
    made = await desk.book(calendar.team_id, wish(calendar))
    dav.status = status
    with pytest.raises((CalendarServerFailed, CalendarServerRefused)):
        await desk.book(calendar.team_id, wish(calendar, START + HALF_HOUR, key="run"))
    assert START + HALF_HOUR in await starts(desk, calendar)
    with pytest.raises((CalendarServerFailed, CalendarServerRefused)):
        await desk.move(calendar.team_id, made.id, START + HALF_HOUR)
    assert (await again(desk, made)).starts_at == START
    assert (await desk.cancel(calendar.team_id, made.id)).state is AppointmentState.CANCELLED
    await mirror.read(desk, calendar.team_id, calendar.id)
    assert (await fresh(desk, calendar)).read_error
    dav.status = None
    assert set(dav.events()) == {feed.uid(made)}
    await tell_all(desk, calendar)
    assert dav.events() == {}
    assert (await fresh(desk, calendar)).read_error == ""
    await desk.book(calendar.team_id, wish(calendar, START + HALF_HOUR, key="run"))


async def tell_all(desk: Desk, calendar: Calendar) -> None:
    """As a job does some time after the changes."""
    later = datetime.now(UTC) + timedelta(minutes=1)
    desk.database.clock = lambda: later
    await mirror.read(desk, calendar.team_id, calendar.id)
    desk.database.clock = None


async def test_a_process_that_died_before_telling_is_made_up_for(
    desk: Desk, dav: DavServer, calendar: Calendar
) -> None:
    """The place is held by the committed row; the next reading tells the server (T3)."""
    async with desk.database.team(calendar.team_id) as session:
        made = await service.book(session, calendar.team_id, wish(calendar))
    assert dav.events() == {}
    await tell_all(desk, calendar)
    assert set(dav.events()) == {feed.uid(made)}
    assert (await again(desk, made)).state is AppointmentState.BOOKED


async def test_a_process_that_died_after_telling_tells_again_harmlessly(
    desk: Desk, dav: DavServer, calendar: Calendar
) -> None:
    made = await desk.book(calendar.team_id, wish(calendar))
    async with desk.database.team(calendar.team_id) as session:
        row = await service.get(session, calendar.team_id, made.id, lock=True)
        row.told_revision, row.told_at = 0, None
    await tell_all(desk, calendar)
    assert dav.asked.count("PUT") == 2
    assert set(dav.events()) == {feed.uid(made)}


async def test_what_was_moved_or_deleted_on_the_server_is_followed(
    desk: Desk, dav: DavServer, calendar: Calendar
) -> None:
    """The server has the truth."""
    kept, gone = [
        await desk.book(calendar.team_id, wish(calendar, START + each * HALF_HOUR))
        for each in (0, 1)
    ]
    with dav.person() as person:
        there = person.get(f"{kept.id}.ics").text
        later = (START + 4 * HALF_HOUR).strftime("%Y%m%dT%H%M%SZ")
        latest = (START + 5 * HALF_HOUR).strftime("%Y%m%dT%H%M%SZ")
        moved = there.replace(f"{START:%Y%m%dT%H%M%SZ}", later).replace(
            f"{START + HALF_HOUR:%Y%m%dT%H%M%SZ}", latest
        )
        person.put(f"{kept.id}.ics", content=moved, headers={"content-type": "text/calendar"})
        assert person.delete(f"{gone.id}.ics").status_code == 200
    await mirror.read(desk, calendar.team_id, calendar.id)
    followed = await again(desk, kept)
    assert (followed.state, followed.starts_at, followed.moved_from) == (
        AppointmentState.MOVED,
        START + 4 * HALF_HOUR,
        START,
    )
    assert (await again(desk, gone)).state is AppointmentState.CANCELLED
    assert {START, START + HALF_HOUR} <= await starts(desk, calendar)


async def test_connecting_finds_the_calendar_and_explains_what_is_wrong(
    desk: Desk, dav: DavServer, team_id: str
) -> None:
    async with desk.database.team(team_id) as session:
        made = await bookings.create_calendar(session, team_id, CHAIR)
        held = await service.book(session, team_id, wish(made))
    base = f"http://127.0.0.1:{dav.port}/"
    for url, password, problem in (
        (dav.url, "wrong", CalendarServerRefused),
        (f"http://10.0.0.1:{dav.port}/", SECRET, OutgoingProblem),
        ("ftp://127.0.0.1/", SECRET, CalendarInvalid),
        ("not a url", SECRET, CalendarInvalid),
        ("http://127.0.0.1:1/", SECRET, CalendarInvalid),
    ):
        with pytest.raises(problem):
            await mirror.connect(desk, team_id, made.id, account(dav, url=url, password=password))
    assert (await fresh(desk, made)).server_url == ""
    await mirror.connect(desk, team_id, made.id, account(dav, url=base))
    connected = await fresh(desk, made)
    assert connected.server_url == dav.url
    assert SECRET not in str(connected.server_password)
    await tell_all(desk, made)
    assert set(dav.events()) == {feed.uid(held)}
    dav.make("home")
    with pytest.raises(CalendarInvalid, match="2 calendars") as several:
        await mirror.connect(desk, team_id, made.id, account(dav, url=base))
    assert {each["url"] for each in several.value.details["calendars"]} == {
        dav.url,
        f"{base}ann/home/",
    }
    async with desk.database.team(team_id) as session:
        await mirror.disconnect(session, team_id, made.id)
    assert set(dav.events()) == {feed.uid(held)}


async def test_an_event_without_end_is_told_not_counted(
    desk: Desk, dav: DavServer, calendar: Calendar
) -> None:
    """A recurrence every second would keep a processor busy for hours."""
    dav.write("flood", rrule={"FREQ": "SECONDLY"}, dtend=START + timedelta(seconds=1))
    await mirror.read(desk, calendar.team_id, calendar.id)
    assert "every minute or second" in (await fresh(desk, calendar)).read_error


async def test_what_the_server_does_not_take_keeps_nothing_else_from_being_read(
    desk: Desk, dav: DavServer, calendar: Calendar
) -> None:
    async with desk.database.team(calendar.team_id) as session:  # the process died before telling
        made = await service.book(session, calendar.team_id, wish(calendar))
        made.updated_at -= timedelta(minutes=1)
    dav.write("theirs", dtstart=START + 4 * HALF_HOUR, dtend=START + 5 * HALF_HOUR)
    dav.refuses = "PUT"
    await mirror.read(desk, calendar.team_id, calendar.id)
    known = await fresh(desk, calendar)
    assert "answers 409" in known.read_error
    assert START + 4 * HALF_HOUR not in await starts(desk, calendar)
    assert (await again(desk, made)).told_revision == 0


async def test_a_server_that_is_gone_is_told_in_words(
    desk: Desk, dav: DavServer, calendar: Calendar
) -> None:
    async with desk.database.team(calendar.team_id) as session:
        row = await bookings.calendar(session, calendar.team_id, calendar.id)
        row.server_url = f"http://127.0.0.1:{dav.port}/ann/nowhere/"
    with pytest.raises(CalendarServerFailed, match=r"answers 40[49]"):
        await desk.book(calendar.team_id, wish(calendar))
    assert START in await starts(desk, calendar)
