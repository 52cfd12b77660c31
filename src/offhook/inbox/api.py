"""The inbox over REST: conversations with their filters, their turns, closing and reading."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from offhook.inbox import reading, service
from offhook.inbox.models import Channel, Conversation, Speaker, State, Turn
from offhook.inbox.reading import Filter
from offhook.teams import CurrentActor, TeamSession
from offhook.web import Page, PagingQuery, paginate

router = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])
Id = Annotated[str, Query(max_length=40)]
MAX_TURNS = 200


class ConversationOut(BaseModel):
    """One call or one SMS thread. `sender` is "" for who hides their number."""

    id: str
    channel: Channel
    number_id: str
    contact_id: str | None
    sender: str
    state: State
    reason: str
    agent_id: str | None
    agent_version: int | None
    call_id: str | None
    opened_at: datetime
    closed_at: datetime | None
    last_activity_at: datetime
    unread: bool
    person_needed: str
    preview: str
    labels: list[str]
    turns: int

    @classmethod
    def of(cls, row: Conversation) -> "ConversationOut":
        values = {name: getattr(row, name) for name in cls.model_fields if name != "turns"}
        return cls(**values, turns=row.last_sequence)


class TurnOut(BaseModel):
    """One turn; `sequence` counts from 1 without gaps."""

    id: str
    sequence: int
    speaker: Speaker
    text: str
    started_at: datetime
    ended_at: datetime | None
    status: str
    note: str
    citations: list[dict[str, Any]]
    media: list[dict[str, Any]]

    @classmethod
    def of(cls, row: Turn) -> "TurnOut":
        return cls.model_validate(row, from_attributes=True)


class Turns(BaseModel):
    """Turns in order; ask again with `after` = the last sequence."""

    turns: list[TurnOut]


@router.get("")
async def index(
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    channel: Channel | None = None,
    state: State | None = None,
    number_id: Id = "",
    agent_id: Id = "",
    contact_id: Id = "",
    unread: bool | None = None,
    person_needed: bool | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    q: Annotated[str, Query(max_length=200)] = "",
    label: Annotated[str, Query(max_length=100)] = "",
) -> Page[ConversationOut]:
    """Conversations, latest activity first. Refused calls only with `state=not_answered`."""
    wanted = Filter(
        channel=channel,
        number_id=number_id,
        agent_id=agent_id,
        contact_id=contact_id,
        state=state,
        unread=unread,
        person_needed=person_needed,
        since=since,
        until=until,
        words=q,
        label=label,
    )
    order = (Conversation.last_activity_at, Conversation.id)
    query = reading.listed(actor.team_id, wanted)
    rows, after = await paginate(session, query, paging, *order)
    return Page(items=[ConversationOut.of(row) for row in rows], next=after)


@router.get("/{conversation_id}")
async def show(conversation_id: str, actor: CurrentActor, session: TeamSession) -> ConversationOut:
    return ConversationOut.of(await service.get(session, actor.team_id, conversation_id))


@router.get("/{conversation_id}/turns")
async def turns(
    conversation_id: str,
    actor: CurrentActor,
    session: TeamSession,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    limit: Annotated[int, Query(ge=1, le=MAX_TURNS)] = MAX_TURNS,
) -> Turns:
    await service.get(session, actor.team_id, conversation_id)
    rows = await reading.turns_of(session, actor.team_id, conversation_id, after=after, limit=limit)
    return Turns(turns=[TurnOut.of(row) for row in rows])


@router.post("/{conversation_id}/close")
async def close(conversation_id: str, actor: CurrentActor, session: TeamSession) -> ConversationOut:
    """Close a thread; the next text opens it again. A live call is ended by its own address."""
    closed = await service.close_by_hand(session, actor.team_id, conversation_id)
    return ConversationOut.of(closed)


@router.post("/{conversation_id}/read")
async def read(conversation_id: str, actor: CurrentActor, session: TeamSession) -> ConversationOut:
    await service.mark_read(session, actor.team_id, conversation_id)
    return ConversationOut.of(await service.get(session, actor.team_id, conversation_id))


class Reason(BaseModel):
    """Why a person of the team should look at the conversation, in a sentence."""

    reason: str


@router.post("/{conversation_id}/person", summary="Ask for a person")
async def need_person(
    conversation_id: str, wanted: Reason, actor: CurrentActor, session: TeamSession
) -> ConversationOut:
    """Marks the conversation and announces `conversation.human_required` once."""
    marked = await service.need_person(session, actor.team_id, conversation_id, wanted.reason)
    return ConversationOut.of(marked)


@router.delete("/{conversation_id}/person", summary="A person has seen to it")
async def seen_to(
    conversation_id: str, actor: CurrentActor, session: TeamSession
) -> ConversationOut:
    return ConversationOut.of(await service.seen_to(session, actor.team_id, conversation_id))
