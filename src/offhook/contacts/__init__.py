"""Contacts: people, known first by a number, each belonging to one team.

    contact = await contacts.on_contact(session, team_id, e164)     # found or made, race-free (P1)
    contact = await contacts.get(session, team_id, contact_id)      # or whom it was merged into
    by_id = await contacts.of(session, team_id, contact_ids)
    if await contacts.screened(session, team_id, sender.e164): ...  # blocked, or hides (P5, P7)

For an agent's brain (P3, P4):

    known = await contacts.known(session, team_id, contact_id)      # .name .values .notes .blocked
    for each in await contacts.fillable(session, team_id): ...      # .key .label .type .choices
    outcome = await contacts.learn(session, team_id, contact_id, "email", "ann@example.com",
                                   conversation_id, turn_id)        # Outcome.KEPT: set by hand

Whoever hides their number has no contact (P5). Knows no conversation: the inbox links them.
"""

from offhook.contacts.attributes import AttributeNotFound, attributes, fillable
from offhook.contacts.models import Contact, ContactNumber
from offhook.contacts.profile import (
    Known,
    KnownValue,
    NotFillable,
    Outcome,
    known,
    learn,
    note,
    set_by_hand,
)
from offhook.contacts.rules import Attribute, Source, Type, ValueInvalid
from offhook.contacts.screening import Screened, block, screened, unblock
from offhook.contacts.service import (
    ContactNotFound,
    find,
    get,
    listed,
    numbers_of,
    of,
    on_contact,
    spelling,
)

__all__ = [
    "Attribute",
    "AttributeNotFound",
    "Contact",
    "ContactNotFound",
    "ContactNumber",
    "Known",
    "KnownValue",
    "NotFillable",
    "Outcome",
    "Screened",
    "Source",
    "Type",
    "ValueInvalid",
    "attributes",
    "block",
    "fillable",
    "find",
    "get",
    "known",
    "learn",
    "listed",
    "note",
    "numbers_of",
    "of",
    "on_contact",
    "screened",
    "set_by_hand",
    "spelling",
    "unblock",
]
