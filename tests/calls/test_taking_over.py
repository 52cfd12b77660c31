"""A member talks in the agent's place, and hands the call back (I5); on the stage."""

from pathlib import Path

from sounds import speech
from stage import ScriptedBrain, ScriptedRecogniser, Stage, connected, snapshot

from offhook import media
from offhook.agents import Said, Speaker
from offhook.calls import service
from offhook.calls.rules import End
from offhook.db import Database
from offhook.media.recording import HEAD_BYTES

QUESTION = "Are you open on Sunday morning?"
LONG = "We are open on every day of the week from nine in the morning until five in the afternoon."
BY_HAND = "Hello, this is Anna, what can I do for you?"
SECOND = "And when do you close today?"
PHRASE = "I'm with you again. What else can I do for you?"


async def holder(stage: Stage) -> str:
    call = stage.connected
    async with stage.database.team(call.team_id) as session:
        return (await service.get(session, call.team_id, call.call_id)).taken_name


async def test_a_member_takes_the_call_and_the_agent_goes_on_with_what_was_said(
    database: Database, tmp_path: Path
) -> None:
    """C4, I5: what the agent had not yet said is not said; the member's words are its memory."""
    brain = ScriptedBrain(LONG, "At five, as Anna said.")
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path, records=True,
        brain=brain, recogniser=ScriptedRecogniser(QUESTION, BY_HAND, SECOND),
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech(QUESTION))
    pieces = len(stage.of(media.PieceStarted))
    await stage.until(lambda: len(stage.of(media.PieceStarted)) > pieces)
    await stage.quiet(1500)
    stage.taken_by("Anna")
    await stage.until(lambda: stage.far.clears)
    heard_before = len(stage.far.played)
    await stage.by_hand(speech(BY_HAND, "rms"))
    played = b"".join(frame for _, frame in stage.far.played[heard_before:])
    assert speech(BY_HAND, "rms")[:8000] in played
    said = stage.conversation.transcript.said
    await stage.until(lambda: said[-1] == Said(Speaker.PERSON, BY_HAND))
    assert await holder(stage) == "Anna"
    await stage.run(speech(SECOND))
    await stage.quiet(8000)
    assert len(brain.briefings) == 1  # nobody but Anna answers, and nobody checks in
    stage.conversation.taking.hand_back()
    await stage.until(lambda: len(brain.briefings) == 2)
    await stage.agent_is_silent()
    history = brain.briefings[1].history
    assert [each.speaker for each in history[-2:]] == [Speaker.PERSON, Speaker.CALLER]
    assert LONG.startswith(history[-3].text)
    assert len(history[-3].text) < len(LONG)
    assert any("colleague" in note for note in brain.briefings[1].notes)
    assert await holder(stage) == ""
    assert await stage.end() is End.CALLER_HUNG_UP
    turns = await stage.turns()
    assert turns[-5:] == [
        ("notice", "Anna took the call over from the agent."),
        ("person", BY_HAND),
        ("caller", SECOND),
        ("notice", "Anna handed the call back to the agent."),
        ("agent", "At five, as Anna said."),
    ]
    kept = (tmp_path / "recordings" / "call.wav").read_bytes()[HEAD_BYTES:]
    assert speech(BY_HAND, "rms")[:8000] in kept[1::2]


async def test_an_agent_that_owes_nothing_says_that_it_is_there_again(
    database: Database, tmp_path: Path
) -> None:
    """Also when the member's connection broke; and a second member may take the call then."""
    brain = ScriptedBrain("Yes.")
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=brain, recogniser=ScriptedRecogniser(BY_HAND),
    )  # fmt: skip
    await stage.agent_is_silent()
    stage.taken_by("Anna")
    await stage.by_hand(speech(BY_HAND, "rms"))
    stage.conversation.taking.hand_back(lost=True)
    stage.taken_by("Ben")
    await stage.quiet(500)
    assert await holder(stage) == "Ben"
    assert PHRASE not in stage.synthesiser.spoken  # Ben has it
    stage.conversation.taking.hand_back()
    await stage.agent_is_silent()
    await stage.end()
    assert [text for _, text in await stage.turns()][-5:] == [
        BY_HAND,
        "The connection of Anna was lost: the agent goes on.",
        "Ben took the call over from the agent.",
        "Ben handed the call back to the agent.",
        PHRASE,
    ]


async def test_the_notice_of_the_recording_is_heard_before_a_member_has_the_call(
    database: Database, tmp_path: Path
) -> None:
    """C3, SEC17: nothing is recorded without it."""
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=ScriptedBrain(), recogniser=ScriptedRecogniser(BY_HAND), records=True, notice=True,
    )  # fmt: skip
    await stage.until(lambda: stage.of(media.PieceStarted))
    stage.taken_by("Anna")
    await stage.until(lambda: stage.of(media.RecordingStarted))
    await stage.by_hand(speech(BY_HAND, "rms"))
    await stage.end()
    notice = stage.of(media.PiecePlayed)[0]
    assert isinstance(notice, media.PiecePlayed)
    assert notice.heard.complete
    assert ("person", BY_HAND) in await stage.turns()
    kept = (tmp_path / "recordings" / "call.wav").read_bytes()[HEAD_BYTES:]
    assert speech(BY_HAND, "rms")[:8000] in kept[1::2]
