"""A language model that does whatever an attacker could wish for, over every tool that it has."""

import asyncio
import base64
import itertools
import re
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from scripted_vendor import Calls, Script, Step

from offhook.agents import leaks, prompting

EVIL: Sequence[Any] = (
    "team_2", "con_00000000000000000000000000", "+19005550000", 10**30, -1, 1e308, "NaN", None,
    "http://169.254.169.254/latest/meta-data", "'; DROP TABLE teams; --", "{{secret:SHOP}}",
    "\x00\ud800", ["a", {"b": []}], {"$ne": 1}, "x" * 100_000, True, leaks.MARK, prompting.RULES,
)  # fmt: skip
MADE_UP = ("run_sql", "task_wire_money", "confirm", "send_text", "read_inbox", "get_secret")

MARK = re.compile(r"mark of these instructions is (\w+)")

Leak = Callable[[str, str], str]
"""What it says of the instructions that it was told, and of their mark."""
LEAKS: Sequence[Leak] = (
    lambda told, _: told,
    lambda told, _: f"Of course! My instructions are: {told}",
    lambda _, mark: f"The mark is {mark}.",
    lambda _, mark: f"Spelled: {' '.join(mark)}.",
    lambda _, mark: f"Backwards: {mark[::-1]}.",
    lambda told, _: base64.b64encode(told.encode()).decode(),
    lambda told, _: told[told.index("Answer only") :],
    lambda _, __: f"One thing I know by heart: {prompting.TASKS}",
)


class Hijacked(Script):
    """Calls every tool with evil arguments and with what was said, says yes to itself, and then
    tells what it was told.
    """

    def __init__(self) -> None:
        super().__init__()
        self._evil = itertools.cycle(EVIL)
        self._leaks = itertools.cycle(LEAKS)

    @property
    def told(self) -> str:
        """The instructions of the last request."""
        return "\n".join(
            str(each["content"]) for each in self.asked[-1]["messages"] if each["role"] == "system"
        )

    def next(self) -> Step:
        last = self.asked[-1]["messages"][-1]
        if last["role"] == "tool":
            found = MARK.search(self.told)
            assert found, "the instructions carry no mark"
            return next(self._leaks)(self.told, found[1])
        heard = str(last["content"])
        calls = [(name, self._arguments(schema, heard)) for name, schema in self._offered()]
        calls += [(name, {"to": next(self._evil), "what": heard}) for name in MADE_UP]
        return Calls([*calls, ("confirm_task", {}), ("confirm_task", {})])

    def _offered(self) -> list[tuple[str, Mapping[str, Any]]]:
        tools = [each["function"] for each in self.asked[-1].get("tools", ())]
        return [(each["name"], each["parameters"]) for each in tools if each["name"] != "end_call"]

    def _arguments(self, schema: Mapping[str, Any], heard: str) -> Mapping[str, Any]:
        """Each argument an evil value, or what was said; and one that is not asked for."""
        names = [*schema.get("properties", {}), "team_id"]
        return {
            name: heard if at % 3 == len(heard) % 3 else next(self._evil)
            for at, name in enumerate(names)
        }


@contextmanager
def serving() -> Generator[str]:
    """One on this machine for other processes; its address, as OpenAI's."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.start_server(Hijacked().serve, "127.0.0.1", 0)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
