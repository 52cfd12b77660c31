"""Other rooms that keep something about a person: they are asked at a merge, an export, an erasure.

A room above registers its `Keeper` in app.py (`contacts.kept_by`). All three happen in one
transaction with what this room does itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import select

from offhook import phone
from offhook.contacts.models import Contact, ContactNumber
from offhook.db import Session
from offhook.errors import Conflict

Told = Mapping[str, Sequence[Mapping[str, Any]]]
"""Sections of an export, each a list of JSON objects."""


class ContactBusy(Conflict):
    """Something with this contact is going on, which has to end first."""

    code = "contact_busy"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom it is about: the contact with those that were merged into it, and every spelling of
    every number, since a call that was refused made nobody a contact.
    """

    contact_ids: tuple[str, ...]
    numbers: tuple[str, ...]


class Keeper(Protocol):
    """A room that keeps something about contacts. Each method sees one team's rows only."""

    async def moved(self, session: Session, team_id: str, source: str, target: str) -> None:
        """Contact `source` became a part of `target`: what names it names that one from now on."""
        ...

    async def told(self, session: Session, team_id: str, person: Person) -> Told:
        """Everything kept about `person`, the same each time that nothing has changed."""
        ...

    async def erased(self, session: Session, team_id: str, person: Person) -> Mapping[str, int]:
        """Erase it; how many of each kind. What a ledger needs stays without a name, number or
        word of the person. Raises ContactBusy while something with them is going on.
        """
        ...


_keepers: list[Keeper] = []


def kept_by(keeper: Keeper) -> None:
    """Register a room's keeper; asked in the order of registration."""
    if type(keeper) not in map(type, _keepers):
        _keepers.append(keeper)


def keepers() -> Sequence[Keeper]:
    return tuple(_keepers)


async def person_of(session: Session, contact: Contact) -> Person:
    merged = await session.scalars(
        select(Contact.id)
        .where(Contact.team_id == contact.team_id, Contact.merged_into == contact.id)
        .order_by(Contact.id)
    )
    numbers = await session.scalars(
        select(ContactNumber.canonical)
        .where(ContactNumber.team_id == contact.team_id, ContactNumber.contact_id == contact.id)
        .order_by(ContactNumber.canonical)
    )
    spelled = [each for number in numbers for each in phone.spellings(number)]
    return Person((contact.id, *merged), tuple(spelled))
