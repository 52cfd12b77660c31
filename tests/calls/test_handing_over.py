"""From the agent's word to the moment when the call leaves: heard out, called off, not possible."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rehearsal import Marks
from sounds import silence, speech
from stage import ScriptedBrain, ScriptedRecogniser, Stage, connected, snapshot

from offhook import media
from offhook.agents import HandOver, Text
from offhook.calls import service
from offhook.calls.models import Call
from offhook.calls.phrases import ENGLISH
from offhook.calls.rules import CallState, End
from offhook.calls.transfers import service as transfers
from offhook.calls.transfers import targets
from offhook.db import Database, Session

QUESTION = "Put me through to Anna, please."
HANDED = "One moment please, I will put you through to Anna right away."


class Told:
    """What became of the task's run."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, str, bool]] = []

    async def __call__(
        self, session: Session, team_id: str, run_id: str, sentence: str, /, *, done: bool
    ) -> None:
        self.runs.append((run_id, sentence, done))


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    told = Told()
    transfers.when_known(told)
    yield told
    transfers.forget(told)


async def on_stage(
    database: Database, folder: Path, *words: str, marks: Marks = Marks.PLAYED
) -> Stage:
    """A caller who has just asked for Anna; the next words are understood as `words`."""
    call = await connected(database, snapshot())
    async with database.team(call.team_id) as session:
        target = await targets.add(
            session, call.team_id, name="Anna", number="+12025550177", ring_s=20, announced=True
        )
    stage = Stage(
        database, call, folder,
        brain=ScriptedBrain([Text(HANDED), HandOver("run_1", target.id)], "All right."),
        recogniser=ScriptedRecogniser(QUESTION, *words),
        marks=marks,
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech(QUESTION))
    return stage


async def row(stage: Stage) -> Call:
    call = stage.connected
    async with stage.database.team(call.team_id) as session:
        return await service.get(session, call.team_id, call.call_id)


@pytest.mark.parametrize("marks", [Marks.PLAYED, Marks.LATE, Marks.NEVER])
async def test_the_sentence_is_heard_to_its_end_before_the_call_leaves(
    database: Database, tmp_path: Path, marks: Marks
) -> None:
    """C6: bounded by the audio's length and 3 s where no mark ever comes."""
    stage = await on_stage(database, tmp_path, marks=marks)
    await stage.until(stage.task.done, limit_ms=15_000)
    assert await stage.ended() is None
    assert ("agent", HANDED) in await stage.turns()
    sound = sum(1 for _, frame in stage.far.played[-400:] if any(b != 255 for b in frame)) * 20
    assert sound >= len(HANDED.split()) * 350 - 100
    assert stage.closed_at_ms is not None
    assert stage.carrier.hung_up == []
    call = await row(stage)
    assert (call.state, call.ended_at) == (CallState.TRANSFERRED, None)


async def test_a_caller_who_speaks_into_it_keeps_the_agent(
    database: Database, tmp_path: Path, told: Told
) -> None:
    """C4: and the run is known as failed (T3)."""
    stage = await on_stage(database, tmp_path, "No wait, I have another question.")
    pieces = len(stage.of(media.PieceStarted))
    await stage.until(lambda: len(stage.of(media.PieceStarted)) > pieces)
    await stage.run(silence(400) + speech("No, wait, I have another question for you."))
    await stage.until(lambda: len(stage.brain.briefings) == 2)
    await stage.agent_is_silent()
    await stage.until(lambda: told.runs)
    assert (await row(stage)).state is CallState.LIVE
    assert await stage.end() is End.CALLER_HUNG_UP
    assert told.runs == [("run_1", "The caller went on talking.", False)]


async def test_noise_into_it_only_delays_the_transfer(
    database: Database, tmp_path: Path, told: Told
) -> None:
    """CM7: what was not heard is said after all."""
    stage = await on_stage(database, tmp_path, "")
    pieces = len(stage.of(media.PieceStarted))
    await stage.until(lambda: len(stage.of(media.PieceStarted)) > pieces)
    await stage.run(silence(400) + speech("No, wait, I have another question for you."))
    await stage.until(stage.task.done, limit_ms=20_000)
    assert await stage.ended() is None
    said = " ".join(text for who, text in await stage.turns() if who == "agent")
    assert "right away." in said
    assert (await row(stage)).state is CallState.TRANSFERRED
    assert told.runs == []


async def test_whom_the_owner_has_taken_off_the_list_nobody_is_put_through_to(
    database: Database, tmp_path: Path, told: Told
) -> None:
    """SEC13: asked again at the last moment; the agent says so and goes on."""
    stage = await on_stage(database, tmp_path)
    call = stage.connected
    async with database.team(call.team_id) as session:
        (target,) = await targets.listed(session, call.team_id)
        await targets.remove(session, call.team_id, target.id)
    await stage.until(lambda: told.runs)
    await stage.agent_is_silent()
    assert (await row(stage)).state is CallState.LIVE
    assert await stage.end() is End.CALLER_HUNG_UP
    assert ("agent", ENGLISH.not_handed_over) in [
        (who, text[-len(ENGLISH.not_handed_over) :]) for who, text in await stage.turns()
    ]
    ((run_id, sentence, done),) = told.runs
    assert (run_id, done) == ("run_1", False)
    assert "no transfer target" in sentence
