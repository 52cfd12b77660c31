"""The hub of live news: who is told, in which order, and how streams end (I5, CM8)."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from offhook.web import ACCESS, LiveHub


def events(text: str) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for block in filter(None, text.split("\n\n")):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


async def following(stream: AsyncIterator[str]) -> list[tuple[str, Any]]:
    return events(await asyncio.wait_for(anext(stream), 30))


async def test_a_watcher_hears_its_topics_of_its_team_only() -> None:
    hub = LiveHub()
    async with aclosing(hub.stream("ours", ["a", "b"])) as stream:
        assert await following(stream) == [("ready", {})]
        hub.announce("theirs", "a")
        hub.announce("ours", "c")
        hub.announce("ours", "b")
        assert await following(stream) == [("news", {"topic": "b"})]


async def test_a_slow_reader_gets_the_newest_of_each_topic_once() -> None:
    """What waits is bounded by the topics, whatever is announced."""
    hub = LiveHub()
    async with aclosing(hub.stream("ours", ["a", "b"])) as stream:
        await following(stream)
        for number in range(1000):
            hub.push("ours", "a", {"n": number})
            hub.announce("ours", "b")
        assert await following(stream) == [
            ("data", {"topic": "a", "data": {"n": 999}}),
            ("news", {"topic": "b"}),
        ]


async def test_a_silent_stream_beats_and_is_renewed() -> None:
    hub = LiveHub()
    async with aclosing(hub.stream("ours", ["a"], beat_s=0.001, renew_s=0.01)) as stream:
        heard = [name async for text in stream for name, _ in events(text)]
    assert heard[0] == "ready"
    assert heard[-1] == "renew"
    assert set(heard[1:-1]) == {"beat"}


async def test_whoever_watches_a_team_that_somebody_left_is_asked_again() -> None:
    hub = LiveHub()
    async with (
        aclosing(hub.stream("ours", ["a"])) as ours,
        aclosing(hub.stream("theirs", ["a"])) as theirs,
    ):
        for stream in (ours, theirs):
            await following(stream)
        hub.announce("ours", ACCESS)
        hub.announce("theirs", "a")
        assert [name async for text in ours for name, _ in events(text)][-1] == "renew"
        assert await following(theirs) == [("news", {"topic": "a"})]


async def test_lost_news_make_every_page_reload() -> None:
    hub = LiveHub()
    async with aclosing(hub.stream("ours", ["a"])) as stream:
        await following(stream)
        hub.reset()
        assert await following(stream) == [("news", {"topic": "a"})]


async def test_closing_ends_every_stream() -> None:
    hub = LiveHub()
    stream = hub.stream("ours", ["a"])
    await following(stream)
    hub.close()
    assert [text async for text in stream] == []
    assert [name async for text in hub.stream("ours", ["a"]) for name, _ in events(text)] == [
        "ready"
    ]


async def test_a_source_runs_only_while_somebody_watches() -> None:
    hub = LiveHub()
    opened: list[tuple[str, str]] = []
    closed = asyncio.Event()

    async def words(team_id: str, topic: str) -> AsyncGenerator[Any, None]:
        opened.append((team_id, topic))
        try:
            yield {"text": "are you"}
            await asyncio.Event().wait()
        finally:
            closed.set()

    hub.source("words:", words)
    async with aclosing(hub.stream("ours", ["words:1"])) as first:
        await following(first)
        async with aclosing(hub.stream("ours", ["words:1"])) as second:
            assert (await following(first))[0][1]["data"] == {"text": "are you"}
            await following(second)
            assert hub.watched("ours", "words:1")
        assert not closed.is_set()
    await asyncio.wait_for(closed.wait(), 30)
    assert opened == [("ours", "words:1")]
    assert not hub.watched("ours", "words:1")


async def test_a_source_that_failed_is_opened_again_for_who_watches_next() -> None:
    """C2: while the first page stays open."""
    hub = LiveHub()

    async def words(team_id: str, topic: str) -> AsyncGenerator[Any, None]:
        opened.append(topic)
        yield {"text": "are you"}
        raise OSError

    opened: list[str] = []
    hub.source("words:", words)
    async with aclosing(hub.stream("ours", ["words:1"])) as first:
        await following(first)
        await following(first)
        async with aclosing(hub.stream("ours", ["words:1"])) as second:
            await following(second)
            assert (await following(second))[0][1]["data"] == {"text": "are you"}
    assert opened == ["words:1"] * 2
