"""Members on a call: both sides are overheard, and a guest speaks in the agent's place (I5)."""

from pathlib import Path

import numpy as np
from rehearsal import FarEnd, Marks
from sounds import silence, speech, tone

from offhook.media import Batch, Clear, Engine, LineOptions
from offhook.media.options import FRAME
from offhook.media.recording import HEAD_BYTES

GUEST = LineOptions(check_in_ms=None, never_spoke_ms=None)


class Two:
    """A call and a guest on one engine, in steps of 20 ms."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.engine = Engine(self.batches.append, max_lines=2, reserve_bytes=0)
        self.call = self.engine.open("call")
        self.guest = self.engine.open("guest", GUEST)
        self.far = FarEnd(Marks.PLAYED)
        self.now_ms = 0

    def run(self, caller: bytes, guest: bytes = b"") -> None:
        for at in range(0, len(caller), FRAME):
            self.far.play(self.now_ms)
            for name in self.far.returned(self.now_ms):
                self.call.marked(name)
            self.call.feed(caller[at : at + FRAME])
            self.guest.feed(guest[at : at + FRAME])
            before = len(self.batches)
            self.engine.tick()
            self.now_ms += 20
            for batch in self.batches[before:]:
                for line, out in batch.out:
                    assert line == "call"
                    self.far.take(out, self.now_ms)

    @property
    def overheard(self) -> tuple[bytes, bytes]:
        """Caller and agent, as a listener hears them."""
        both = b"".join(audio for batch in self.batches for _, audio in batch.heard)
        sides = np.frombuffer(both, np.uint8).reshape(-1, 2)
        return sides[:, 0].tobytes(), sides[:, 1].tobytes()

    @property
    def played(self) -> bytes:
        """What the caller's telephone played, silence left out."""
        return b"".join(frame for _, frame in self.far.played if frame != silence(20))


def test_a_listener_hears_both_sides_from_when_they_came_until_they_left() -> None:
    two = Two()
    words, reply = speech("Sunday", "rms"), tone(400, -20, 500)
    words = words[: len(words) // FRAME * FRAME]
    two.run(words)
    assert not any(batch.heard for batch in two.batches)
    two.call.listen(on=True)
    two.call.play(two.call.new_reply(), "a", reply, text="a")
    two.run(words)
    two.call.listen(on=False)
    two.run(words)
    caller, agent = two.overheard
    assert caller == words
    assert reply in agent


def test_a_guest_is_heard_and_recorded_in_the_agents_place(tmp_path: Path) -> None:
    two = Two()
    two.engine.recorder.start()
    two.call.record(tmp_path / "call.wav")
    two.call.listen(on=True)
    two.call.play(two.call.new_reply(), "a", tone(5000, -20, 500), text="a")
    two.run(silence(400))
    two.call.clear()
    two.call.bridge(two.guest)
    two.run(silence(20))
    assert Clear() in [item for _, item in two.far.received]
    before = two.played
    guest = tone(1000, -20, 300)
    two.run(silence(1200), guest + silence(200))
    assert two.played.removeprefix(before) == guest
    two.call.bridge(None)
    two.run(silence(200), guest[:1600])
    assert two.played.removeprefix(before) == guest
    _, overheard = two.overheard
    two.call.close()
    two.run(silence(20))
    two.engine.recorder.stop()
    kept = np.frombuffer((tmp_path / "call.wav").read_bytes()[HEAD_BYTES:], np.uint8)
    agent = kept.reshape(-1, 2)[:, 1].tobytes()
    assert guest in agent
    assert guest in overheard


def test_what_the_agent_must_say_goes_before_the_guest() -> None:
    """U4: the notice of the end is heard whole."""
    two = Two()
    two.call.bridge(two.guest)
    guest, notice = tone(2000, -20, 300), tone(500, -20, 800)
    two.run(silence(500), guest[:4000])
    two.call.play(two.call.new_reply(), "notice", notice, text="notice")
    two.run(silence(1500), guest[4000:])
    assert notice in two.played
    assert len(two.far.queue) <= 5  # nothing piles up at the carrier


def test_a_guest_who_has_gone_is_silence_and_the_call_goes_on() -> None:
    two = Two()
    two.call.bridge(two.guest)
    two.run(silence(100), tone(100, -20, 300))
    two.guest.close()
    two.run(silence(300))
    heard = two.played
    two.call.play(two.call.new_reply(), "a", tone(100, -20, 500), text="a")
    two.run(silence(300))
    assert two.played.removeprefix(heard) == tone(100, -20, 500)
