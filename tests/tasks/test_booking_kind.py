"""The task "Booking" in a conversation: booked once, offered what is free, only one's own (T1, T3,
SEC10).
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from offhook import bookings, tasks
from offhook.bookings import (
    Appointment,
    AppointmentState,
    Calendar,
    Definition,
    Hours,
    Span,
    service,
)
from offhook.db import Database, EventRow, seal
from task_fixtures import CALLER, Talk, new_task, new_team, other

ALWAYS = Hours(((Span(time(8), time(22)),),) * 7)
TABLES = Definition(
    "Tables", "Europe/Paris", ALWAYS, slot_minutes=120, places=6, counts_people=True
)
DAY = datetime.now(UTC).date() + timedelta(days=7)
SAID = f"{DAY:%A}, {DAY.day} {DAY:%B}"
WISH: dict[str, Any] = {
    "date": DAY.isoformat(),
    "time": "19:00",
    "party_size": 4,
    "name": "Ann Lee",
}


@pytest.fixture
async def calendar(talk: Talk, database: Database) -> Calendar:
    """Six places, and the three tasks of it."""
    team_id = talk.scope.team_id
    async with database.team(team_id) as session:
        made = await bookings.create_calendar(session, team_id, TABLES)
    for action in ("book", "move", "cancel"):
        config = {"calendar_id": made.id, "action": action, "party": True}
        await new_task(
            database, team_id, config, title=f"{action} a table", kind="booking", inputs=[]
        )
    return made


async def appointments(database: Database, team_id: str) -> list[Appointment]:
    async with database.team(team_id) as session:
        rows = await session.scalars(
            service.listed(team_id).order_by(Appointment.created_at, Appointment.id)
        )
        return list(rows)


async def test_a_table_is_booked_after_a_yes(
    talk: Talk, database: Database, calendar: Calendar
) -> None:
    step = await talk.propose("book_a_table", date=WISH["date"], party_size=4)
    assert isinstance(step, tasks.Incomplete)
    assert step.ask.question == "At what time?"
    step = await talk.propose("book_a_table", time="19:00", name="Ann Lee")
    assert isinstance(step, tasks.Unconfirmed)
    assert step.readback == (
        f"I would book for 4 people on {SAID} at 19:00, under the name Ann Lee. Is that right?"
    )
    assert await appointments(database, talk.scope.team_id) == []
    talk.agent(step.readback)
    talk.caller("Yes, please.")
    done = await talk.confirm()
    assert isinstance(done, tasks.Completed)
    assert done.answer == f"You are booked for 4 people on {SAID} at 19:00, under the name Ann Lee."
    (made,) = await appointments(database, talk.scope.team_id)
    assert (made.phone, made.contact_id, made.conversation_id) == (CALLER, "con_1", "cnv_1")
    assert made.key == done.run_id
    async with database.team(talk.scope.team_id) as session:
        told = await session.scalar(select(EventRow).where(EventRow.name == "task.completed"))
    assert told is not None
    assert told.payload["references"] == {"appointment_id": made.id, "calendar_id": calendar.id}


async def test_what_is_full_is_told_before_anything_is_read_back(
    talk: Talk, database: Database, calendar: Calendar
) -> None:
    await talk.do("book_a_table", **WISH)
    step = await other(talk, conversation_id="cnv_2").propose("book_a_table", **WISH)
    assert isinstance(step, tasks.Incomplete)
    assert step.ask.name == "time"
    assert step.problems["time"].startswith(f"{SAID} at 19:00 is full; ")
    assert step.problems["time"].endswith(" are free.")
    assert "time" not in step.inputs
    too_many = await talk.propose("book_a_table", **WISH | {"party_size": 7})
    assert isinstance(too_many, tasks.Incomplete)
    assert too_many.problems == {"party_size": "There is room for 6 at most."}


async def test_taken_while_the_caller_thought_about_it(
    talk: Talk, database: Database, calendar: Calendar
) -> None:
    """Two hear the read-back of the last table: one gets it, the other hears what is free."""
    rival = other(talk, conversation_id="cnv_2", caller="+16502530001", contact_id="con_2")
    for each in (talk, rival):
        step = await each.propose("book_a_table", **WISH)
        assert isinstance(step, tasks.Unconfirmed)
        each.agent(step.readback)
        each.caller("Yes.")
    assert isinstance(await rival.confirm(), tasks.Completed)
    lost = await talk.confirm()
    assert isinstance(lost, tasks.Failed)
    assert lost.reason.startswith(f"{SAID} at 19:00 is full; ")
    assert len(await appointments(database, talk.scope.team_id)) == 1


async def test_ones_own_is_moved_and_cancelled(
    talk: Talk, database: Database, calendar: Calendar
) -> None:
    await talk.do("book_a_table", **WISH)
    again = other(talk, conversation_id="cnv_2", channel=tasks.SMS)
    when = {"date": WISH["date"], "time": "19:00"}
    moved = await again.do("move_a_table", **when, new_date=WISH["date"], new_time="20:00")
    assert isinstance(moved, tasks.Completed)
    assert moved.answer == f"Your booking is now on {SAID} at 20:00."
    gone = await again.propose("cancel_a_table", **when)
    assert isinstance(gone, tasks.Incomplete)
    assert gone.problems == {"time": f"I find no booking of yours on {SAID} at 19:00."}
    done = await again.do("cancel_a_table", date=WISH["date"], time="20:00")
    assert isinstance(done, tasks.Completed)
    (made,) = await appointments(database, talk.scope.team_id)
    assert made.state is AppointmentState.CANCELLED


@pytest.mark.parametrize(
    "changes",
    [
        {"contact_id": "con_2", "caller": "+16502530001"},
        {"contact_id": "", "caller": ""},
        {"attestation": "failed-B"},
    ],
)
async def test_nobody_elses_booking_is_touched_or_told_of(
    talk: Talk, database: Database, calendar: Calendar, changes: dict[str, str]
) -> None:
    """SEC10: another caller, a hidden one and one whose number is faked find nothing."""
    await talk.do("book_a_table", **WISH)
    stranger = other(talk, conversation_id="cnv_2", **changes)
    when = {"date": WISH["date"], "time": "19:00"}
    for task, more in (
        ("cancel_a_table", {}),
        ("move_a_table", {"new_date": WISH["date"], "new_time": "20:00"}),
    ):
        step = await stranger.propose(task, **when, **more)
        assert isinstance(step, tasks.Incomplete)
        assert step.problems == {"time": f"I find no booking of yours on {SAID} at 19:00."}
    (made,) = await appointments(database, talk.scope.team_id)
    assert made.state is AppointmentState.BOOKED


async def test_another_teams_calendar_is_out_of_reach(
    talk: Talk, database: Database, calendar: Calendar
) -> None:
    """A task that names another team's calendar books nothing in it (SEC7, SEC9)."""
    theirs = await new_team(database)
    config = {"calendar_id": calendar.id, "action": "book"}
    await new_task(database, theirs, config, title="Steal", kind="booking", inputs=[])
    thief = Talk(talk.runner, replace(talk.scope, team_id=theirs))
    thief.caller("Hello.")
    inputs = {name: WISH[name] for name in ("date", "time", "name")}
    assert isinstance(await thief.propose("steal", **inputs), tasks.Refused)
    assert await appointments(database, calendar.team_id) == []


@pytest.mark.parametrize("action", ["book", "move", "cancel"])
async def test_a_run_that_is_repeated_changes_nothing_more(
    talk: Talk, database: Database, calendar: Calendar, action: str
) -> None:
    """What was done, and not recorded because the process died, is done once (T3)."""
    kind = tasks.BUILT_IN[[each.name for each in tasks.BUILT_IN].index("booking")]
    if action != "book":
        await talk.do("book_a_table", **WISH)
    given = WISH | {"new_date": WISH["date"], "new_time": "20:00"}
    config = kind.config(calendar_id=calendar.id, action=action, party=True)
    inputs = {each.name: given[each.name] for each in kind.inputs(config)} if kind.inputs else {}
    order = tasks.Order("run_1", "Tables", talk.scope, config, inputs)
    first = await talk.runner.try_once(kind, order)
    again = await talk.runner.try_once(kind, order)
    assert isinstance(first, tasks.Done), first
    assert again == first
    (made,) = await appointments(database, talk.scope.team_id)
    assert made.revision == (1 if action == "book" else 2)


async def test_a_time_that_the_clock_skips_is_said(
    talk: Talk, database: Database, calendar: Calendar
) -> None:
    spring = date(DAY.year + 1, 3, 31)
    while spring.weekday() != 6:  # the last Sunday of March: 02:00 becomes 03:00
        spring -= timedelta(days=1)
    step = await talk.propose(
        "book_a_table", **WISH | {"date": spring.isoformat(), "time": "02:30"}
    )
    assert isinstance(step, tasks.Incomplete)
    assert "put forward" in step.problems["time"]


async def test_a_calendars_server_that_is_gone_books_nothing_and_says_so(
    talk: Talk, database: Database, calendar: Calendar
) -> None:
    """It is tried again within the time-out, then failed and known as failed (T3)."""
    async with database.team(calendar.team_id) as session:
        kept = await bookings.calendar(session, calendar.team_id, calendar.id)
        vault = talk.runner.means.vault
        kept.server_url, kept.server_user = "http://127.0.0.1:9/ann/work/", "ann"
        kept.server_password = seal(vault, kept, "server_password", b"secret")
    lost = await talk.do("book_a_table", **WISH)
    assert isinstance(lost, tasks.Failed)
    assert lost.reason == "I am sorry, I cannot reach the calendar at the moment."
    assert not [
        each
        for each in await appointments(database, calendar.team_id)
        if each.state is not AppointmentState.CANCELLED
    ]
