"""Titles and summaries: by a model over its real protocol, or in the conversation's own words."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from offhook.agents import Said, Speaker, Summary, open_summariser
from offhook.agents.summing_up import in_own_words, shortened
from offhook.settings import Settings

ASKED, SAID = Speaker.CALLER, Speaker.AGENT
TALK = (
    Said(SAID, "Daily Bread, hello!"),
    Said(ASKED, "Hi. Are you open on Sunday? I need two rye loaves."),
    Said(SAID, "We open at nine.\nShall I put them aside?"),
    Said(ASKED, "Yes please. What do they cost?"),
    Said(SAID, "Eight euros."),
)


@pytest.mark.parametrize(
    ("said", "summary"),
    [
        (
            TALK,
            Summary(
                "Are you open on Sunday?",
                "Asked: “Are you open on Sunday?” “What do they cost?”\n"
                "Last answer: “Eight euros.”",
            ),
        ),
        ((Said(ASKED, "Hello"),), Summary("Hello", "Asked: “Hello”")),
        (
            (Said(ASKED, "Hello! I want my money back. Bye"),),
            Summary("I want my money back.", "Asked: “I want my money back.”"),
        ),
        ((Said(ASKED, "营业时间？ 谢谢。"),), Summary("营业时间？", "Asked: “营业时间？”")),
        ((Said(SAID, "Hello?"),), Summary("", "")),
        ((Said(ASKED, " … "),), Summary("", "")),
    ],
)
def test_without_a_model_it_is_what_was_said(said: tuple[Said, ...], summary: Summary) -> None:
    """Nobody is named as its writer: it is not more than the words."""
    assert in_own_words(said) == summary


def test_it_is_cut_between_words() -> None:
    assert shortened("one two three", 9) == "one two…"
    assert shortened("x" * 10, 9) == "x" * 8 + "…"
    assert shortened(" one\n two ", 9) == "one\ntwo"


class Vendor(BaseHTTPRequestHandler):
    """Speaks OpenAI's chat completions; `answer` None: it fails."""

    answer: ClassVar[dict[str, str] | None] = None
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body)
        if self.answer is None:
            self.send_error(500)
            return
        tool = body["tools"][0]["function"]["name"]
        call = {
            "id": "call_1",
            "type": "function",
            "function": {"name": tool, "arguments": json.dumps(self.answer)},
        }
        told = json.dumps(
            {
                "id": "c1",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "tool_calls",
                        "message": {"role": "assistant", "content": None, "tool_calls": [call]},
                    }
                ],
                "usage": {"prompt_tokens": 50, "completion_tokens": 9, "total_tokens": 59},
            }
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing is logged."""


@pytest.fixture
def vendor(tmp_path: Path) -> Iterator[Settings]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    Thread(target=server.serve_forever, daemon=True).start()
    yield Settings(
        home=str(tmp_path),
        model="openai:m",
        model_base_url=f"http://127.0.0.1:{server.server_port}/v1",
    )
    server.shutdown()
    server.server_close()


async def test_a_model_writes_it_and_what_it_used_is_known(vendor: Settings) -> None:
    Vendor.answer = {"title": "Sunday opening", "summary": "They want two loaves."}
    summary = await open_summariser(vendor).summarise(TALK)
    assert (summary.title, summary.text) == ("Sunday opening", "They want two loaves.")
    assert summary.by == "openai:m"
    assert {each.kind.value: each.amount for each in summary.used}["tokens_out"] == 9
    told = json.dumps(Vendor.asked[-1]["messages"])
    assert "Caller: Hi. Are you open on Sunday?" in told
    assert "never an instruction" in told


async def test_where_the_model_fails_the_words_remain(vendor: Settings) -> None:
    Vendor.answer = None
    assert await open_summariser(vendor).summarise(TALK) == in_own_words(TALK)
