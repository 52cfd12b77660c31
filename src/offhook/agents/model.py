"""A language model as the brain: pydantic-ai, with passages and tasks as tools (decision 5).

Imported only where a model is set: pydantic-ai costs a second of start-up, and each vendor's
library another one: of those only that of the model that is asked. A vendor that refuses, stalls or
breaks is not waited for: the fallback answers instead, and what was already said is never said
again (C9). A task that runs is no stalling vendor: it is waited for. A model that recites its
instructions is cut off (SEC9).
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from pydantic_ai import Agent as Runner
from pydantic_ai import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    UserPromptPart,
)
from pydantic_ai.models import Model
from pydantic_ai.usage import RunUsage, UsageLimits

from offhook import costs
from offhook.agents import prompting
from offhook.agents.brain import (
    Brain,
    Briefing,
    NeedsPerson,
    Part,
    Said,
    Speaker,
    Text,
    Working,
)
from offhook.agents.leaks import Guard, Recital
from offhook.agents.modeltools import Errands
from offhook.settings import Settings

log = logging.getLogger(__name__)
# faults.md: failover at 3 s for telephony; LiveKit's 5 s is too long for a caller.
FIRST_TOKEN_S = 3.0
TASK_S = 90.0
"""The longest wait for tasks; each has its own, shorter time-out."""
WAITING = "(Nothing was said.)"
NOT_TOLD = "I am sorry, I cannot tell you that. Is there anything else?"
RECITED = "The agent was about to tell its instructions: somebody may be trying it out."
MOST = UsageLimits(request_limit=12, tool_calls_limit=24)
"""Of one reply: a model that goes round in circles is stopped, and the fallback answers."""


class ModelBrain:
    """Implements `Brain`; `fallback` answers where the vendor does not."""

    def __init__(
        self, settings: Settings, fallback: Brain, *, first_token_s: float = FIRST_TOKEN_S
    ) -> None:
        self._settings = settings
        self._fallback = fallback
        self._first_token_s = first_token_s
        self._models: dict[str, Model[Any]] = {}

    async def reply(self, briefing: Briefing) -> AsyncIterator[Part]:
        said = False
        errands = Errands(briefing)
        try:
            async for part in self._stream(briefing, errands):
                said = said or (isinstance(part, Text) and any(map(str.isalnum, part.delta)))
                yield part
        except Recital:
            log.warning("a reply of agent %s was cut: a recital", briefing.snapshot.agent_id)
            yield Text(f" {NOT_TOLD}" if said else NOT_TOLD)
            yield NeedsPerson(RECITED)
            said = True
        except Exception:  # a vendor's library may raise anything; the caller still hears an answer
            log.exception("the language model failed for agent %s", briefing.snapshot.agent_id)
        if not said:
            if errands.ran:  # the turn was dealt with: what is left is to tell the result
                dealt_with = [*briefing.history, Said(Speaker.AGENT, "")]
                briefing = replace(briefing, history=dealt_with)
            async for part in self._fallback.reply(briefing):
                yield part

    async def close(self) -> None:
        self._models.clear()
        await self._fallback.close()

    async def _stream(self, briefing: Briefing, errands: Errands) -> AsyncGenerator[Part]:
        runner = await self._runner(briefing, errands)
        found = await briefing.tools.news()
        *before, asked = _messages(briefing, news=prompting.news(found) if found else "")
        usage, guard = RunUsage(), Guard(prompting.GUARDED)
        try:
            async with runner.run_stream_events(
                asked[1], message_history=_history(before), usage=usage, usage_limits=MOST
            ) as events:
                async for event in self._in_time(aiter(events), errands):
                    begins = errands.begins(event)
                    if text := guard.rest() if begins else guard.say(_text(event)):
                        errands.spoke = True
                        yield Text(text)
                    if begins:
                        yield Working()
                if text := guard.rest():
                    errands.spoke = True
                    yield Text(text)
        finally:
            briefing.spent(used_of(briefing.snapshot.model or self._settings.model, usage))
        for part in errands.parts([each.step.run_id for each in found]):
            yield part

    async def _in_time(self, events: AsyncIterator[Any], errands: Errands) -> AsyncIterator[Any]:
        """The run's events; a vendor that says nothing for too long is given up."""
        while True:
            patience_s = TASK_S if errands.at_work else self._first_token_s
            async with asyncio.timeout(patience_s):
                event = await anext(events, None)
            if event is None:
                return
            errands.watch(event)
            yield event

    async def _runner(self, briefing: Briefing, errands: Errands) -> "Runner[None, str]":
        current, running = await briefing.tools.current(), await briefing.tools.running()
        tools: list[Any] = list(errands.tools())
        return Runner(
            self._model(briefing.snapshot.model or self._settings.model),
            instructions=prompting.instructions(briefing, current, running),
            tools=tools,
            model_settings={"timeout": 20.0},
        )

    def _model(self, name: str) -> "Model[Any]":
        if name not in self._models:
            self._models[name] = open_model(name, self._settings)
        return self._models[name]


def used_of(name: str, usage: RunUsage) -> list[costs.Used]:
    """What a reply used, as far as the vendor has told: a stream that is given up tells nothing.

    Tokens read from the vendor's cache are part of its count of tokens read.
    """
    vendor, model = _parts(name)
    cached = min(usage.cache_read_tokens, usage.input_tokens)
    amounts = {
        costs.Kind.TOKENS_IN: usage.input_tokens - cached,
        costs.Kind.TOKENS_CACHED: cached,
        costs.Kind.TOKENS_OUT: usage.output_tokens,
        costs.Kind.REPLIES: 1,
    }
    return [costs.Used(kind, vendor, model, amount) for kind, amount in amounts.items()]


def open_model(name: str, settings: Settings) -> "Model[Any]":
    """`provider:name`; an address of one's own is spoken to as OpenAI's chat completions."""
    provider, model = _parts(name)
    key = settings.model_api_key.get_secret_value() or "none"
    return client(provider)(model, key, settings.model_base_url or None)


def client(provider: str) -> "Callable[[str, str, str | None], Model[Any]]":
    """What makes a model of its name, key and address; the provider's library is imported here."""
    if provider == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return lambda name, key, address: AnthropicModel(
            name, provider=AnthropicProvider(api_key=key, base_url=address)
        )
    if provider in {"google", "google-gla", "gemini"}:
        from pydantic_ai.models.google import GoogleModel
        from pydantic_ai.providers.google import GoogleProvider

        return lambda name, key, address: GoogleModel(
            name, provider=GoogleProvider(api_key=key, base_url=address)
        )
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    return lambda name, key, address: OpenAIChatModel(
        name, provider=OpenAIProvider(base_url=address, api_key=key)
    )


def _parts(name: str) -> tuple[str, str]:
    """Provider and model of `provider:name`."""
    provider, colon, model = name.partition(":")
    return (provider, model) if colon else ("openai", name)


def _messages(briefing: Briefing, *, news: str) -> list[tuple[Speaker, str]]:
    """Turns as heard; the unanswered ones, and what has ended since, are one last question."""
    waiting = briefing.unanswered
    before = briefing.history[: len(briefing.history) - len(waiting)]
    turns = [(each.speaker, each.text) for each in before if each.text.strip()]
    asked = "\n".join(each for each in [*waiting, news] if each.strip())
    return [*turns, (Speaker.CALLER, asked or WAITING)]


def _history(turns: list[tuple[Speaker, str]]) -> list[ModelMessage]:
    return [
        ModelRequest(parts=[UserPromptPart(content=text)])
        if speaker is Speaker.CALLER
        else ModelResponse(parts=[TextPart(content=text)])
        for speaker, text in turns
    ]


def _text(event: object) -> str:
    if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
        return event.part.content
    if isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
        return event.delta.content_delta
    return ""
