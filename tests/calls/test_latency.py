"""How long callers wait for a reply (I4): measured on the stage, read of a call and over days."""

from pathlib import Path

from sounds import speech
from stage import ScriptedBrain, ScriptedRecogniser, Stage, connected, snapshot

from offhook import inbox, media
from offhook.calls.latency import service as latency
from offhook.calls.latency.rules import Stage as Reached
from offhook.calls.latency.rules import Stopwatch, spans
from offhook.db import Database

QUESTION = "Are you open on Sunday morning?"


def test_words_that_are_known_before_the_pause_is_over_take_no_time() -> None:
    watch = Stopwatch(ended_ms=1000)
    watch.reached(Reached.DECIDED, 1600)
    watch.reached(Reached.WORDS, 1300)
    watch.reached(Reached.TEXT, 1800)
    watch.reached(Reached.TEXT, 1900)
    watch.reached(Reached.VOICE, 2000)
    assert watch.times() is None
    watch.reached(Reached.SENT, 2020)
    times = watch.times()
    assert times is not None
    assert list(times.values()) == [600, 600, 800, 1000, 1020]
    assert list(spans(times).values()) == [(0, 600), (600, 0), (600, 200), (800, 200), (1000, 20)]


async def test_how_long_a_reply_took_stands_with_its_turn(
    database: Database, tmp_path: Path
) -> None:
    """I4: each stage, none before the one that it follows; a reply that nobody heard has none."""
    brain = ScriptedBrain("Yes, from eight to noon.", delay_steps=30)
    stage = Stage(
        database, await connected(database, snapshot()), tmp_path,
        brain=brain, recogniser=ScriptedRecogniser(QUESTION),
    )  # fmt: skip
    await stage.agent_is_silent()
    await stage.run(speech(QUESTION))
    ended_ms = stage.now_ms
    await stage.agent_is_silent()
    await stage.end()
    call = stage.connected
    async with database.team(call.team_id) as session:
        rows = await latency.of_call(session, call.team_id, call.call_id)
        turns = await inbox.turns_of(session, call.team_id, call.conversation_id)
        whole = await latency.summary(
            session, call.team_id, latency.Wanted(agent_id=call.snapshot.agent_id)
        )
        nobody = await latency.summary(session, call.team_id, latency.Wanted(agent_id="agt_2"))
        days = await latency.by_day(session, call.team_id, latency.Wanted(), "Pacific/Auckland")
    assert list(rows) == [turns[-1].id]
    row = rows[turns[-1].id]
    reached = list(row.times.values())
    assert reached == sorted(reached)
    assert 400 <= row.decided_ms <= 800  # the pause that ends a turn
    first = stage.of(media.PieceStarted)[-1]
    assert abs(row.sent_ms - (first.at_ms - ended_ms)) <= 200
    assert whole is not None
    assert (whole.replies, whole.total.p50, whole.total.p95) == (1, row.sent_ms, row.sent_ms)
    assert sum(share.p50 for share in whole.stages.values()) == row.sent_ms
    assert nobody is None
    assert [(day.replies, day.total.p50) for day in days] == [(1, row.sent_ms)]
