"""kill -9 of the media process in a live call: told, kept, billed once (C3, C7)."""

import io
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
from installation import Installation, until
from owner import Bought, Owner
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Data

TRY_AGAIN = 1013
HEAD_BYTES = 58
BYTES_PER_S = 16_000  # two channels of 8 kHz mu-law


def test_a_call_whose_media_process_dies_ends_with_all_that_was_heard(
    installation: Installation, owner: Owner, number: Bought
) -> None:
    """The caller is told, recording and transcript are kept, one minute is billed, once. Whoever
    listens in loses the line in a way that says "try again", and is then told that it is over.
    """
    others = ("web", "worker", "simulator", "recogniser", "synthesiser", "postgres")
    before = {name: installation.pid(name) for name in others}
    used, _ = owner.used(number, "calls")
    caller = threading.Thread(target=installation.run, args=("call", number.e164))
    caller.start()
    call = until(lambda: next(iter(owner.get("/calls", live="true")["items"]), None), "the call")
    # Audio is kept from the notice's end.
    until(lambda: owner.get(f"/calls/{call['id']}")["recording"] == "recording", "the recording")
    listener = Listener(owner, call["id"])
    until(lambda: listener.frames > 25, "the sound of the call")  # half a second
    began = time.monotonic()
    until(lambda: time.monotonic() - began > 4, "some seconds of talk")
    heard_s = time.monotonic() - began
    written = owner.transcript(call)
    said = len(installation.lines)
    installation.kill("media")
    killed = time.monotonic()
    caller.join(30)
    assert not caller.is_alive(), "the caller was left in a dead call"
    done = until(lambda: ended(owner, call["id"]), "the call's end", 60)
    print(f"the call was settled {time.monotonic() - killed:.1f} s after the kill")  # noqa: T201 - a measurement
    assert done["reason"] == "media_lost"
    assert listener.closed() == TRY_AGAIN
    asked = owner.rest.post(f"/calls/{call['id']}/listen")
    assert (asked.status_code, asked.json()["code"]) == (409, "call_not_live")
    assert asked.json()["detail"] == "The call is over."
    assert owner.used(number, "calls") == (used + 1, 0)
    assert written
    for before_it, after_it in zip(written, owner.transcript(call), strict=False):
        assert after_it["text"].startswith(before_it["text"])  # a turn may still have grown
    assert len(owner.transcript(call)) >= len(written)
    assert {name: installation.pid(name) for name in others} == before

    until(lambda: ended(owner, call["id"])["recording"] == "ready", "the recording", 60)
    audio = io.BytesIO(owner.recording(call))
    head = audio.read(HEAD_BYTES)
    (data_bytes,) = struct.unpack("<I", head[-4:])
    rest = audio.read()
    assert head.startswith(b"RIFF")
    assert data_bytes == len(rest)
    assert len(rest) / BYTES_PER_S > heard_s - 2, "more than the last seconds are missing"

    until(lambda: installation.printed("media is ready", said), "media again", 60)
    again = installation.run("call", number.e164, "--say", "Are you open on Sunday?")
    assert (again.returncode, again.stderr) == (0, "")
    assert "Answered" in again.stdout
    assert owner.used(number, "calls") == (used + 2, 0)


class Listener:
    """A member who listens in, as the page does."""

    def __init__(self, owner: Owner, call_id: str) -> None:
        url = httpx.URL(owner.post(f"/calls/{call_id}/listen")["url"])
        self._url = owner.installation.url.replace("http", "ws", 1) + url.raw_path.decode()
        self.frames = 0
        self._code: int | None = None
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        with connect(self._url, proxy=None, compression=None) as socket:
            for message in _until_closed(socket):
                self.frames += isinstance(message, bytes)
            self._code = socket.close_code

    def closed(self) -> int | None:
        """The code with which the line ended."""
        self._reading.join(20)
        return self._code


def _until_closed(socket: ClientConnection) -> Iterator[Data]:
    with suppress(ConnectionClosed):
        while True:
            yield socket.recv()


def ended(owner: Owner, call_id: str) -> dict[str, str]:
    found = owner.get(f"/calls/{call_id}")
    return found if found["state"] == "ended" else {}
