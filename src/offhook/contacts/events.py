"""What contacts announce."""

from typing import ClassVar

from offhook.db import Event


class ContactCreated(Event):
    """Somebody called or texted for the first time, or was added or imported (P1). `number` is for
    the endpoints that ask for what was said.
    """

    event: ClassVar[str] = "contact.created"
    contact_id: str
    number: str


class ContactUpdated(Event):
    """What is known of a contact changed.

    `changed` names the keys, `numbers` for its telephone numbers; `source` says who did it:
    `hand`, `import`, `agent` or `caller_id`. `merged` is the contact that became a part of it.
    """

    event: ClassVar[str] = "contact.updated"
    contact_id: str
    changed: tuple[str, ...] = ()
    source: str = "hand"
    merged: str | None = None
