"""Live pages: news of topics, from whoever publishes to every browser that watches.

A page names topics (`number:num_1`); the browser keeps one event stream for all its tabs. What
comes is either *news* (a topic changed: the page fetches its fragment again) or *data* (words of a
live call, passed on as they are and kept nowhere). Each stream holds at most one unsent item per
topic, the newest, so a slow reader costs nothing and misses nothing: a fragment shows the state,
not the change. Knows no database and no domain; `app.py` feeds it from the outbox's listener.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

Json = Any
Opener = Callable[[str, str], AsyncGenerator[Json, None]]

log = logging.getLogger(__name__)

BEAT_S = 5.0
"""A sign of life this often: a browser that hears none for longer connects anew."""
RENEW_S = 300.0
"""A stream lives this long; its successor is checked for sign-in again."""
MAX_TOPICS = 200
ACCESS = "access"
"""News that somebody may no longer see the team: its streams end, and who opens the next one is
asked for."""


@dataclass(eq=False, slots=True)
class _Stream:
    team_id: str
    topics: frozenset[str]
    pending: dict[str, str] = field(default_factory=dict[str, str])
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False
    renewed: bool = False

    def put(self, key: str, text: str) -> None:
        self.pending.pop(key, None)  # the newest of a topic goes to the end of the line
        self.pending[key] = text
        self.awake.set()


class LiveHub:
    """All event streams of this process."""

    def __init__(self) -> None:
        self._streams: set[_Stream] = set()
        self._openers: dict[str, Opener] = {}
        self._sources: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._closing = False

    # --- for those who have news ---

    def announce(self, team_id: str, topic: str) -> None:
        """Tell every watcher that `topic` changed. Call it after the change is committed."""
        if topic == ACCESS:
            self._renew(team_id)
        self._put(team_id, topic, "news", {"topic": topic})

    def push(self, team_id: str, topic: str, data: Json) -> None:
        """Pass `data` (JSON) on to who watches now; each item stands for itself (see module)."""
        self._put(team_id, topic, "data", {"topic": topic, "data": data})

    def watched(self, team_id: str, topic: str) -> bool:
        return any(s.team_id == team_id and topic in s.topics for s in self._streams)

    def source(self, prefix: str, opener: Opener) -> None:
        """While somebody watches a topic that starts with `prefix`, its data come from `opener`.

        `opener(team_id, topic)` is an asynchronous generator of JSON values; it is opened with the
        first watcher and closed with the last. Where it ended by itself whoever watches next has
        it opened again.
        """
        self._openers[prefix] = opener

    def reset(self) -> None:
        """News may have been lost (the listener was down): every page loads its state again."""
        for stream in self._streams:
            for topic in stream.topics:
                stream.put(f"news {topic}", _event("news", {"topic": topic}))

    def close(self) -> None:
        """End every stream, now and from now on: the process is stopping."""
        self._closing = True
        for stream in self._streams:
            stream.closed = True
            stream.awake.set()
        for task in self._sources.values():
            task.cancel()

    # --- for the route ---

    async def stream(
        self,
        team_id: str,
        topics: Iterable[str],
        *,
        beat_s: float = BEAT_S,
        renew_s: float = RENEW_S,
    ) -> AsyncGenerator[str, None]:
        """The text of one event stream: `ready` first, then news, data and beats, `renew` last."""
        stream = _Stream(team_id, frozenset(topics), closed=self._closing)
        self._streams.add(stream)
        self._open_sources(stream)
        ends = asyncio.get_running_loop().time() + renew_s
        try:
            yield _event("ready", {})
            while not stream.closed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(beat_s):
                        await stream.awake.wait()
                stream.awake.clear()
                if stream.pending:
                    ready, stream.pending = stream.pending, {}
                    yield "".join(ready.values())
                elif not stream.closed:
                    yield _event("beat", {})
                if stream.renewed or asyncio.get_running_loop().time() >= ends:
                    yield _event("renew", {})
                    return
        finally:
            self._streams.discard(stream)
            self._close_sources(stream)

    # --- inside ---

    def _put(self, team_id: str, topic: str, kind: str, body: dict[str, Json]) -> None:
        text = _event(kind, body)
        for stream in self._streams:
            if stream.team_id == team_id and topic in stream.topics:
                stream.put(f"{kind} {topic}", text)

    def _renew(self, team_id: str) -> None:
        for stream in self._streams:
            if stream.team_id == team_id:
                stream.renewed = True
                stream.awake.set()

    def _open_sources(self, stream: _Stream) -> None:
        for topic in stream.topics:
            key = (stream.team_id, topic)
            opener = self._opener(topic)
            if opener is not None and key not in self._sources and not self._closing:
                self._sources[key] = asyncio.create_task(self._pump(key, opener))

    def _close_sources(self, stream: _Stream) -> None:
        for topic in stream.topics:
            if not self.watched(stream.team_id, topic):
                task = self._sources.pop((stream.team_id, topic), None)
                if task is not None:
                    task.cancel()

    def _opener(self, topic: str) -> Opener | None:
        return next((o for p, o in self._openers.items() if topic.startswith(p)), None)

    async def _pump(self, key: tuple[str, str], opener: Opener) -> None:
        team_id, topic = key
        try:
            async with aclosing(opener(team_id, topic)) as items:
                async for data in items:
                    self.push(team_id, topic, data)
        except Exception:
            log.exception("live source of %s ended", topic)
        finally:
            if self._sources.get(key) is asyncio.current_task():
                del self._sources[key]


def _event(kind: str, body: dict[str, Json]) -> str:
    """One server-sent event (WHATWG HTML, 9.2); JSON has no raw line feed."""
    return f"event: {kind}\ndata: {json.dumps(body)}\n\n"
