"""Contacts over REST: list, read, name."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from offhook.contacts import profile, service
from offhook.contacts.models import Contact
from offhook.teams import CurrentActor, TeamSession
from offhook.web import Page, PagingQuery, paginate

router = APIRouter(prefix="/api/v1/contacts", tags=["contacts"])


class ContactOut(BaseModel):
    id: str
    e164: str
    name: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, contact: Contact) -> "ContactOut":
        return cls.model_validate(contact, from_attributes=True)


class ContactChange(BaseModel):
    """An empty name removes it."""

    name: str


@router.get("")
async def index(
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    q: Annotated[str, Query(max_length=80)] = "",
) -> Page[ContactOut]:
    """Contacts whose name or number holds `q`, newest first."""
    query = service.listed(actor.team_id, q)
    rows, after = await paginate(session, query, paging, Contact.created_at, Contact.id)
    return Page(items=[ContactOut.of(row) for row in rows], next=after)


@router.get("/{contact_id}")
async def show(contact_id: str, actor: CurrentActor, session: TeamSession) -> ContactOut:
    return ContactOut.of(await service.get(session, actor.team_id, contact_id))


@router.patch("/{contact_id}")
async def change(
    contact_id: str, wanted: ContactChange, actor: CurrentActor, session: TeamSession
) -> ContactOut:
    return ContactOut.of(
        await profile.set_by_hand(
            session, actor.team_id, contact_id, {"name": wanted.name}, set_by=actor.who
        )
    )
