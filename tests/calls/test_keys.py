"""Keys that a caller presses: an entry is a turn; secret digits are nobody's (C6, SEC20)."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from sounds import speech
from sqlalchemy import String, literal_column, select, table, text
from stage import ScriptedBrain, ScriptedRecogniser, Stage, connected, snapshot

from offhook import media, tasks
from offhook.calls.keypad import SecureKeypad
from offhook.calls.keys import MAX_KEYS, PAUSE_S, Entry
from offhook.calls.phrases import ENGLISH
from offhook.db import Database, Session
from offhook.outgoing import Outgoing
from offhook.settings import Settings
from offhook.tasks.keypads import Wanted, passes_luhn
from offhook.tasks.scope import Scope
from task_fixtures import Receiver, Talk, means, new_task, receiver, task_settings

__all__ = ["receiver", "task_settings"]
CARD = "4242424242424242"


def test_an_entry_ends_with_the_hash_key_with_a_pause_or_when_it_is_too_long() -> None:
    entry = Entry()
    assert [entry.press(key, n / 10) for n, key in enumerate("471#")] == ["", "", "", "471"]
    assert entry.press("1", 5.0) == ""
    assert entry.began_at_s == 5.0
    assert entry.paused(5.0 + PAUSE_S - 0.1) == ""
    assert entry.paused(5.0 + PAUSE_S) == "1"
    assert entry.paused(60.0) == ""
    assert entry.press("#", 61.0) == "#"
    found = [entry.press("9", 70.0) for _ in range(MAX_KEYS)]
    assert found[-1] == "9" * MAX_KEYS


@pytest.mark.parametrize(
    ("digits", "valid"),
    [(CARD, True), ("4242424242424241", False), ("0", True), ("79927398713", True), ("18", True)],
)
def test_the_check_digit_of_cards(digits: str, valid: bool) -> None:
    assert passes_luhn(digits) is valid


@pytest.mark.parametrize(
    ("keys", "digits"),
    [
        ("1234#", "1234"),
        ("12*1234#", "1234"),
        ("12#1234#", "1234"),
        ("12#13#14#", None),
        ("123456", "123456"),
        ("12", None),
    ],
    ids=["hash", "anew", "too short, then right", "three times wrong", "full", "gone"],
)
async def test_a_keypad_takes_digits_and_asks_again(keys: str, digits: str | None) -> None:
    told: list[str] = []

    async def say(text: str) -> None:
        told.append(text)

    pad = SecureKeypad(ENGLISH, say, lambda: told.append("open" if pad.is_open else "closed"))
    assert not pad.press("1")
    collecting = asyncio.create_task(pad.collect(Wanted("code", 4, 6)))
    await asyncio.sleep(0)
    assert all(pad.press(key) for key in keys)
    if digits is None:
        pad.close()
    assert await collecting == digits
    assert told[0] == "open"
    assert "code" in told[1]
    assert told[-1] == "closed"
    assert not pad.is_open


async def test_what_is_keyed_in_is_a_turn_that_interrupts_and_is_answered(
    database: Database, tmp_path: Path
) -> None:
    brain = ScriptedBrain("A table for four.")
    stage = Stage(
        database, await connected(database, snapshot(greeting="How many are you? " * 5)),
        tmp_path, brain=brain, recogniser=ScriptedRecogniser(),
    )  # fmt: skip
    await stage.until(lambda: stage.of(media.PieceStarted))
    await stage.quiet(600)
    for key in "4#":
        stage.conversation.pressed(key)
    await stage.until(lambda: len(brain.briefings) == 1)
    await stage.agent_is_silent()
    await stage.end()
    assert brain.briefings[0].unanswered == ["4"]
    assert any("keys" in note for note in brain.briefings[0].notes)
    turns = await stage.turns()
    assert turns[-2:] == [("caller", "4"), ("agent", "A table for four.")]
    assert len(turns[0][1].split()) < 20  # the greeting was cut off


async def test_secret_digits_reach_the_owners_system_and_nothing_else(
    database: Database, receiver: Receiver, task_settings: Settings, tmp_path: Path
) -> None:
    """Not the transcript, the run, an event, the recording, or who listens."""
    for kind in tasks.BUILT_IN:
        tasks.register(kind)
    call = await connected(database, snapshot(greeting="Hello."))
    async with Outgoing(task_settings) as outgoing:
        runner = tasks.Runner(means(database, task_settings, outgoing))
        stage = Stage(
            database, call, tmp_path, brain=ScriptedBrain(),
            recogniser=ScriptedRecogniser("This is my card, four two four two"),
            records=True, runner=runner,
        )  # fmt: skip
        await stage.agent_is_silent()
        config = {"what": "card number", "url": f"{receiver.url}/cards", "luhn": True}
        await new_task(
            database, call.team_id, config, title="Take the card", kind="secure_digits", inputs=[],
            channels=[tasks.CALL],
        )  # fmt: skip
        scope = Scope(call.team_id, "agt_desk", call.conversation_id, tasks.CALL, call.number_id)
        talk = Talk(runner, scope)
        doing = asyncio.create_task(talk.do("take_the_card"))
        pad = runner.means.keypads.of(call.conversation_id)
        assert isinstance(pad, SecureKeypad)
        await stage.until(lambda: pad.is_open)
        await stage.run(speech("This is my card: four two four two."))
        assert not stage.of(media.SpeechStarted)
        for key in f"{CARD}#":
            stage.conversation.pressed(key)
        await stage.until(doing.done)
        step = await doing
        assert isinstance(step, tasks.Completed), step
        (run,) = await talk.runs()
        await stage.end()
        await runner.close()
    (request,) = receiver.requests
    assert CARD in request.body
    assert CARD not in str((run.inputs, run.request, run.response, run.data, run.answer))
    assert "Digits were keyed in" in str(await stage.turns())
    assert CARD not in str(await stage.turns())
    async with database.system() as session:
        dump = await database_dump(session)
    assert CARD not in dump
    recorded = (tmp_path / "recordings" / "call.wav").read_bytes()[58:]
    caller = media.codec.decode_mulaw(np.frombuffer(recorded[::2], np.uint8))
    assert abs(caller).max() < 64


async def database_dump(session: Session) -> str:
    """Every row of every table as text."""
    whole = literal_column("t::text", String)
    names = await session.scalars(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    )
    rows = [
        str((await session.scalars(select(whole).select_from(table(name).alias("t")))).all())
        for name in names.all()
    ]
    return "\n".join(rows)
