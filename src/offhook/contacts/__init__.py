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

A room that keeps something about people registers a `Keeper` (`contacts.kept_by`): it is asked when
contacts are merged, exported, erased; one whose records can be imported, a `Taker`. Whoever hides
their number has no contact (P5). Knows no conversation: the inbox links them.
"""

from offhook.contacts.defining import AttributeNotFound, attributes, fillable
from offhook.contacts.import_contacts import Contacts
from offhook.contacts.importing import File, Taken, Taker, imports
from offhook.contacts.jobs import register as register_jobs
from offhook.contacts.keeping import ContactBusy, Keeper, Person, Told, kept_by
from offhook.contacts.models import Contact, ContactNumber
from offhook.contacts.profile import (
    Known,
    KnownValue,
    NotFillable,
    known,
    learn,
    note,
    set_by_hand,
)
from offhook.contacts.rules import Attribute, Outcome, Source, Type, ValueInvalid
from offhook.contacts.screening import Screened, block, blocked, screened, unblock
from offhook.contacts.service import (
    ContactNotFound,
    addresses,
    find,
    get,
    listed,
    numbers_of,
    of,
    on_contact,
    spelling,
)
from offhook.contacts.spreadsheet import Meant

__all__ = [
    "Attribute",
    "AttributeNotFound",
    "Contact",
    "ContactBusy",
    "ContactNotFound",
    "ContactNumber",
    "Contacts",
    "File",
    "Keeper",
    "Known",
    "KnownValue",
    "Meant",
    "NotFillable",
    "Outcome",
    "Person",
    "Screened",
    "Source",
    "Taken",
    "Taker",
    "Told",
    "Type",
    "ValueInvalid",
    "addresses",
    "attributes",
    "block",
    "blocked",
    "fillable",
    "find",
    "get",
    "imports",
    "kept_by",
    "known",
    "learn",
    "listed",
    "note",
    "numbers_of",
    "of",
    "on_contact",
    "register_jobs",
    "screened",
    "set_by_hand",
    "spelling",
    "unblock",
]
