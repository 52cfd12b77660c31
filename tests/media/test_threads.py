"""The engine on its own thread: punctual, thread-safe, one line's defect is not another's."""

import gc
import queue
import threading
import time

import pytest
from sounds import silence, speech

from offhook.media import (
    Batch,
    Engine,
    Event,
    LineFailed,
    LinesFull,
    PlayedOut,
    TurnEnded,
)

QUESTION = speech("Hello, could you tell me whether you are open on Sunday?")


class Desk:
    """Collects batches as an event loop would."""

    def __init__(self, max_lines: int = 8) -> None:
        self.queue: queue.SimpleQueue[Batch] = queue.SimpleQueue()
        self.engine = Engine(self.queue.put, max_lines=max_lines, reserve_bytes=0)

    def until(self, kind: type[Event], limit_s: float = 20) -> Event:
        end = time.monotonic() + limit_s
        while True:
            batch = self.queue.get(timeout=max(end - time.monotonic(), 0.01))
            for event in batch.events:
                if isinstance(event, kind):
                    return event


def test_hears_and_speaks_in_real_time_and_ends_its_threads() -> None:
    desk = Desk()
    before, frozen = threading.active_count(), gc.get_freeze_count()
    desk.engine.start()
    assert gc.get_freeze_count() > frozen
    line = desk.engine.open("call")
    line.feed(QUESTION[:16000] + silence(1000))
    turn = desk.until(TurnEnded)
    assert turn.line == "call"
    line.play(line.new_reply(), "a", silence(200), text="a")
    assert desk.until(PlayedOut).at_ms > turn.at_ms
    assert desk.engine.pace().ticks > 50
    desk.engine.stop()
    assert threading.active_count() == before


def test_more_lines_than_there_are_is_an_answer() -> None:
    desk = Desk(max_lines=2)
    first, _ = desk.engine.open("1"), desk.engine.open("2")
    with pytest.raises(LinesFull):
        desk.engine.open("3")
    first.close()
    desk.engine.tick()
    assert desk.engine.lines == 1
    desk.engine.open("3")


def test_a_line_closed_is_silent_and_its_handle_harmless() -> None:
    desk = Desk()
    line = desk.engine.open("call")
    desk.engine.tick()
    line.close()
    line.close()
    line.feed(QUESTION)
    line.play(1, "a", QUESTION)
    line.marked("m1")
    line.clear()
    for _ in range(100):
        desk.engine.tick()
    assert desk.queue.empty()


def test_a_row_used_again_knows_nothing_of_the_last_call() -> None:
    desk = Desk(max_lines=1)
    line = desk.engine.open("first")
    line.feed(QUESTION)
    line.play(line.new_reply(), "a", QUESTION)
    for _ in range(50):
        desk.engine.tick()
    line.close()
    desk.engine.tick()
    while not desk.queue.empty():
        desk.queue.get()
    second = desk.engine.open("second")
    for _ in range(50):
        desk.engine.tick()
    assert desk.queue.empty()
    assert second.audio(0) == silence(1000)


def test_a_defect_on_one_line_closes_that_line_only() -> None:
    desk = Desk()
    good, bad = desk.engine.open("good"), desk.engine.open("bad")
    desk.engine.tick()
    bad.play(1, "a", "not bytes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    good.feed(QUESTION + silence(1000))
    for _ in range(len(QUESTION) // 160 + 50):
        desk.engine.tick()
    assert desk.until(LineFailed, 1).line == "bad"
    assert desk.until(TurnEnded, 1).line == "good"
    assert desk.engine.lines == 1


def test_the_callers_audio_can_be_asked_for_at_any_instant() -> None:
    desk = Desk()
    line = desk.engine.open("call")
    for at in range(0, 6400, 160):
        line.feed(QUESTION[at : at + 160])
        desk.engine.tick()
    assert line.now_ms == 800
    assert line.audio(0) == QUESTION[:6400]
    assert line.audio(101, 203) == QUESTION[808 : 203 * 8]
    assert line.audio(-50, 20) == QUESTION[:160]
    assert line.audio(900) == b""
