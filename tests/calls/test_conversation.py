"""What a caller lives through: greeting, answers, interruptions, noise, silence, the end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rehearsal import Marks
from sounds import first_ms, silence, speech
from sqlalchemy import select
from stage import (
    ScriptedBrain,
    ScriptedHearing,
    ScriptedRecogniser,
    Stage,
    ToneSynthesiser,
    connected,
    snapshot,
)

from offhook import contacts, costs, inbox, media, usage
from offhook.agents import Cited, HangUp, Text
from offhook.calls import service
from offhook.calls.models import Call
from offhook.calls.phrases import ENGLISH
from offhook.calls.rules import CallState, End
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers import targets
from offhook.calls.transfers.rules import Failure
from offhook.calls.transfers.service import Returned
from offhook.db import Database
from offhook.speech import Heard, Partial

QUESTION = "Are you open on Sunday morning?"


async def call_row(database: Database, stage: Stage) -> Call:
    async with database.system() as session:
        return (await session.scalars(select(Call).where(Call.id == stage.connected.call_id))).one()


async def test_a_question_is_heard_answered_cited_and_billed_once(
    database: Database, tmp_path: Path
) -> None:
    brain = ScriptedBrain([Text("Yes, from eight "), Text("to noon."), Cited("psg_1", "Hours")])
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=brain, recogniser=ScriptedRecogniser(QUESTION),
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech(QUESTION))
    await stage.agent_is_silent()
    assert await stage.end() is End.CALLER_HUNG_UP
    assert await stage.turns() == [
        ("agent", "Good morning."),
        ("caller", QUESTION),
        ("agent", "Yes, from eight to noon."),
    ]
    assert [said.text for said in brain.briefings[0].history] == ["Good morning.", QUESTION]
    row = await call_row(database, stage)
    async with database.team(row.team_id) as session:
        turns = await inbox.turns_of(session, row.team_id, row.conversation_id)
    assert [turn.citations for turn in turns] == [
        [],
        [],
        [{"passage_id": "psg_1", "title": "Hours"}],
    ]
    assert (row.state, row.reason) == (CallState.ENDED, End.CALLER_HUNG_UP)
    async with database.team(row.team_id) as session:
        cost = await usage.cost_of_call(session, row.team_id, row.id)
    assert cost is not None
    assert cost.minutes == 1
    async with database.team(row.team_id) as session:
        used = await costs.of_conversation(session, row.team_id, row.conversation_id)
    spoken = f"{len('Yes, from eight to noon.')} characters spoken"
    said = {line.what for line in used.lines if "listened" not in line.what}
    assert said == {"1 reply", spoken}
    [listened] = [line.what for line in used.lines if "listened" in line.what]
    assert float(listened.split()[0]) >= len(speech(QUESTION)) / 8000


async def test_the_agent_knows_the_caller_and_what_they_texted_before_p4(
    database: Database, tmp_path: Path
) -> None:
    brain = ScriptedBrain("Yes, Ann.")
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=brain, recogniser=ScriptedRecogniser(QUESTION),
    )  # fmt: skip
    row = await call_row(database, stage)
    assert row.contact_id is not None
    async with database.team(row.team_id) as session:
        await contacts.set_by_hand(
            session, row.team_id, row.contact_id, {"first_name": "Ann"}, set_by="usr_1"
        )
        thread = await inbox.open_conversation(
            session, row.team_id, channel=inbox.Channel.SMS, number_id=row.number_id,
            sender=row.caller, contact_id=row.contact_id,
        )  # fmt: skip
        await inbox.add_turn(
            session, row.team_id, thread.id, speaker=inbox.Speaker.CALLER, text="Keep me a rye."
        )
    await stage.agent_is_silent()
    await stage.run(speech(QUESTION))
    await stage.agent_is_silent()
    await stage.end()
    (told,) = brain.briefings
    assert told.known == {"First name": "Ann"}
    assert [[said.text for said in each.said] for each in told.earlier] == [["Keep me a rye."]]


async def test_what_nobody_heard_is_neither_remembered_nor_in_the_transcript(
    database: Database, tmp_path: Path
) -> None:
    """Case CM1: interrupted before anything of the reply was played."""
    canary = "Is the blue van yours?"
    brain = ScriptedBrain(canary, "You did not hear it.")
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=brain, recogniser=ScriptedRecogniser("My name is Ann", "No wait stop"),
        marks=Marks.ON_CLEAR,
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech("My name is Ann."))
    pieces = len(stage.of(media.PieceStarted))
    await stage.until(lambda: len(stage.of(media.PieceStarted)) > pieces)
    await stage.run(silence(60) + speech("No wait, stop, I have to ask something else first."))
    await stage.until(lambda: len(brain.briefings) == 2)
    await stage.agent_is_silent()
    await stage.end()
    heard = " ".join(said.text for said in brain.briefings[1].history)
    assert canary not in heard
    assert canary not in " ".join(text for _, text in await stage.turns())


async def test_only_what_played_before_the_interruption_counts_as_said(
    database: Database, tmp_path: Path
) -> None:
    """Case CM2: marks of discarded audio come back in the same millisecond as the clear."""
    long = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    stage = Stage(
        database, await connected(database, snapshot(greeting="")), tmp_path,
        brain=ScriptedBrain(long, "Fine."),
        recogniser=ScriptedRecogniser("Count please", "No stop that is enough"),
    )  # fmt: skip
    await stage.quiet(400)
    await stage.run(speech("Count for me, please."))
    await stage.until(lambda: stage.of(media.PieceStarted))
    await stage.quiet(2000)
    await stage.run(speech("No, stop, that is quite enough for today."))
    clear_at = stage.far.clears[-1]
    await stage.until(lambda: len(stage.brain.briefings) == 2)
    await stage.agent_is_silent()
    await stage.end()
    turns = await stage.turns()
    said = next(text for speaker, text in turns if speaker == "agent")
    assert long.startswith(said)
    assert 3 <= len(said.split()) <= 10  # about 2 s of 350 ms words, and the caller's first words
    late = [at for at, frame in stage.far.played if at > clear_at and frame in stage_audio(stage)]
    assert not late


def stage_audio(stage: Stage) -> set[bytes]:
    """Frames of the first, interrupted reply: played before the clear."""
    clear_at = stage.far.clears[-1]
    return {
        frame
        for at, frame in stage.far.played
        if at < clear_at - 500 and any(b != 255 for b in frame)
    }


@pytest.mark.parametrize("marks", [Marks.PLAYED, Marks.LATE, Marks.NEVER])
async def test_a_goodbye_is_heard_to_its_end_and_then_the_call_ends(
    database: Database, tmp_path: Path, marks: Marks
) -> None:
    """Case CM4: marks come late or never; the line is given up all the same."""
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=ScriptedBrain([Text("Goodbye and have a nice day."), HangUp()]),
        recogniser=ScriptedRecogniser("That is all, bye"),
        marks=marks,
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech("That is all, thank you, bye."))
    await stage.until(stage.task.done, limit_ms=15_000)
    assert await stage.ended() is End.AGENT_HUNG_UP
    assert ("agent", "Goodbye and have a nice day.") in await stage.turns()
    assert stage.carrier.hung_up == [stage.connected.carrier_call_id]
    goodbye_ms = sum(1 for _, frame in stage.far.played[-400:] if any(b != 255 for b in frame)) * 20
    assert goodbye_ms >= 6 * 350 - 100


class Stalling(ToneSynthesiser):
    """Never gets to the sentences with a certain word in them."""

    async def speak(
        self, text: str, *, voice: str = "", language: str = "en"
    ) -> AsyncIterator[bytes]:
        if "never" in text:
            await asyncio.Event().wait()
        async for chunk in super().speak(text, voice=voice, language=language):
            yield chunk


async def test_what_came_into_the_talk_before_does_not_keep_a_goodbye_from_ending_it(
    database: Database, tmp_path: Path
) -> None:
    """CM4: a sentence that was still being made when the caller interrupted, then a cough."""
    goodbye = "Goodbye and have a nice day, it was a pleasure to be of help to you."
    brain = ScriptedBrain(
        "We open at eight in the morning every day but Monday. This is never said.",
        [Text(goodbye), HangUp()],
    )
    stage = Stage(
        database, await connected(database, snapshot(greeting="")), tmp_path, brain=brain,
        recogniser=ScriptedRecogniser(QUESTION, "No stop that is all", ""),
        synthesiser=Stalling(),
    )  # fmt: skip
    await stage.quiet(400)
    for said, replies in ((QUESTION, 1), ("No, stop, that is quite enough for today.", 2)):
        pieces = len(stage.of(media.PieceStarted))
        await stage.run(speech(said))
        await stage.until(lambda: len(stage.of(media.PieceStarted)) > pieces)  # noqa: B023 - awaited here
        assert len(brain.briefings) == replies
        await stage.quiet(600)
    await stage.run(speech("No, wait, I have another question for you."))
    assert len(stage.of(media.BargeIn)) == 2
    await stage.until(stage.task.done, limit_ms=20_000)
    assert await stage.ended() is End.AGENT_HUNG_UP
    said = " ".join(text for speaker, text in await stage.turns() if speaker == "agent")
    assert said.endswith(goodbye[-30:])


class SlowHearing(ScriptedHearing):
    """Understands when it is told to."""

    understands = asyncio.Event()

    async def finalise(self) -> Heard:
        await self.understands.wait()
        return await super().finalise()


class SlowRecogniser(ScriptedRecogniser):
    def open(
        self,
        *,
        language: str = "en",
        hints: Sequence[str] = (),
        on_partial: Callable[[Partial], None] | None = None,
    ) -> ScriptedHearing:
        return SlowHearing(self.script, on_partial)


async def test_who_has_spoken_is_not_asked_whether_they_are_there_before_they_are_answered(
    database: Database, tmp_path: Path
) -> None:
    """C5: a recogniser under load takes longer than the silence after which we check in."""
    SlowHearing.understands = asyncio.Event()
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=ScriptedBrain("Yes, we are."), recogniser=SlowRecogniser(QUESTION),
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech(QUESTION))
    await stage.quiet(8_000)
    assert stage.of(media.CallerSilent)
    SlowHearing.understands.set()
    await stage.agent_is_silent()
    await stage.end()
    assert [text for _, text in await stage.turns()] == ["Good morning.", QUESTION, "Yes, we are."]


async def test_a_cough_between_question_and_reply_does_not_cost_the_reply(
    database: Database, tmp_path: Path
) -> None:
    """Case CM7 in its first half: noise that the recogniser finds no words in."""
    stage = Stage(
        database, await connected(database, snapshot(greeting="")), tmp_path,
        brain=ScriptedBrain("We open at eight in the morning every day but Monday."),
        recogniser=ScriptedRecogniser(QUESTION, ""),
    )  # fmt: skip
    await stage.quiet(400)
    await stage.run(speech(QUESTION))
    await stage.quiet(300)
    await stage.run(first_ms(speech("Hrrm."), 150))
    await stage.until(lambda: stage.of(media.PlayedOut))
    await stage.end()
    agent = [text for speaker, text in await stage.turns() if speaker == "agent"]
    assert " ".join(agent) == "We open at eight in the morning every day but Monday."
    assert len(stage.brain.briefings) == 1


async def test_a_caller_who_never_speaks_is_let_go_after_15_seconds(
    database: Database, tmp_path: Path
) -> None:
    """C5 and case HS1: silence makes no turn and asks no brain."""
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=ScriptedBrain(), recogniser=ScriptedRecogniser(),
    )  # fmt: skip
    await stage.until(stage.task.done, limit_ms=40_000)
    assert await stage.ended() is End.SILENCE
    assert not stage.brain.briefings
    assert 15_000 <= stage.now_ms <= 27_000
    assert not [speaker for speaker, _ in await stage.turns() if speaker == "caller"]


@pytest.mark.parametrize("reply", ["😀", "   \n", "", "..."])
async def test_a_reply_with_nothing_speakable_is_followed_by_speech_all_the_same(
    database: Database, tmp_path: Path, reply: str
) -> None:
    """Case HS2."""
    synthesiser = ToneSynthesiser()
    stage = Stage(
        database, await connected(database, snapshot(greeting="")), tmp_path,
        brain=ScriptedBrain(reply), recogniser=ScriptedRecogniser(QUESTION),
        synthesiser=synthesiser,
    )  # fmt: skip
    await stage.quiet(400)
    await stage.run(speech(QUESTION))
    asked_at = stage.now_ms
    await stage.until(lambda: stage.of(media.PieceStarted), limit_ms=3000)
    assert stage.now_ms - asked_at <= 3000
    assert synthesiser.spoken
    await stage.agent_is_silent()
    assert not stage.task.done()
    await stage.end()


async def test_a_voice_that_is_gone_ends_the_call_rather_than_leave_silence(
    database: Database, tmp_path: Path
) -> None:
    """C9, UM5: the carrier says it, a call back is noted; nothing was heard of us: no minute."""
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=ScriptedBrain(), recogniser=ScriptedRecogniser(QUESTION),
        synthesiser=ToneSynthesiser(fails=True),
    )  # fmt: skip
    await stage.until(stage.task.done, limit_ms=5000)
    assert await stage.ended() is End.TROUBLE
    (document,) = stage.carrier.documents
    assert ENGLISH.call_back in document
    assert stage.carrier.hung_up == []
    row = await call_row(database, stage)
    async with database.team(row.team_id) as session:
        cost = await usage.cost_of_call(session, row.team_id, row.id)
        thread = await inbox.get(session, row.team_id, row.conversation_id)
    assert cost is None
    assert "call back" in thread.person_needed


@pytest.mark.parametrize("returned", [False, True], ids=["first", "back"])
async def test_an_agent_that_hears_nothing_any_more_gives_the_call_to_who_stands_in(
    database: Database, tmp_path: Path, returned: bool
) -> None:
    """C9: once; who is back from that is promised a call."""
    call = await connected(database, snapshot())
    async with database.team(call.team_id) as session:
        await targets.add(
            session, call.team_id, name="Anna", number="+12025550177", ring_s=20,
            announced=False, stands_in=True,
        )  # fmt: skip
    if returned:
        call = replace(call, returned=Returned("Anna", Failure.BUSY))
    stage = Stage(
        database, call, tmp_path,
        brain=ScriptedBrain(), recogniser=ScriptedRecogniser(QUESTION, fails=True),
    )  # fmt: skip
    for _ in range(3):
        await stage.agent_is_silent()
        await stage.run(speech(QUESTION))
    await stage.until(stage.task.done, limit_ms=20_000)
    async with database.team(call.team_id) as session:
        transfer = await transfers.last_of(session, call.team_id, call.call_id)
        thread = await inbox.get(session, call.team_id, call.conversation_id)
    if returned:
        assert await stage.ended() is End.TROUBLE
        assert transfer is None
        assert any(ENGLISH.call_back in text for _, text in await stage.turns())
        assert thread.person_needed
    else:
        assert await stage.ended() is None
        assert transfer is not None
        assert (transfer.name, transfer.rescue, transfer.run_id) == ("Anna", True, "")
        assert (await call_row(database, stage)).state is CallState.TRANSFERRED
        assert not thread.person_needed


async def test_nothing_is_recorded_before_the_notice_has_ended(
    database: Database, tmp_path: Path
) -> None:
    """C3, SEC17: the notice cannot be interrupted; audio is kept from its end."""
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=ScriptedBrain("Yes."), recogniser=ScriptedRecogniser(QUESTION),
        records=True, notice=True,
    )  # fmt: skip
    path = tmp_path / "recordings" / "call.wav"
    await stage.until(lambda: stage.of(media.PieceStarted))
    await stage.run(first_ms(speech("Hello, are you there, hello?"), 900))
    assert not stage.of(media.BargeIn)
    await stage.until(lambda: stage.of(media.RecordingStarted))
    began_ms = stage.of(media.RecordingStarted)[0].at_ms
    notice = stage.of(media.PiecePlayed)[0]
    assert began_ms >= notice.at_ms
    await stage.run(speech(QUESTION))
    await stage.agent_is_silent()
    length_ms = stage.now_ms - began_ms
    await stage.end()
    recorded_ms = (path.stat().st_size - 58) // 16
    assert abs(recorded_ms - length_ms) <= 100


async def test_a_person_ends_the_call_from_outside(database: Database, tmp_path: Path) -> None:
    """I5, N9: the wish is in the database; the conversation is told to look."""
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=ScriptedBrain(), recogniser=ScriptedRecogniser(),
    )  # fmt: skip
    await stage.agent_is_silent()
    async with database.team(stage.connected.team_id) as session:
        await service.request_end(
            session, stage.connected.team_id, stage.connected.call_id, End.ENDED_BY_PERSON
        )
    stage.conversation.poke()
    await stage.until(stage.task.done)
    assert await stage.ended() is End.ENDED_BY_PERSON
    assert ("notice", "A member of the team ended the call.") in await stage.turns()
