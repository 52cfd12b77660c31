"""What contacts announce."""

from typing import ClassVar

from offhook.db import Event


class ContactCreated(Event):
    """Somebody called or texted for the first time (P1)."""

    event: ClassVar[str] = "contact.created"
    contact_id: str
    number: str


class ContactUpdated(Event):
    """A member of the team changed the profile."""

    event: ClassVar[str] = "contact.updated"
    contact_id: str
