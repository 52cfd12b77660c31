"""What was said in a rehearsal, told to its page turn by turn and kept nowhere else.

As in a real call's transcript, the agent's words count only as far as they were heard (C4, CM1),
and pieces that follow each other are one turn. Pure but for `tell`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from offhook.agents import Cited, Said, Speaker

Tell = Callable[[Mapping[str, Any]], None]


class Script:
    """The turns so far. `tell` hands a message to the page."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._open = False
        self._interrupted = False
        self._citations: list[dict[str, str]] = []
        self.said: list[Said] = []

    def caller(self, text: str) -> None:
        """The caller finished a turn."""
        self._open, self._citations = False, []
        self.said.append(Said(Speaker.CALLER, text))
        self._turn(Speaker.CALLER)

    def agent(self, text: str, *, interrupted: bool = False) -> None:
        """The caller heard `text` of the agent."""
        if not text:
            return
        if not self._open:
            self._open, self._interrupted = True, False
            self.said.append(Said(Speaker.AGENT, text))
        else:
            self.said[-1] = Said(Speaker.AGENT, f"{self.said[-1].text} {text}")
        self._interrupted |= interrupted
        self._turn(Speaker.AGENT)

    def cite(self, citations: Sequence[Cited]) -> None:
        """The passages that the agent's present turn rests on, or its next one (K2)."""
        if citations:
            self._citations = [
                {"passage_id": each.passage_id, "title": each.title} for each in citations
            ]
            if self._open:
                self._turn(Speaker.AGENT)

    def notice(self, text: str) -> None:
        """A line of the product's own between the bubbles."""
        self._tell({"event": "notice", "text": text})

    def _turn(self, speaker: Speaker) -> None:
        agent = speaker is Speaker.AGENT
        self._tell(
            {
                "event": "turn",
                "id": len(self.said),
                "speaker": speaker.value,
                "text": self.said[-1].text,
                "interrupted": agent and self._interrupted,
                "citations": self._citations if agent else [],
            }
        )
