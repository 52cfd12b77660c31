"""Contacts: people, known first by their number, each belonging to one team.

    contact = await contacts.on_contact(session, team_id, e164)     # found or made, race-free (P1)
    contact = await contacts.get(session, team_id, contact_id)
    by_id = await contacts.of(session, team_id, contact_ids)

Whoever hides their number has no contact (P5). Knows no conversation: the inbox links them.
"""

from offhook.contacts.models import Contact
from offhook.contacts.service import ContactNotFound, find, get, listed, of, on_contact, rename

__all__ = [
    "Contact",
    "ContactNotFound",
    "find",
    "get",
    "listed",
    "of",
    "on_contact",
    "rename",
]
