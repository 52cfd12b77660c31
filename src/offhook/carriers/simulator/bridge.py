"""Two telephones joined: each hears what the other says, 20 ms at a time. Knows no call."""

import asyncio

from offhook.carriers.simulator.handsets import Handset
from offhook.carriers.simulator.stream import TICK_S, Microphone

End = tuple[Microphone, Handset]


async def join(one: End, other: End) -> None:
    """Carry both voices until cancelled. Keys that are pressed reach nobody."""
    loop = asyncio.get_running_loop()
    started, ticks = loop.time(), 0
    ways = ((one[0], other[1]), (other[0], one[1]))
    while True:
        for microphone, handset in ways:
            handset.play(microphone.frame())
            while not microphone.digits.empty():
                microphone.digits.get_nowait()
        ticks += 1
        await asyncio.sleep(max(0.0, started + ticks * TICK_S - loop.time()))
