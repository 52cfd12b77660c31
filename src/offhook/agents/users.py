"""Who uses an agent: asked before it is taken away (N7), answered by the rooms above.

`numbers` registers itself here at start-up; this room never imports it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from offhook.db import Session


@dataclass(frozen=True, slots=True)
class NumberInUse:
    """An enabled number that an agent serves."""

    number_id: str
    name: str
    e164: str


class AgentUsers(Protocol):
    """What a room that uses agents must be able to say and do, in the caller's transaction."""

    async def enabled_numbers(
        self, session: Session, team_id: str, agent_id: str
    ) -> Sequence[NumberInUse]:
        """The enabled numbers that the agent serves; locks them until the transaction ends."""
        ...

    async def disable(self, session: Session, team_id: str, numbers: Sequence[NumberInUse]) -> None:
        """Disable these numbers at once (N9)."""
        ...

    async def forget(self, session: Session, team_id: str, agent_id: str) -> None:
        """The agent is being deleted: numbers with no service on lose it (N7)."""
        ...


_users: list[AgentUsers] = []


def register(users: AgentUsers) -> None:
    """Have `users` asked from now on; called by app.py."""
    if users not in _users:
        _users.append(users)


def unregister(users: AgentUsers) -> None:
    _users.remove(users)


def registered() -> Sequence[AgentUsers]:
    return tuple(_users)
