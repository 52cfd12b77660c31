"""What every brain keeps, offline or a language model, and what a failing vendor does (C9)."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from offhook.agents import Briefing, Channel, Cited, HangUp, Part, Said, Snapshot, Speaker, Text
from offhook.agents.brain import Brain
from offhook.agents.offline import OfflineBrain
from offhook.costs import Used
from offhook.knowledge import Hit, Kind
from offhook.settings import Settings

RYE = Hit("psg_1", "src_1", "Prices", Kind.ROW, "Rye: price 4.80", ("Bread",),
          (("Loaf", "Rye"), ("Price", "4.80")), 0.9, answerable=True)  # fmt: skip


async def search(question: str) -> Sequence[Hit]:
    return [RYE] if "rye" in question.lower() else []


def briefing(*turns: str, channel: Channel = Channel.CALL) -> Briefing:
    """Caller and agent in turn, ending with the caller."""
    first = len(turns) % 2
    said = [
        Said(Speaker.CALLER if at % 2 != first else Speaker.AGENT, text)
        for at, text in enumerate(turns, 0)
    ]
    return Briefing("team_1", Snapshot("agt_1", 1, "Baker"), channel, said, search)


async def parts(brain: Brain, asked: Briefing) -> list[Part]:
    return [part async for part in brain.reply(asked)]


def text(found: Sequence[Part]) -> str:
    return "".join(part.delta for part in found if isinstance(part, Text))


def chunk(delta: dict[str, object], finish: str | None = None) -> bytes:
    body = {
        "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }  # fmt: skip
    return f"data: {json.dumps(body)}\n\n".encode()


USAGE = (
    b'data: {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", '
    b'"choices": [], "usage": {"prompt_tokens": 120, "completion_tokens": 9, "total_tokens": 129, '
    b'"prompt_tokens_details": {"cached_tokens": 100}}}\n\n'
)


class Vendor:
    """A server that speaks OpenAI's chat completions, streamed; `mode` is how it fails."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.asked: list[dict[str, object]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        self.asked.append(json.loads(await reader.readexactly(size)))
        try:
            await self._answer(writer)
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        if self.mode == "429":
            writer.write(
                b"HTTP/1.1 429 Too Many\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
            )
            return
        head = b"content-type: text/event-stream\r\nconnection: close\r\n\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\n" + head)
        if self.mode == "stall":
            await writer.drain()
            await asyncio.sleep(30)
        elif self.mode == "garbage":
            writer.write(b"data: {nonsense\n\n")
        elif len(self.asked) == 1 and self.mode != "cut":
            call = {"index": 0, "id": "t1", "type": "function", "function": {
                "name": "search_knowledge", "arguments": '{"question": "rye price"}'}}  # fmt: skip
            writer.write(chunk({"role": "assistant", "tool_calls": [call]}))
            writer.write(chunk({}, "tool_calls") + b"data: [DONE]\n\n")
        else:
            writer.write(chunk({"role": "assistant", "content": "The rye "}))
            if self.mode != "cut":
                writer.write(chunk({"content": "costs 4.80."}))
                writer.write(chunk({}, "stop") + USAGE + b"data: [DONE]\n\n")
        await writer.drain()


@asynccontextmanager
async def vendor(mode: str) -> AsyncGenerator[tuple[Brain, Vendor]]:
    from offhook.agents.model import ModelBrain

    stand_in = Vendor(mode)
    server = await asyncio.start_server(stand_in.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(model="openai:m", model_base_url=f"http://127.0.0.1:{port}/v1")
    brain = ModelBrain(settings, OfflineBrain(), first_token_s=1.0)
    try:
        yield brain, stand_in
    finally:
        await brain.close()
        server.close()


@pytest.mark.parametrize("kind", ["offline", "model"])
async def test_every_brain_answers_from_the_passage_and_names_it_k2(kind: str) -> None:
    asked = briefing("How much is the rye?")
    async with vendor("good") as (model, _):
        found = await parts(model if kind == "model" else OfflineBrain(), asked)
    assert "4.80" in text(found)
    assert [part for part in found if isinstance(part, Cited)] == [Cited("psg_1", "Prices")]


@pytest.mark.parametrize("mode", ["429", "stall", "garbage"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_a_vendor_that_fails_is_replaced_by_the_offline_answerer_c9(mode: str) -> None:
    async with vendor(mode) as (brain, _):
        found = await parts(brain, briefing("How much is the rye?"))
    assert text(found) == "The rye costs 4.80."


async def test_a_stream_cut_after_words_were_said_repeats_nothing_c9() -> None:
    async with vendor("cut") as (brain, _):
        found = await parts(brain, briefing("How much is the rye?"))
    assert text(found).strip() == "The rye"


async def test_the_model_is_told_only_what_was_heard_cm1() -> None:
    async with vendor("good") as (brain, stand_in):
        await parts(brain, briefing("Hello?", "Good mor", "How much is the rye?"))
    sent = json.dumps(stand_in.asked[0])
    assert "Good mor" in sent
    assert "Good morning" not in sent


async def test_offline_repeats_only_what_was_heard_cm1() -> None:
    said = briefing("Hi", "We are", "What did you just ask me?")
    assert "not asked" in text(await parts(OfflineBrain(), said))


async def test_a_goodbye_hangs_up_on_calls_and_never_by_text() -> None:
    for channel, ends in ((Channel.CALL, True), (Channel.SMS, False)):
        found = await parts(OfflineBrain(), briefing("Bye!", channel=channel))
        assert text(found)
        assert any(isinstance(part, HangUp) for part in found) is ends


@pytest.mark.parametrize("heard", ["", "...", "😀", "Is there a pool?"])
async def test_something_is_always_said(heard: str) -> None:
    assert any(each.isalnum() for each in text(await parts(OfflineBrain(), briefing(heard))))


def test_importing_agents_imports_no_vendor() -> None:
    script = "import sys, offhook.agents; print([m for m in sys.modules if m == 'pydantic_ai'])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


async def test_what_a_reply_used_is_told_also_by_the_fallback() -> None:
    """Tokens as the vendor counts them, its cache apart; the built-in answerer by the reply."""
    for mode, expected in (
        ("good", {"tokens_in": 20, "tokens_cached": 100, "tokens_out": 9, "replies": 1}),
        ("429", {"tokens_in": 0, "tokens_cached": 0, "tokens_out": 0, "replies": 2}),
    ):
        told: list[Used] = []
        async with vendor(mode) as (brain, _):
            await parts(brain, replace(briefing("How much is the rye?"), spent=told.extend))
        amounts: Counter[str] = Counter()
        for each in told:
            amounts[each.kind] += each.amount
        assert dict(amounts) == expected
        assert {each.vendor for each in told} <= {"openai", "offline"}
