"""The other side of a check's stream: what a carrier does, with a caller who repeats every sound.

Opens the media process's public address, listens until the sentence is over, and sends the same
sound back at the pace of a call. Knows the stream's protocol; knows no call and no database.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

import websockets

from offhook.carriers import streams

SENTENCE = "This is a test of the line. The weather is good today, and the coffee is hot."
"""Common words and no figures: recognisers write those in their own way."""
SAID = "check:said"
HEARD = "check:heard:"
CONNECT_S = 5.0
PATIENCE_S = 30.0
FRAME_S = streams.FRAME_MS / 1000
QUIET_FRAMES = 100
UNDERSTOOD_S = 8.0  # after the sound was sent back
STREAM_ID = "MZ00000000000000000000000000000000"


@dataclass(frozen=True, slots=True)
class Looped:
    """`heard` None: the loop did not close, for `trouble`."""

    heard: str | None
    trouble: str = ""


async def hear_back(url: str, parameters: Mapping[str, str]) -> Looped:
    """Let the media process at `url` speak and hear itself; never raises."""
    try:
        async with (
            asyncio.timeout(PATIENCE_S),
            websockets.connect(
                f"{url}/stream", proxy=None, open_timeout=CONNECT_S, compression=None
            ) as socket,
        ):
            return await _carry(socket, parameters)
    except TimeoutError:
        return Looped(None, "The agent's voice was not heard within half a minute.")
    except websockets.ConnectionClosed:
        return Looped(None, "The media process closed the line.")
    except (OSError, websockets.WebSocketException) as error:
        return Looped(None, f"The media process cannot be reached at {url}: {error}.")


async def _carry(socket: websockets.ClientConnection, parameters: Mapping[str, str]) -> Looped:
    await socket.send(streams.dump(streams.Connected()))
    start = streams.Start(STREAM_ID, "", "", dict(parameters))
    await socket.send(streams.dump(start))
    sound = await _sentence(socket)
    repeating = asyncio.create_task(_repeat(socket, sound))
    try:
        async with asyncio.timeout(len(sound) / streams.FRAME_BYTES * FRAME_S + UNDERSTOOD_S):
            async for mark in _marks(socket):
                if mark.startswith(HEARD):
                    return Looped(mark.removeprefix(HEARD))
    except TimeoutError:
        return Looped("")
    finally:
        repeating.cancel()
        await asyncio.wait({repeating})
    return Looped(None, "The media process closed the line.")


async def _sentence(socket: websockets.ClientConnection) -> bytes:
    """The sound of the sentence, whole."""
    sound = bytearray()
    async for mark in _marks(socket, sound):
        if mark == SAID:
            break
    return bytes(sound)


async def _marks(
    socket: websockets.ClientConnection, sound: bytearray | None = None
) -> AsyncGenerator[str]:
    """Marks as they come, returned as a carrier does; audio goes to `sound`."""
    async for message in socket:
        match streams.parse_to_carrier(message):
            case streams.SendMedia(payload=payload):
                if sound is not None:
                    sound += payload
            case streams.SendMark(name=name):
                await socket.send(streams.dump(streams.Mark(STREAM_ID, name, 1)))
                yield name
            case _:
                pass


async def _repeat(socket: websockets.ClientConnection, sound: bytes) -> None:
    """The sound, then silence in which it is understood."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    whole = sound + streams.SILENCE * QUIET_FRAMES
    for number, at in enumerate(range(0, len(whole), streams.FRAME_BYTES)):
        payload = whole[at : at + streams.FRAME_BYTES]
        media = streams.Media(STREAM_ID, payload, number * streams.FRAME_MS, number + 1, number + 2)
        await socket.send(streams.dump(media))
        await asyncio.sleep(max(0.0, began + (number + 1) * FRAME_S - loop.time()))
