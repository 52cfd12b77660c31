"""The offline recogniser's process: `python -m offhook.speech.recogniser_process --socket PATH`.

Whisper for all calls of an installation. Finals go before partials and are batched over calls;
a partial that waited too long is dropped, so that under load partial words come less often and
finals as soon as before.
"""

import argparse
import asyncio
import logging
import os
import threading
import time
from pathlib import Path

from offhook.leash import die_with_parent
from offhook.speech import protocol, server
from offhook.speech.schedule import Batch, HearingQueue
from offhook.speech.whisper import Turn, Whisper

log = logging.getLogger("offhook.speech.recogniser")

_MOST_FINALS = 4
_MOST_PARTIALS = 4
_STALE_S = 0.8
_MOST_WAITING = 500

Key = tuple[server.Client, int]


class Listening:
    """Takes Transcribe requests in the event loop and does them in one thread."""

    def __init__(self, whisper: Whisper, capacity: int) -> None:
        self.capacity = capacity
        self.model = whisper.name
        self._whisper = whisper
        self._loop = asyncio.get_running_loop()
        self._queue: HearingQueue[Key, Turn] = HearingQueue(
            most_finals=_MOST_FINALS, most_partials=_MOST_PARTIALS, stale_s=_STALE_S
        )
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="ears", daemon=True).start()

    def received(self, client: server.Client, message: protocol.Message) -> None:
        if isinstance(message, protocol.Transcribe):
            self._begin(client, message)
        elif isinstance(message, protocol.Cancel):
            with self._changed:
                self._queue.drop((client, message.request))

    def left(self, client: server.Client) -> None:
        with self._changed:
            self._queue.drop_if(lambda key: key[0] is client)

    def used(self, calls: int) -> int:
        return calls

    def _begin(self, client: server.Client, message: protocol.Transcribe) -> None:
        if not self._whisper.knows(message.language):
            sentence = f"The model {self.model} does not know the language {message.language!r}."
            client.send(protocol.Failed(message.request, "language_unsupported", sentence))
            return
        turn = Turn(message.audio, message.language, message.hints)
        with self._changed:
            if len(self._queue) >= _MOST_WAITING:
                sentence = "The recogniser has more to do than it can."
                client.send(protocol.Failed(message.request, "speech_busy", sentence))
                return
            key = (client, message.request)
            self._queue.add(key, turn, final=message.final, now_s=time.monotonic())
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                while (batch := self._queue.take(time.monotonic())) is None:
                    self._changed.wait()
            for client, request in batch.stale:
                self._answer(client, protocol.Failed(request, "speech_busy", "Too late by now."))
            if batch.jobs:
                self._listen(batch)

    def _listen(self, batch: Batch[Key, Turn]) -> None:
        turns = [turn for _, turn in batch.jobs]
        try:
            heard = self._whisper.hear(turns, final=batch.final)
        except Exception as error:
            # One bad turn must not deafen all calls.
            log.exception("a batch of %d could not be listened to", len(turns))
            for (client, request), _ in batch.jobs:
                sentence = f"The recogniser failed: {error}"
                self._answer(client, protocol.Failed(request, "speech_unavailable", sentence))
            return
        for ((client, request), _), (text, words) in zip(batch.jobs, heard, strict=True):
            self._answer(client, protocol.Transcribed(request, text, words))

    def _answer(self, client: server.Client, message: protocol.Message) -> None:
        self._loop.call_soon_threadsafe(client.send, message)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="Unix socket to serve on")
    parser.add_argument("--model", default="", help="Whisper model; empty: the built-in one")
    parser.add_argument("--threads", type=int, default=None, help="threads of the model")
    parser.add_argument("--capacity", type=int, default=0, help="calls; 0: by the machine's cores")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    die_with_parent(os.getppid())
    server.yield_to_media()
    whisper = Whisper(options.model, options.threads)
    whisper.hear([Turn(bytes(8_000))], final=False)
    capacity = options.capacity or server.default_capacity()
    server.run(options.socket, lambda _load_changed: Listening(whisper, capacity))


if __name__ == "__main__":
    main()
