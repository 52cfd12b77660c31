"""What the inbox announces."""

from typing import ClassVar

from offhook.db import Event


class ConversationStarted(Event):
    """A call was answered, or a thread opened or reopened (S8)."""

    event: ClassVar[str] = "conversation.started"
    channel: str
    number_id: str
    contact_id: str | None = None


class ConversationHumanRequired(Event):
    """A person of the team should look at this conversation (I6). `reason` is a sentence, for the
    endpoints that ask for what was said; it may quote the other side.
    """

    event: ClassVar[str] = "conversation.human_required"
    channel: str
    number_id: str
    contact_id: str | None = None
    reason: str


class ConversationEnded(Event):
    """A call ended, or a thread closed; `reason` is a code."""

    event: ClassVar[str] = "conversation.ended"
    channel: str
    number_id: str
    contact_id: str | None = None
    reason: str = ""
