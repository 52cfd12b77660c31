"""A vendor of language models that follows a script: OpenAI's chat completions, streamed."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from offhook.agents.offline import OfflineBrain
from offhook.settings import Settings

if TYPE_CHECKING:  # it takes seconds, and most workers run no test of it
    from offhook.agents.model import ModelBrain


@dataclass(frozen=True)
class Calls:
    """One step of the model: tools by name with their arguments."""

    tools: Sequence[tuple[str, Mapping[str, Any]]]


Step = str | Calls


class Script:
    """What the model does, step by step; afterwards it says `rest`. `asked` is what it was told."""

    def __init__(self, *steps: Step, rest: str = "All right.") -> None:
        self.steps = deque(steps)
        self.rest = rest
        self.asked: list[dict[str, Any]] = []

    @property
    def tools(self) -> set[str]:
        """The tools that the model was offered last."""
        return {each["function"]["name"] for each in self.asked[-1].get("tools", ())}

    @property
    def answers(self) -> list[str]:
        """What tools answered, as the model was last told."""
        return [each["content"] for each in self.asked[-1]["messages"] if each["role"] == "tool"]

    @property
    def system(self) -> str:
        return "\n".join(
            str(each["content"]) for each in self.asked[0]["messages"] if each["role"] == "system"
        )

    def next(self) -> Step:
        """What the model does now that it was asked for the last time."""
        return self.steps.popleft() if self.steps else self.rest

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        )
        self.asked.append(json.loads(await reader.readexactly(size)))
        step = self.next()
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        )
        if isinstance(step, Calls):
            calls = [
                {"index": at, "id": f"t{len(self.asked)}_{at}", "type": "function",
                 "function": {"name": name, "arguments": json.dumps(arguments)}}
                for at, (name, arguments) in enumerate(step.tools)
            ]  # fmt: skip
            writer.write(chunk({"role": "assistant", "tool_calls": calls}))
            writer.write(chunk({}, "tool_calls"))
        else:
            writer.write(chunk({"role": "assistant", "content": step}) + chunk({}, "stop"))
        writer.write(b"data: [DONE]\n\n")
        await writer.drain()
        writer.close()


def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    body = {
        "id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }  # fmt: skip
    return f"data: {json.dumps(body)}\n\n".encode()


@asynccontextmanager
async def scripted(script: Script, *, first_token_s: float = 5.0) -> AsyncGenerator["ModelBrain"]:
    """A model brain whose vendor follows the script."""
    from offhook.agents.model import ModelBrain

    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Settings(model="openai:m", model_base_url=f"http://127.0.0.1:{port}/v1")
    brain = ModelBrain(settings, OfflineBrain(), first_token_s=first_token_s)
    try:
        yield brain
    finally:
        await brain.close()
        server.close()
