"""Bookings in plain words, without a key: over the real calendar and the real toolbox."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from offhook import bookings, tasks
from offhook.agents import Briefing, Channel, Said, Snapshot, Speaker, Text, Told
from offhook.agents.offline import OfflineBrain
from offhook.bookings import AppointmentState, Definition, Hours, Span, service
from offhook.db import Database
from offhook.knowledge import Hit
from task_fixtures import AGENT, Talk, new_task, receiver, runner, talk, task_settings

__all__ = ["receiver", "runner", "talk", "task_settings"]
ALWAYS = Hours(((Span(time(8), time(22)),),) * 7)
TABLES = Definition(
    "Tables", "UTC", ALWAYS, slot_minutes=120, places=6, counts_people=True, step_minutes=30
)
DAY = datetime.now(UTC).date() + timedelta(days=7)
NAME = f"{DAY.day} {DAY:%B}"
PHRASES = {
    "book": ["book a table", "make a reservation"],
    "move": ["move my booking", "change my reservation"],
    "cancel": ["cancel my booking", "cancel my reservation"],
}


async def nothing(question: str) -> Sequence[Hit]:
    return []


@pytest.fixture
async def desk(talk: Talk, database: Database) -> Talk:
    """An agent that books, moves and cancels tables."""
    team_id = talk.scope.team_id
    async with database.team(team_id) as session:
        made = await bookings.create_calendar(session, team_id, TABLES)
    for action, phrases in PHRASES.items():
        config = {"calendar_id": made.id, "action": action, "party": True}
        await new_task(
            database, team_id, config, title=f"{action} a table", kind="booking", inputs=[],
            phrases=phrases,
        )  # fmt: skip
    talk.turns.clear()
    return talk


async def says(talk: Talk, text: str, channel: Channel = Channel.SMS) -> str:
    talk.caller(text)
    history = [
        Said(Speaker.CALLER if turn.by_caller else Speaker.AGENT, turn.text) for turn in talk.turns
    ]
    tools = await talk.box()
    asked = Briefing(
        talk.scope.team_id, Snapshot(AGENT, 1, "Desk"), channel, history, nothing, tools=tools,
        now=datetime.now(ZoneInfo("UTC")),
    )  # fmt: skip
    parts: list[Any] = [part async for part in OfflineBrain().reply(asked)]
    answer = "".join(part.delta for part in parts if isinstance(part, Text))
    await tools.told([part.run_id for part in parts if isinstance(part, Told)])
    talk.agent(answer)
    return answer


async def booked(talk: Talk) -> list[tuple[str, int, str]]:
    """When, for how many, and what became of it."""
    async with talk.runner.database.team(talk.scope.team_id) as session:
        rows = await session.scalars(service.listed(talk.scope.team_id))
        return [(f"{row.starts_at:%d %H:%M}", row.party_size, row.state) for row in rows]


async def test_a_table_is_booked_moved_and_cancelled_in_plain_words(desk: Talk) -> None:
    await says(desk, f"I'd like to book a table for four on {NAME} at seven")
    readback = await says(desk, "Ann Lee")
    assert readback.startswith("I would book for 4 people on ")
    assert "under the name Ann Lee" in readback
    assert (await says(desk, "no, two people")).startswith("I would book for 2 people on ")
    assert "You are booked" in await says(desk, "Yes, that's right")
    assert await booked(desk) == [(f"{DAY:%d} 19:00", 2, AppointmentState.BOOKED)]
    assert "On which day" in await says(desk, "I need to move my booking")
    await says(desk, NAME)
    await says(desk, "at seven pm")
    await says(desk, NAME)
    assert (await says(desk, "half past seven")).startswith("I would move your booking from ")
    await says(desk, "yes please")
    assert await booked(desk) == [(f"{DAY:%d} 19:30", 2, AppointmentState.MOVED)]
    await says(desk, f"Please cancel my reservation on {NAME} at 7:30 pm")
    await says(desk, "yes")
    assert [state for _, _, state in await booked(desk)] == [AppointmentState.CANCELLED]


async def test_what_is_full_is_said_with_what_is_free_and_another_time_is_taken(
    desk: Talk,
) -> None:
    for turn in (f"book a table for five on {NAME} at seven", "Smith", "yes"):
        await says(desk, turn)
    answer = await says(desk, f"book a table for five on {NAME} at seven under the name Brown")
    assert "At what time?" in answer
    assert "is free" in answer or "are free" in answer
    assert (await says(desk, "four is fine")).startswith("I would book for 5 people")
    await says(desk, "ok")
    assert sorted(await booked(desk)) == [
        (f"{DAY:%d} 16:00", 5, AppointmentState.BOOKED),
        (f"{DAY:%d} 19:00", 5, AppointmentState.BOOKED),
    ]


async def test_the_new_day_of_a_move_is_not_taken_for_that_of_the_booking(desk: Talk) -> None:
    for turn in (f"book a table for two on {NAME} at six", "Smith", "yes"):
        await says(desk, turn)
    later = DAY + timedelta(days=1)
    await says(desk, f"I want to move my booking to {later.day} {later:%B} at eight pm")
    await says(desk, NAME)
    assert (await says(desk, "six pm")).startswith("I would move your booking from ")
    await says(desk, "yes")
    assert [when for when, _, _ in await booked(desk)] == [f"{later:%d} 20:00"]


async def test_a_move_in_one_sentence_keeps_the_two_times_apart(desk: Talk) -> None:
    for turn in (f"book a table for two on {NAME} at six", "Smith", "yes"):
        await says(desk, turn)
    later = DAY + timedelta(days=1)
    wish = f"move my booking from {NAME} at six pm to {later.day} {later:%B} at eight pm"
    readback = await says(desk, f"Can you {wish}?")
    assert readback.startswith("I would move your booking from ")
    await says(desk, "yes")
    assert [when for when, _, _ in await booked(desk)] == [f"{later:%d} 20:00"]
    assert [run.kind for run in await desk.runs()] == ["booking", "booking"]
    assert tasks.RunState.COMPLETED in {run.state for run in await desk.runs()}
