"""A conversation in a title and a few sentences, for who has to look through many (I4).

The configured model writes them; without one, or where it fails, they are the conversation's own
words, and `Summary.by` is empty so that nobody takes them for more. Knows no conversation's row.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from offhook import costs
from offhook.agents.brain import Said, Speaker
from offhook.settings import Settings

log = logging.getLogger(__name__)
MAX_TITLE = 80
MAX_TEXT = 600
MAX_QUOTE = 160
QUOTED = 3
FEW_WORDS = 3
_SENTENCE = re.compile(r"[^.!?。！？؟\n]+[.!?。！？؟]*")
_ASKS = ("?", "？", "؟")


@dataclass(frozen=True, slots=True)
class Summary:
    """`by`: the model that wrote it; "" for the conversation's own words."""

    title: str
    text: str
    by: str = ""
    used: tuple[costs.Used, ...] = ()


class Summariser(Protocol):
    """Sums up what was said; safe to share. A vendor's failure is not raised."""

    async def summarise(self, said: Sequence[Said]) -> Summary: ...


def open_summariser(settings: Settings) -> Summariser:
    """The language model of the settings, or the conversation's own words."""
    return WithModel(settings) if settings.model else OwnWords()


class OwnWords:
    """Implements `Summariser` without a model."""

    async def summarise(self, said: Sequence[Said]) -> Summary:
        return in_own_words(said)


class WithModel:
    """Implements `Summariser`; the model's library is imported with the first one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def summarise(self, said: Sequence[Said]) -> Summary:
        from offhook.agents.model_summary import write  # noqa: PLC0415 - seconds of start-up

        try:
            written = await write(self._settings, said)
        except Exception:  # a vendor's library may raise anything; the words themselves are there
            log.exception("the language model wrote no summary")
            return in_own_words(said)
        return Summary(
            title=shortened(written.title, MAX_TITLE),
            text=shortened(written.text, MAX_TEXT),
            by=written.by,
            used=written.used,
        )


def in_own_words(said: Sequence[Said]) -> Summary:
    """What was asked, and the last answer, as they were said. Pure."""
    asked = [each for turn in said if turn.speaker is Speaker.CALLER for each in _sentences(turn)]
    if not asked:
        return Summary("", "")
    telling = [each for each in asked if each.endswith(_ASKS)] or [
        each for each in asked if len(each.split()) >= FEW_WORDS
    ]
    chosen = list(dict.fromkeys(telling or asked))[:QUOTED]
    lines = [f"Asked: {' '.join(_quoted(each) for each in chosen)}"]
    answers = [turn.text for turn in said if turn.speaker is not Speaker.CALLER and turn.text]
    if answers:
        lines.append(f"Last answer: {_quoted(answers[-1])}")
    return Summary(shortened(chosen[0], MAX_TITLE), shortened("\n".join(lines), MAX_TEXT))


def _sentences(turn: Said) -> Iterator[str]:
    for match in _SENTENCE.finditer(turn.text):
        sentence = " ".join(match.group().split())
        if any(character.isalnum() for character in sentence):
            yield sentence


def _quoted(text: str) -> str:
    return f"“{shortened(text, MAX_QUOTE)}”"


def shortened(text: str, most: int) -> str:
    """At most `most` characters, cut between words; line breaks stay."""
    clean = "\n".join(" ".join(line.split()) for line in text.strip().splitlines())
    if len(clean) <= most:
        return clean
    kept = clean[: most - 1]
    return f"{kept.rpartition(' ')[0] or kept}…"
