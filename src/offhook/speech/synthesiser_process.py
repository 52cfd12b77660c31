"""The offline synthesiser's process: `python -m offhook.speech.synthesiser_process --socket PATH`.

Speaks with Piper (GPL-3), which the application itself never imports. Utterances of many calls are
interleaved piece by piece: the one that will first run out of audio is served next.
"""

import argparse
import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from offhook.leash import die_with_parent
from offhook.speech import protocol, server
from offhook.speech.piper_voice import VOICE, Voice
from offhook.speech.schedule import SpeakingQueue
from offhook.speech.sentences import pieces

log = logging.getLogger("offhook.speech.synthesiser")

_PIECE_BYTES = 4_000
"""Half a second a frame: a cancel never waits behind a long one."""

Key = tuple[server.Client, int]


class Speaking:
    """Takes Speak requests in the event loop and does them in one thread."""

    model = VOICE

    def __init__(self, voice: Voice, capacity: int, load_changed: Callable[[], None]) -> None:
        self.capacity = capacity
        self._voice = voice
        self._load_changed = load_changed
        self._loop = asyncio.get_running_loop()
        self._queue: SpeakingQueue[Key, Iterator[str]] = SpeakingQueue()
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="voice", daemon=True).start()

    def received(self, client: server.Client, message: protocol.Message) -> None:
        if isinstance(message, protocol.Speak):
            self._begin(client, message)
        elif isinstance(message, protocol.Cancel):
            with self._changed:
                self._queue.drop((client, message.request))
            self._load_changed()

    def left(self, client: server.Client) -> None:
        with self._changed:
            self._queue.drop_if(lambda key: key[0] is client)

    def used(self, calls: int) -> int:
        return len(self._queue)

    def _begin(self, client: server.Client, message: protocol.Speak) -> None:
        if message.language.split("-", maxsplit=1)[0].lower() not in self._voice.languages:
            sentence = f"The voice {VOICE} does not speak the language {message.language!r}."
            client.send(protocol.Failed(message.request, "language_unsupported", sentence))
        elif message.voice not in {"", VOICE}:
            sentence = f"There is no voice {message.voice!r}; there is {VOICE}."
            client.send(protocol.Failed(message.request, "speech_refused", sentence))
        else:
            with self._changed:
                key = (client, message.request)
                self._queue.add(key, pieces(message.text), now_s=time.monotonic())
                self._changed.notify()
            self._load_changed()

    def _work(self) -> None:
        while True:
            with self._changed:
                while (job := self._queue.take()) is None:
                    self._changed.wait()
            self._next_piece(*job)

    def _next_piece(self, key: Key, texts: Iterator[str]) -> None:
        client, request = key
        text = next(texts, None)
        try:
            spoken = b"" if text is None else self._voice.speak(text)
        except Exception as error:
            # One bad text must not silence all calls.
            log.exception("a text could not be spoken")
            answer = protocol.Failed(request, "speech_unavailable", f"The voice failed: {error}")
            self._finish(key, answer)
            return
        if text is None:
            self._finish(key, protocol.Done(request))
            return
        with self._changed:
            if key not in self._queue:
                return  # cancelled meanwhile: not one sample more
            self._queue.produced(key, len(spoken) / 8_000, now_s=time.monotonic())
        for start in range(0, len(spoken), _PIECE_BYTES):
            part = protocol.Spoken(request, spoken[start : start + _PIECE_BYTES])
            self._loop.call_soon_threadsafe(client.send, part)

    def _finish(self, key: Key, answer: protocol.Message) -> None:
        with self._changed:
            if key not in self._queue:
                return
            self._queue.drop(key)
        self._loop.call_soon_threadsafe(key[0].send, answer)
        self._load_changed()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--socket", type=Path, required=True, help="Unix socket to serve on")
    parser.add_argument("--threads", type=int, default=None, help="threads of the voice")
    parser.add_argument("--capacity", type=int, default=0, help="calls; 0: by the machine's cores")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    die_with_parent(os.getppid())
    server.yield_to_media()
    voice = Voice(options.threads)
    capacity = options.capacity or server.default_capacity()
    server.run(options.socket, lambda load_changed: Speaking(voice, capacity, load_changed))


if __name__ == "__main__":
    main()
