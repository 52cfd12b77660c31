"""How many calls the offline speech processes bear: `python bench/speech.py 2 4 8 12`.

Each simulated call hears 3 s of speech in real time with partial words, asks for the final when it
ends, and is then answered with a sentence that plays for 3 s, over and over, for 20 s. Prints, for
each number of calls, the delay of partials, finals and first samples (median and worst of ten).
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from offhook.speech import Partial
from offhook.speech.offline_recogniser import OfflineRecogniser
from offhook.speech.offline_synthesiser import OfflineSynthesiser

SAID = "Could you tell me how much the rye bread costs today?"
FRAME = 160
SECONDS = 20.0


async def call(
    number: int,
    ears: OfflineRecogniser,
    voice: OfflineSynthesiser,
    said: bytes,
    delays: dict[str, list[float]],
) -> None:
    def on_partial(partial: Partial) -> None:
        delays["partial"].append(time.monotonic() - began - partial.end_ms / 1000 + offset)

    hearing = ears.open(on_partial=on_partial)
    await asyncio.sleep(number * 0.37)
    end = time.monotonic() + SECONDS
    fed = 0
    while time.monotonic() < end:
        began, offset = time.monotonic(), fed / 8_000
        hearing.begin(0)
        for start in range(0, len(said), FRAME):
            hearing.feed(said[start : start + FRAME])
            fed += FRAME
            await asyncio.sleep(max(0.0, began + start / 8_000 - time.monotonic()))
        asked = time.monotonic()
        await hearing.finalise()
        delays["final"].append(time.monotonic() - asked)
        hearing.end()
        asked, first, spoken = time.monotonic(), 0.0, 0
        async for chunk in voice.speak(SAID):
            first = first or time.monotonic() - asked
            spoken += len(chunk)
        delays["first sample"].append(first)
        await asyncio.sleep(max(0.0, asked + first + spoken / 8_000 - time.monotonic()))
    await hearing.close()


async def measure(folder: Path, calls: list[int]) -> None:
    ears = OfflineRecogniser(folder / "recogniser.sock", capacity=1)
    voice = OfflineSynthesiser(folder / "synthesiser.sock", capacity=1)
    await ears.start()
    await voice.start()
    await ears.ready(60)
    await voice.ready(60)
    said = b"".join([chunk async for chunk in voice.speak(SAID)])
    for count in calls:
        delays: dict[str, list[float]] = {"partial": [], "final": [], "first sample": []}
        await asyncio.gather(*[call(i, ears, voice, said, delays) for i in range(count)])
        shown = [
            f"{name} {sorted(d)[len(d) // 2]:.2f}/{sorted(d)[len(d) * 9 // 10]:.2f} s ({len(d)})"
            for name, d in delays.items()
        ]
        print(f"{count} calls:", ", ".join(shown), flush=True)
    await ears.close()
    await voice.close()


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="offhook") as name:
        folder = Path(name)
        processes = [
            subprocess.Popen(  # noqa: S603 - our own program
                [
                    sys.executable,
                    "-m",
                    f"offhook.speech.{part}_process",
                    "--socket",
                    str(folder / f"{part}.sock"),
                ]
            )
            for part in ("recogniser", "synthesiser")
        ]
        try:
            asyncio.run(measure(folder, [int(n) for n in sys.argv[1:]] or [2, 4, 8]))
        finally:
            for process in processes:
                process.terminate()
                process.wait(10)


if __name__ == "__main__":
    main()
