"""A recording as it is drawn, and what is marked on it (I4). Pure but for the file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sounds import noise, silence, tone

from offhook.calls.joining.taking_over import HANDED_BACK, TAKEN
from offhook.calls.marks import MarkKind, marks
from offhook.calls.transfers.models import Transfer
from offhook.calls.waveform import POINTS, draw
from offhook.inbox import Speaker, Turn
from offhook.media.recording import wav_head
from offhook.tasks import TaskRun

T0 = datetime(2026, 5, 14, 12, tzinfo=UTC)


def written(folder: Path, caller: bytes, agent: bytes) -> Path:
    both = bytes(octet for pair in zip(caller, agent, strict=True) for octet in pair)
    path = folder / "call.wav"
    path.write_bytes(wav_head(len(caller)) + both)
    return path


def test_each_side_is_drawn_where_it_speaks_and_silences_are_where_neither_does(
    tmp_path: Path,
) -> None:
    caller = tone(1000, -10, 500) + silence(4000) + tone(1000, -10, 500) + silence(2010)
    agent = silence(1500) + tone(1000, -20, 300) + noise(5510, -60)
    drawn = draw(written(tmp_path, caller, agent))
    assert drawn.length_ms == 8000
    assert len(drawn.caller) == len(drawn.agent) == 400
    loud = [at for at, level in enumerate(drawn.caller) if level > 0.3]
    assert loud == [*range(50), *range(250, 300)]
    assert [at for at, level in enumerate(drawn.agent) if level > 0.1] == list(range(75, 125))
    assert drawn.silences == [(2500, 5000), (6000, 8000)]


def test_a_long_recording_has_no_more_bars_than_a_screen_and_none_of_it_is_lost(
    tmp_path: Path,
) -> None:
    caller = silence(150_000) + tone(20, -10, 500) + silence(29_980)
    drawn = draw(written(tmp_path, caller, silence(180_000)))
    assert len(drawn.caller) == POINTS
    assert max(drawn.caller) > 0.3
    assert drawn.silences == [(0, 150_000), (150_020, 180_000)]


def test_an_empty_recording_is_drawn_as_nothing(tmp_path: Path) -> None:
    drawn = draw(written(tmp_path, b"", b""))
    assert (drawn.length_ms, drawn.caller, drawn.silences) == (0, [], [])


def turn(second: float, speaker: Speaker, text: str = "Hello", status: str = "") -> Turn:
    at = T0 + timedelta(seconds=second)
    return Turn(
        speaker=speaker, text=text, status=status, started_at=at, ended_at=at + timedelta(seconds=1)
    )


def test_what_happened_besides_talking_is_marked_in_the_order_of_time() -> None:
    turns = [
        turn(0, Speaker.AGENT),
        turn(2, Speaker.CALLER),
        turn(4, Speaker.AGENT, status="interrupted"),
        turn(6, Speaker.CALLER, "12#", "keys"),
        turn(8, Speaker.NOTICE, "Anna took the call over from the agent.", TAKEN),
        turn(9, Speaker.PERSON),
        turn(13, Speaker.CALLER),
        turn(15, Speaker.NOTICE, "Anna handed the call back to the agent.", HANDED_BACK),
        turn(17, Speaker.NOTICE, "The caller hung up."),
    ]
    run = TaskRun(title="Book a table", proposed_at=T0, confirmed_at=T0 + timedelta(seconds=7))
    gone = Transfer(name="Bo", requested_at=T0 + timedelta(seconds=99))

    def place(at: datetime) -> int | None:
        ms = int((at - T0) / timedelta(milliseconds=1))
        return ms if ms < 60_000 else None

    found = marks(turns, [run], [gone], place)
    assert [(mark.kind, mark.at_ms, mark.label) for mark in found] == [
        (MarkKind.INTERRUPTION, 5000, "The agent was interrupted"),
        (MarkKind.KEYS, 6000, "Keys: 12#"),
        (MarkKind.TASK, 7000, "Task: Book a table"),
        (MarkKind.BY_HAND, 8000, "Anna took the call over from the agent."),
        (MarkKind.BY_HAND, 15000, "Anna handed the call back to the agent."),
    ]
