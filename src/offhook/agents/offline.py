"""The answerer that needs no key: finds the passage and answers in its words (decision 7).

Says when it does not know, and offers a person (K2). Small talk, repeats and follow-up questions
are understood by rules. Implements `brain.Brain`; knows no vendor.
"""

from collections.abc import AsyncIterator

from offhook.agents.brain import Briefing, Cited, Part, Text


class OfflineBrain:
    """Implements `Brain` with rules and the knowledge search alone."""

    async def reply(self, briefing: Briefing) -> AsyncIterator[Part]:
        for question in briefing.unanswered:
            hits = await briefing.search(question)
            if hits and hits[0].answerable:
                yield Text(hits[0].text + " ")
                yield Cited(hits[0].passage_id, hits[0].title)
            else:
                yield Text(briefing.snapshot.fallback + " ")

    async def close(self) -> None:
        """Nothing is held."""
