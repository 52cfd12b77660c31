"""What agents announce."""

from typing import ClassVar

from offhook.db import Event


class AgentPublished(Event):
    """A version went live; conversations that begin from now on use it."""

    event: ClassVar[str] = "agent.published"
    agent_id: str
    version: int
    name: str
