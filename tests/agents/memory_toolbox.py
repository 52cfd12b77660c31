"""A toolbox that keeps its state in memory, for the brains' tests: the contract of
`offhook.tasks.toolbox` in full, with tasks that are functions.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from offhook.tasks import (
    Completed,
    Failed,
    Incomplete,
    Input,
    InputType,
    News,
    Offer,
    Refused,
    Step,
    Unconfirmed,
    affirms,
)

Act = Callable[[Mapping[str, Any]], Awaitable[str]]
"""Does the task; the answer to be said. A LookupError's text is why it failed."""

BOOK = Offer(
    "tsk_book", "book_table", "Book a table", "Books a table for dinner.",
    ("book a table", "make a reservation"),
    (
        Input("date", InputType.DATE, question="For which day?"),
        Input("time", InputType.TIME, question="At what time?"),
        Input("party_size", InputType.INTEGER, question="For how many people?"),
        Input("name", InputType.TEXT, required=False, question="Under which name?"),
    ),
)  # fmt: skip
STATUS = Offer(
    "tsk_status", "order_status", "Order status", "Looks up where an order is.",
    ("where is my order", "order status", "track my order"),
    (Input("order_number", InputType.INTEGER, question="What is the order number?"),),
    confirm=False,
)  # fmt: skip
CALLBACK = Offer(
    "tsk_call", "leave_message", "Leave a message", "", ("leave a message", "take a message"),
    (
        Input("message", InputType.TEXT, question="What should I pass on?"),
        Input("email", InputType.EMAIL, question="What is your e-mail address?"),
    ),
)  # fmt: skip


class MemoryToolbox:
    """`heard` is set to the other side's turn that is being answered."""

    def __init__(self, offers: Sequence[Offer], act: Act) -> None:
        self.offers = offers
        self.heard = ""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._act = act
        self._current: Incomplete | Unconfirmed | None = None
        self._fresh = False
        self._over: list[News] = []
        self._told: set[str] = set()
        self.under_way: dict[asyncio.Task[Completed | Failed], Offer] = {}

    def hears(self, text: str) -> None:
        """A later turn of the other side."""
        self.heard, self._fresh = text, False

    async def current(self) -> Incomplete | Unconfirmed | None:
        return self._current

    async def running(self) -> Sequence[Offer]:
        return list(self.under_way.values())

    async def news(self) -> Sequence[News]:
        return [each for each in self._over if each.step.run_id not in self._told]

    async def told(self, run_ids: Sequence[str]) -> None:
        self._told |= set(run_ids)

    async def propose(self, task: str, inputs: Mapping[str, Any]) -> Step:
        offer = next((each for each in self.offers if task in {each.name, each.task_id}), None)
        if offer is None:
            return Refused(f"There is no task “{task[:40]}”.")
        same = self._current is not None and self._current.offer == offer
        kept = dict(self._current.inputs) if self._current is not None and same else {}
        known = {each.name for each in offer.inputs}
        kept |= {name: value for name, value in inputs.items() if name in known}
        missing = [each for each in offer.inputs if each.required and each.name not in kept]
        if missing:
            self._current = Incomplete(offer, kept, missing[0])
            return self._current
        if not offer.confirm:
            self._current = None
            return await self._run(offer, kept)
        said = ", ".join(f"{name} {value}" for name, value in kept.items())
        self._current = Unconfirmed(offer, kept, f"{offer.title}: {said}. Is that right?")
        self._fresh = True
        return self._current

    async def confirm(self) -> Step:
        current = self._current
        if not isinstance(current, Unconfirmed):
            return Refused("There is nothing to confirm.")
        if self._fresh or not affirms(self.heard):
            return Refused("Nobody said yes to it.")
        self._current = None
        return await self._run(current.offer, dict(current.inputs))

    async def drop(self) -> None:
        self._current = None

    async def _run(self, offer: Offer, inputs: dict[str, Any]) -> Step:
        self.calls.append((offer.name, inputs))
        task = asyncio.create_task(self._do(offer, inputs, f"run_{len(self.calls)}"))
        self.under_way[task] = offer
        return await asyncio.shield(task)

    async def _do(self, offer: Offer, inputs: dict[str, Any], run_id: str) -> Completed | Failed:
        step: Completed | Failed
        try:
            step = Completed(offer, run_id, await self._act(inputs))
        except LookupError as error:
            step = Failed(offer, run_id, str(error))
        task = asyncio.current_task()
        if task is not None:
            self.under_way.pop(task, None)  # pyright: ignore[reportArgumentType]
        self._over.append(News(step, datetime.now(UTC)))
        return step
