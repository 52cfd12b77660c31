"""What a caller meets outside the hours: a sentence, a message to leave, or a person (C5's quiet
neighbours of an agent).

The agent's voice and language, not its brain: nothing is answered, no task runs.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import cache

import numpy as np

from offhook import costs, media
from offhook.agents import Briefing, HangUp, NeedsPerson, Part, Snapshot, Text
from offhook.calls.manners.rules import Answers, Manners
from offhook.calls.phrases import Phrases, phrases

MAX_MINUTES = 3
MESSAGE_SILENCE_MS = 2_500  # who leaves a message pauses to think
BEEP_HERTZ, BEEP_MS = 1_000, 350


def as_answered(snapshot: Snapshot, manners: Manners, answers: Answers) -> Snapshot:
    """The snapshot whose greeting is what this caller hears first."""
    words = phrases(snapshot.language)
    closed = manners.closed_sentence or words.closed
    match answers:
        case Answers.AGENT:
            greeting = f"{words.says_ai} {snapshot.greeting}".strip()
            return replace(snapshot, greeting=greeting) if manners.says_ai else snapshot
        case Answers.SENTENCE:
            return _short(snapshot, closed)
        case Answers.MESSAGE:
            return _short(snapshot, f"{closed} {words.leave_message}")
        case Answers.FORWARD:
            return replace(
                snapshot, greeting=f"{manners.closed_sentence} {words.forwarding}".strip()
            )


def _short(snapshot: Snapshot, greeting: str) -> Snapshot:
    minutes = min(snapshot.options.max_call_minutes, MAX_MINUTES)
    options = replace(snapshot.options, max_call_minutes=minutes)
    return replace(snapshot, greeting=greeting, options=options)


class MessageTaker:
    """Implements `Brain`: whatever the caller said is the message."""

    def __init__(self, words: Phrases) -> None:
        self._words = words

    async def reply(self, briefing: Briefing) -> AsyncIterator[Part]:
        briefing.spent([costs.Used(costs.Kind.REPLIES, "offline", "message taker", 1)])
        yield Text(self._words.message_taken)
        yield NeedsPerson("A message was left outside the hours.")
        yield HangUp()

    async def close(self) -> None:
        """Nothing is held."""


@cache
def beep() -> bytes:
    """The tone after which a caller speaks: mu-law, 8 kHz."""
    time = np.arange(BEEP_MS * 8) / 8_000
    swell = np.minimum(1, np.minimum(time, time[::-1]) * 100)
    wave = 8_000 * np.sin(2 * np.pi * BEEP_HERTZ * time) * swell
    return media.codec.encode_mulaw(wave.astype(np.int16)).tobytes()
