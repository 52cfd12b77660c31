"""Messages over REST: send one, list them, read one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from offhook.carriers import account
from offhook.errors import NotFound
from offhook.messages.media import keeping, serving
from offhook.messages.media.models import MediaState, MessageMedia
from offhook.messages.models import Direction, Message
from offhook.messages.rules import Kind, Outcome, State, Why
from offhook.messages.segments import MAX_CHARACTERS
from offhook.messages.sending import send_by_hand
from offhook.settings import Settings
from offhook.teams import CurrentActor, OnceOnly, TeamSession
from offhook.web import Page, PagingQuery, paginate, shapes

router = APIRouter(prefix="/api/v1/messages", tags=["messages"])


class MessageNotFound(NotFound):
    code = "message_not_found"


class MessageIn(shapes.Body):
    """A text to send from a number of the team."""

    number_id: str = Field(max_length=40)
    to: shapes.Phone = Field(description="E.164, or as written in the team's country.")
    body: Annotated[shapes.Text, shapes.told(maxLength=MAX_CHARACTERS)]


class MediaOut(BaseModel):
    """A file that came with a text. `content_type`: what its bytes say, once it is kept."""

    id: str
    state: MediaState
    content_type: str
    size_bytes: int

    @classmethod
    def of(cls, row: MessageMedia) -> "MediaOut":
        return cls.model_validate(row, from_attributes=True)


class MessageOut(BaseModel):
    """One text. `outcome` and `why` say what became of one that came in, `kind` why one went out;
    `contradiction` is a final state told after the one that stands.
    """

    id: str
    direction: Direction
    kind: Kind | None
    number_id: str
    conversation_id: str
    contact_id: str | None
    ours: str
    remote: str
    body: str
    encoding: str
    segments: int
    state: State
    error_code: int | None
    contradiction: State | None
    outcome: Outcome | None
    why: Why | None
    created_at: datetime
    accepted_at: datetime | None
    ended_at: datetime | None
    media: list[MediaOut] = []

    @classmethod
    def of(cls, message: Message, files: Sequence[MessageMedia] = ()) -> "MessageOut":
        told = cls.model_validate(message, from_attributes=True)
        told.media = [MediaOut.of(each) for each in files]
        return told


@router.post("", status_code=201, response_model=MessageOut)
async def send(
    request: Request, wanted: MessageIn, actor: CurrentActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Queue a text; its state moves on as the carrier reports. Counts one message."""
    settings = cast("Settings", request.app.state.settings)

    async def work() -> MessageOut:
        message = await send_by_hand(
            session,
            actor.team_id,
            number_id=wanted.number_id,
            to=wanted.to,
            body=wanted.body,
            country=actor.country,
            account_id=account(settings).sid,
            author=actor.email,
        )
        return MessageOut.of(message)

    return await once(work)


@router.get("")
async def index(
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    number_id: Annotated[str, Query(max_length=40)] = "",
    conversation_id: Annotated[str, Query(max_length=40)] = "",
    direction: Direction | None = None,
) -> Page[MessageOut]:
    """Messages, newest first."""
    query = select(Message).where(Message.team_id == actor.team_id, Message.state != State.DRAFT)
    if number_id:
        query = query.where(Message.number_id == number_id)
    if conversation_id:
        query = query.where(Message.conversation_id == conversation_id)
    if direction is not None:
        query = query.where(Message.direction == direction)
    rows, after = await paginate(session, query, paging, Message.created_at, Message.id)
    files = await keeping.of_messages(session, actor.team_id, [row.id for row in rows])
    return Page(items=[MessageOut.of(row, files.get(row.id, ())) for row in rows], next=after)


@router.get("/{message_id}")
async def show(message_id: str, actor: CurrentActor, session: TeamSession) -> MessageOut:
    message = await session.scalar(
        select(Message).where(
            Message.team_id == actor.team_id,
            Message.id == message_id,
            Message.state != State.DRAFT,
        )
    )
    if message is None:
        raise MessageNotFound(
            f"There is no message “{message_id[:40]}”.", remedy="Take an id from the list."
        )
    files = await keeping.of_messages(session, actor.team_id, [message.id])
    return MessageOut.of(message, files.get(message.id, ()))


@router.get("/{message_id}/media/{media_id}", response_class=Response)
async def media(
    message_id: str, media_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    """The bytes of a file that came with a text."""
    found = await keeping.get(session, actor.team_id, media_id)
    if found.message_id != message_id:
        raise MessageNotFound(
            f"There is no such file with “{message_id[:40]}”.",
            remedy="Take both ids from the list.",
        )
    return serving.response(found)
