"""What a language model may call during one reply, and what came of it (T1, SEC9).

Each task offered is a tool of its own; every argument goes to the toolbox, which decides. Nothing
here trusts the model: a tool has no argument that names a team, a contact or a number of ours, and
what the model was told goes into none (leaks.py).
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pydantic_ai import FunctionToolCallEvent, FunctionToolResultEvent, Tool

from offhook.agents import prompting
from offhook.agents.brain import (
    Briefing,
    Channel,
    Cited,
    HandOver,
    HangUp,
    KnowledgeAway,
    Learned,
    NeedsPerson,
    Part,
    Text,
    Told,
)
from offhook.agents.leaks import Guard
from offhook.tasks import Completed, Failed, HandingOver, Offer, Refused, Step

TOLD_PASSAGES = 4
MAX_QUESTION_CHARS = 400
MAX_REASON_CHARS = 200
MAX_TOOL_NAME = 64
PREFIX = "task_"
RUNS = frozenset({"confirm_task"})
NO_PLACE = "That is no place for these instructions."


class Errands:
    """The tools of one reply and what they gathered; `parts` is told after the text."""

    def __init__(self, briefing: Briefing) -> None:
        self._briefing = briefing
        self._cited: dict[str, str] = {}
        self._steps: list[Step] = []
        self._learned: dict[str, str] = {}
        self._reason = ""
        self._ended = False
        self._open: set[str] = set()
        self._guard = Guard(prompting.GUARDED)
        self.spoke = False

    # --- the stream's side ---

    def begins(self, event: object) -> bool:
        """Whether with this event a task may have begun to run."""
        return isinstance(event, FunctionToolCallEvent) and (
            event.part.tool_name.startswith(PREFIX) or event.part.tool_name in RUNS
        )

    def watch(self, event: object) -> None:
        if isinstance(event, FunctionToolCallEvent):
            self._open.add(event.part.tool_call_id)
        elif isinstance(event, FunctionToolResultEvent):
            self._open.discard(event.tool_call_id)

    @property
    def at_work(self) -> bool:
        """Whether a tool runs: its time is not the vendor's."""
        return bool(self._open)

    @property
    def ran(self) -> bool:
        """Whether a task ran to its end in this reply."""
        return any(isinstance(each, (Completed, Failed)) for each in self._steps)

    def parts(self, news: Sequence[str]) -> list[Part]:
        """What the reply came to besides its words. `news`: runs that it was told of."""
        ended = [each for each in self._steps if isinstance(each, (Completed, Failed))]
        handing = [each for each in self._steps if isinstance(each, HandingOver)]
        found: list[Part] = []
        stand_in = self._briefing.stand_in if self._reason else None
        if handing and not self.spoke:
            found.append(Text(handing[-1].answer))
        elif stand_in is not None and not self.spoke:
            found.append(Text(stand_in.announcement))
        if self.spoke or handing:
            found += [Told(each) for each in dict.fromkeys([*news, *(e.run_id for e in ended)])]
        found += [Cited(passage_id, title) for passage_id, title in self._cited.items()]
        found += [Learned(key, value) for key, value in self._learned.items()]
        if self._reason and stand_in is None:
            found.append(NeedsPerson(self._reason))
        if handing:
            found.append(HandOver(handing[-1].run_id, handing[-1].target))
        elif stand_in is not None:
            found.append(HandOver("", stand_in.target))
        elif self._ended and self._briefing.channel is Channel.CALL:
            found.append(HangUp())
        return found

    # --- the model's side ---

    def tools(self) -> list[Tool[None]]:
        plain: list[Callable[..., Awaitable[str]]] = [self.search_knowledge, self.need_person]
        offers = self._briefing.tools.offers
        if self._briefing.channel is Channel.CALL:
            plain.append(self.end_call)
        if self._briefing.fillable:
            plain.append(self.remember)
        if offers:
            plain += [self.confirm_task, self.drop_task]
        return [*(Tool(each) for each in plain), *(self._task(each) for each in offers)]

    async def search_knowledge(self, question: str) -> str:
        """Search the business's knowledge. Ask one whole question."""
        try:
            hits = list(await self._briefing.search(question[:MAX_QUESTION_CHARS]))[:TOLD_PASSAGES]
        except KnowledgeAway:
            return "The knowledge cannot be asked just now. Say so, and offer that a person calls."
        for hit in hits:
            if hit.answerable:
                self._cited[hit.passage_id] = hit.title
        found = [f"{' > '.join(hit.headings)}: {hit.text}" for hit in hits]
        return "\n".join(found) or "The knowledge holds nothing about this."

    async def end_call(self) -> str:
        """Hang up once the goodbye has been heard."""
        self._ended = True
        return "The call ends after your goodbye."

    async def need_person(self, reason: str) -> str:
        """Have a person of the business look at this conversation; say why in one sentence."""
        plain = "" if self._guard.holds(reason) else reason.strip()[:MAX_REASON_CHARS]
        self._reason = plain or "The agent asks for a person."
        if self._briefing.stand_in is not None:
            name = self._briefing.stand_in.name
            return f"They are put through to {name} once you have said so: say it now."
        return "Noted. Say that somebody will get back to them."

    async def remember(self, attribute: str, value: str) -> str:
        """Keep what the other side said about themselves, under one of the named attributes."""
        if attribute not in {each.key for each in self._briefing.fillable}:
            return "There is no such attribute."
        if self._guard.holds(value):
            return NO_PLACE
        self._learned[attribute] = value
        return "Noted."

    async def confirm_task(self) -> str:
        """Run the task that was read back, after the other side said yes to it."""
        return self._came_to(await self._briefing.tools.confirm())

    async def drop_task(self) -> str:
        """Forget the task under way: the other side does not want it."""
        await self._briefing.tools.drop()
        return "Dropped."

    def _task(self, offer: Offer) -> Tool[None]:
        async def propose(**inputs: Any) -> str:
            if self._guard.holds(inputs):
                return self._came_to(Refused(NO_PLACE))
            return self._came_to(await self._briefing.tools.propose(offer.name, inputs))

        return Tool.from_schema(
            propose,
            name=f"{PREFIX}{offer.name}"[:MAX_TOOL_NAME],
            description=prompting.description(offer),
            json_schema=prompting.schema(offer),
        )

    def _came_to(self, step: Step) -> str:
        self._steps.append(step)
        return prompting.answer(step)
