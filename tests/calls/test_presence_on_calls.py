"""A caller who has us hold, a machine, and one who wants no recording (C5, SEC17)."""

from pathlib import Path

import pytest
from sounds import speech
from stage import ScriptedBrain, ScriptedRecogniser, Stage, connected, snapshot
from test_character import tune

from offhook import media
from offhook.calls.rules import End
from offhook.calls.service import ERASED
from offhook.calls.service import get as get_call
from offhook.db import Database

CHECK_IN = "Are you still there?"
LINES = (
    "Thank you for calling Blue Water, I am a virtual assistant.",
    "Of course. How can I help you today?",
    "I understand. Is there anything else I can help you with?",
    "Great. How may I assist you?",
)


async def test_nobody_is_asked_whether_they_are_there_while_we_hold(
    database: Database, tmp_path: Path
) -> None:
    """By a word, then by the music; who comes back is answered."""
    brain = ScriptedBrain("Welcome back.")
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path, brain=brain,
        recogniser=ScriptedRecogniser("Hold on a second, please.", "Here I am again."),
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech("Hold on a second, please."))
    await stage.agent_is_silent()
    await stage.quiet(14_000)
    assert not brain.briefings
    await stage.run(speech("Here I am again."))
    await stage.agent_is_silent()
    await stage.run(tune(20_000, (0, 4, 7, 12, 7, 4), 400))
    assert len(brain.briefings) == 1
    await stage.quiet(2_000)
    await stage.end()
    turns = await stage.turns()
    assert ("agent", "Of course, take your time.") in turns
    assert CHECK_IN not in str(turns)


async def test_silence_is_asked_about_and_an_announcement_is_not_answered(
    database: Database, tmp_path: Path
) -> None:
    brain = ScriptedBrain("We are.")
    said = "Are you open on Sunday morning?"
    told = "All of our agents are currently busy, please hold."
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path, brain=brain,
        recogniser=ScriptedRecogniser(said, told),
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech(said))
    await stage.agent_is_silent()
    await stage.quiet(7_000)
    await stage.agent_is_silent()
    await stage.run(speech(told))
    await stage.quiet(9_000)
    await stage.end()
    turns = await stage.turns()
    assert str(turns).count(CHECK_IN) == 1
    assert len(brain.briefings) == 1
    assert told not in [text for _, text in turns]


async def test_two_voice_agents_do_not_talk_to_each_other_for_ever(
    database: Database, tmp_path: Path
) -> None:
    brain = ScriptedBrain()
    stage = Stage(
        database, await connected(database, snapshot(greeting="")), tmp_path, brain=brain,
        recogniser=ScriptedRecogniser(*LINES),
    )  # fmt: skip
    await stage.quiet(400)
    for line in LINES:
        await stage.run(speech(line))
        if line is not LINES[-1]:
            await stage.agent_is_silent()
    await stage.until(stage.task.done)
    assert await stage.ended() is End.MACHINE
    assert len(brain.briefings) == len(LINES) - 1
    assert stage.carrier.hung_up


@pytest.mark.parametrize("again", ["", "And what does the rye cost?"])
async def test_who_wants_no_recording_has_none_and_the_call_goes_on(
    database: Database, tmp_path: Path, again: str
) -> None:
    brain = ScriptedBrain("Four euros.")
    wish = "Please do not record this call."
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path, brain=brain,
        recogniser=ScriptedRecogniser(wish, again), records=True,
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech(wish))
    await stage.agent_is_silent()
    if again:
        await stage.run(speech(again))
        await stage.agent_is_silent()
    await stage.end()
    assert len(brain.briefings) == bool(again)
    assert len(stage.of(media.RecordingStarted)) == 1
    team_id = stage.connected.team_id
    async with database.team(team_id) as session:
        call = await get_call(session, team_id, stage.connected.call_id)
    assert call.recording == ERASED
    assert any("did not want a recording" in text for _, text in await stage.turns())
