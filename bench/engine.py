"""What one tick of the media engine costs, without a clock: core per call, memory per call.

    PYTHONPATH=src:tests/media python bench/engine.py [CALLS ...]

Every caller speaks, every second agent does, every call is recorded. The limit to beat is the
coroutine pipeline's 2 to 5 % of a core per call.
"""

import resource
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

from sounds import silence, speech

from offhook.media import TICK_MS, Batch, Engine, Line

TICKS = 500


def main(counts: list[int]) -> None:
    """Print one line per number of calls."""
    print(f"{'calls':>6} {'tick ms':>9} {'core/call':>10} {'peer/ours':>10} {'MB/call':>8}")
    for count in counts:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        tick_ms = measure(count)
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 / count
        share = tick_ms / TICK_MS / count
        print(f"{count:>6} {tick_ms:>9.2f} {share:>10.3%} {0.02 / share:>9.0f}x {memory:>8.2f}")


def measure(count: int) -> float:
    """Mean milliseconds of a tick with `count` calls."""
    engine = Engine(deque[Batch](maxlen=1).append, max_lines=count, reserve_bytes=0)
    talk = speech("Hello, could you tell me whether you are open on Sunday?") + silence(2000)
    frames = [talk[at : at + 160] for at in range(0, len(talk) - 160, 160)]
    with tempfile.TemporaryDirectory() as folder:
        engine.recorder.start()
        lines = [engine.open(str(number)) for number in range(count)]
        for line in lines:
            line.record(Path(folder) / f"{line.id}.wav")
        spent = run(engine, lines, frames, talk)
        engine.tracks.end_all()
        engine.recorder.stop()
    return spent / TICKS * 1000


def run(engine: Engine, lines: list[Line], frames: list[bytes], reply: bytes) -> float:
    """Seconds spent in ticks."""
    spent = 0.0
    for tick in range(TICKS):
        for number, line in enumerate(lines):
            line.feed(frames[(tick + 7 * number) % len(frames)])
            if number % 2 and tick % 250 == 0:
                line.play(line.new_reply(), "reply", reply, text="Yes, we are.")
        began = time.perf_counter()
        engine.tick()
        spent += time.perf_counter() - began
    return spent


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [1, 50, 200, 400])
