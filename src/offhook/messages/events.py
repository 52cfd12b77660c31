"""What messages announce (webhooks.md)."""

from typing import ClassVar

from offhook.db import Event


class MessageEvent(Event):
    """`message_id` is ours; the text itself is read by the API."""

    message_id: str
    number_id: str
    contact_id: str | None = None


class MessageReceived(MessageEvent):
    """A text came in and was stored."""

    event: ClassVar[str] = "message.received"


class MessageRefused(MessageEvent):
    """A text came in, was kept, and gets no answer; `reason` is a code."""

    event: ClassVar[str] = "message.refused"
    reason: str


class MessageSent(MessageEvent):
    """The carrier has taken a text of ours."""

    event: ClassVar[str] = "message.sent"
    segments: int


class MessageDelivered(MessageEvent):
    """The carrier says that it arrived."""

    event: ClassVar[str] = "message.delivered"


class MessageFailed(MessageEvent):
    """The carrier refused it, could not send it, or could not deliver it."""

    event: ClassVar[str] = "message.failed"
    state: str
    error_code: int | None = None


class ContactOptedOut(Event):
    """`remote` wants nothing more from `ours`; both are telephone numbers."""

    event: ClassVar[str] = "contact.opted_out"
    ours: str
    remote: str
    source: str


class ContactOptedIn(Event):
    """`remote` takes texts from `ours` again."""

    event: ClassVar[str] = "contact.opted_in"
    ours: str
    remote: str
