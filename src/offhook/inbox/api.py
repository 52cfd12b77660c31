"""The inbox over REST: conversations by filters, their turns, and what is done about them."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import StreamingResponse

from offhook.db import Session
from offhook.inbox import acts, exporting, handling, listing, reading, searching, service
from offhook.inbox.acts import Act, Wish
from offhook.inbox.listing import Filter
from offhook.inbox.models import Channel, Conversation, Speaker, State, Turn
from offhook.inbox.rules import MAX_LABEL, MAX_LABELS
from offhook.teams import Actor, CurrentActor, TeamSession
from offhook.web import Page, PagingQuery, shapes

router = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])
Id = Annotated[str, Query(max_length=40)]
MAX_TURNS = 200


class ConversationOut(BaseModel):
    """One call or one SMS thread. `sender` is "" for who hides their number. `unread`: by you, or
    by this key. `taken_over_by`: who answers by hand, "" for the agent. `summary_by`: the model
    that wrote title and summary, "" when they are the conversation's own words.
    """

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
    assignee_id: str | None
    snoozed_until: datetime | None
    taken_over_by: str
    preview: str
    title: str
    summary: str
    summary_by: str
    labels: list[str]
    turns: int

    @classmethod
    def of(cls, row: Conversation, *, unread: bool) -> "ConversationOut":
        derived: dict[str, Any] = {"turns": row.last_sequence, "unread": unread}
        values = {name: getattr(row, name) for name in cls.model_fields if name not in derived}
        return cls(**(values | derived))


class TurnOut(BaseModel):
    """One turn; `sequence` counts from 1 without gaps. `author`: who of the team said it by hand.
    `reaction`: what the other side's telephone put on it.
    """

    id: str
    sequence: int
    speaker: Speaker
    author: str
    text: str
    started_at: datetime
    ended_at: datetime | None
    status: str
    note: str
    reaction: str
    citations: list[dict[str, Any]]
    media: list[dict[str, Any]]

    @classmethod
    def of(cls, row: Turn) -> "TurnOut":
        return cls.model_validate(row, from_attributes=True)


class Turns(BaseModel):
    """Turns in order; ask again with `after` = the last sequence."""

    turns: list[TurnOut]


async def _out(session: Session, actor: Actor, rows: list[Conversation]) -> list[ConversationOut]:
    by = await listing.read_by(session, actor.team_id, actor.who)
    unread = await listing.unread_of(session, actor.team_id, by, rows)
    return [ConversationOut.of(row, unread=row.id in unread) for row in rows]


async def _shown(session: Session, actor: Actor, conversation_id: str) -> ConversationOut:
    row = await service.get(session, actor.team_id, conversation_id)
    [shown] = await _out(session, actor, [row])
    return shown


def _filter(
    channel: Channel | None = None,
    state: State | None = None,
    number_id: Id = "",
    agent_id: Id = "",
    contact_id: Id = "",
    unread: bool | None = None,
    person_needed: bool | None = None,
    since: shapes.Instant | None = None,
    until: shapes.Instant | None = None,
    q: Annotated[
        str,
        Query(max_length=200, description='Words of a turn, "a phrase", -without; beginnings do.'),
    ] = "",
    label: Annotated[str, Query(max_length=MAX_LABEL)] = "",
    assignee: Annotated[str, Query(max_length=40, description="A member's id, or `nobody`.")] = "",
    snoozed: Annotated[
        bool | None, Query(description="Only what is snoozed, or only what is not; empty: both.")
    ] = None,
    taken_over: bool | None = None,
) -> Filter:
    return Filter(
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
        assignee=assignee,
        snoozed=snoozed,
        taken_over=taken_over,
    )


FilterQuery = Annotated[Filter, Depends(_filter)]


@router.get("", summary="List conversations")
async def index(
    actor: CurrentActor, session: TeamSession, paging: PagingQuery, wanted: FilterQuery
) -> Page[ConversationOut]:
    """Conversations, latest activity first. Refused calls only with `state=not_answered`.

    A search (`q`) answers first what it finds at once: for words that are common, but seldom
    together, that may be fewer conversations than `limit`, or none. There is more for as long as
    `next` is not null: it looks further back, and takes longer.
    """
    by = await listing.read_by(session, actor.team_id, actor.who)
    first = not paging.cursor
    found = await searching.page(session, actor.team_id, wanted, by, paging, first_look=first)
    return Page(items=await _out(session, actor, found.shown), next=found.after)


@router.get(
    "/export",
    summary="Export conversations",
    response_class=StreamingResponse,
    responses={200: {"content": {each: {} for each in ("text/csv", "application/json")}}},
)
async def export(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    wanted: FilterQuery,
    format: exporting.Format = exporting.Format.CSV,  # noqa: A002 - the parameter's name in the address
) -> StreamingResponse:
    """What a filter finds, with every turn: CSV, a line for each turn, or JSON; newest first."""
    return await exporting.download(request, session, actor, wanted, format)


class LabelsOut(BaseModel):
    """Every label that the team uses or has used."""

    labels: list[str]


@router.get("/labels", summary="List labels")
async def labels(actor: CurrentActor, session: TeamSession) -> LabelsOut:
    return LabelsOut(labels=list(await reading.labels(session, actor.team_id)))


@router.delete("/labels", status_code=204, summary="Forget a label")
async def forget_label(
    label: Annotated[str, Query(min_length=1, max_length=MAX_LABEL)],
    actor: CurrentActor,
    session: TeamSession,
) -> None:
    """Takes it off every conversation; it is offered no more."""
    await handling.forget_label(session, actor.team_id, label)


class ActIn(shapes.Body):
    """`value`: for `assign` a member's id or "" for nobody, for `snooze` a time with its zone, for
    `label` and `unlabel` the label, for `need_person` why.
    """

    act: Act
    ids: list[Annotated[str, Field(max_length=40)]] = Field(min_length=1, max_length=acts.MOST)
    value: str = Field(default="", max_length=400)


class RefusalOut(BaseModel):
    id: str
    code: str
    sentence: str


class ActOut(BaseModel):
    """What was done, and what was refused and why; each conversation by itself."""

    done: list[str]
    refused: list[RefusalOut]


@router.post("/acts", summary="Do something about many conversations")
async def act(wanted: ActIn, actor: CurrentActor, session: TeamSession) -> ActOut:
    wish = Wish(actor.team_id, actor.who, wanted.act, wanted.value)
    result = await acts.many(session, wanted.ids, wish)
    refused = [
        RefusalOut(id=each.conversation_id, code=each.problem.code, sentence=each.problem.sentence)
        for each in result.refused
    ]
    return ActOut(done=result.done, refused=refused)


@router.post("/read", status_code=204, summary="Mark all as read")
async def read_all(actor: CurrentActor, session: TeamSession) -> None:
    """By you, or by this key; others have their own."""
    await handling.mark_all_read(session, actor.team_id, actor.who)


@router.get("/{conversation_id}", summary="Show a conversation")
async def show(conversation_id: str, actor: CurrentActor, session: TeamSession) -> ConversationOut:
    return await _shown(session, actor, conversation_id)


@router.get("/{conversation_id}/turns", summary="List a conversation's turns")
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


@router.post("/{conversation_id}/close", summary="Close a thread")
async def close(conversation_id: str, actor: CurrentActor, session: TeamSession) -> ConversationOut:
    """The next text opens it again. A live call is ended by its own address."""
    return await _done(session, actor, conversation_id, Act.CLOSE)


@router.post("/{conversation_id}/reopen", summary="Open a closed thread again")
async def reopen(
    conversation_id: str, actor: CurrentActor, session: TeamSession
) -> ConversationOut:
    return await _done(session, actor, conversation_id, Act.REOPEN)


@router.post("/{conversation_id}/read", summary="Mark as read")
async def read(conversation_id: str, actor: CurrentActor, session: TeamSession) -> ConversationOut:
    """By you, or by this key; others have their own."""
    return await _done(session, actor, conversation_id, Act.READ)


@router.delete("/{conversation_id}/read", summary="Mark as unread")
async def unread(
    conversation_id: str, actor: CurrentActor, session: TeamSession
) -> ConversationOut:
    """A conversation in which the other side said nothing cannot be unread."""
    return await _done(session, actor, conversation_id, Act.UNREAD)


class Reason(shapes.Body):
    """Why a person of the team should look at the conversation, in a sentence."""

    reason: str


@router.post("/{conversation_id}/person", summary="Ask for a person")
async def need_person(
    conversation_id: str, wanted: Reason, actor: CurrentActor, session: TeamSession
) -> ConversationOut:
    """Marks the conversation and announces `conversation.human_required` once."""
    return await _done(session, actor, conversation_id, Act.NEED_PERSON, wanted.reason)


@router.delete("/{conversation_id}/person", summary="A person has seen to it")
async def seen_to(
    conversation_id: str, actor: CurrentActor, session: TeamSession
) -> ConversationOut:
    return await _done(session, actor, conversation_id, Act.SEEN_TO)


class AssigneeIn(shapes.Body):
    user_id: str | None = Field(max_length=40, description="A member's id; null: nobody.")


@router.put("/{conversation_id}/assignee", summary="Assign a conversation")
async def assign(
    conversation_id: str, wanted: AssigneeIn, actor: CurrentActor, session: TeamSession
) -> ConversationOut:
    return await _done(session, actor, conversation_id, Act.ASSIGN, wanted.user_id or "")


class SnoozeIn(shapes.Body):
    until: shapes.Instant = Field(description="Within the next year.")


@router.put("/{conversation_id}/snooze", summary="Snooze a conversation")
async def snooze(
    conversation_id: str, wanted: SnoozeIn, actor: CurrentActor, session: TeamSession
) -> ConversationOut:
    """It returns at its time, or when the other side says something."""
    until = wanted.until.isoformat()
    return await _done(session, actor, conversation_id, Act.SNOOZE, until)


@router.delete("/{conversation_id}/snooze", summary="Bring a conversation back")
async def wake(conversation_id: str, actor: CurrentActor, session: TeamSession) -> ConversationOut:
    return await _done(session, actor, conversation_id, Act.WAKE)


class LabelsIn(shapes.Body):
    labels: list[Annotated[str, Field(min_length=1, max_length=MAX_LABEL)]] = Field(
        max_length=MAX_LABELS
    )


@router.put("/{conversation_id}/labels", summary="Set a conversation's labels")
async def set_labels(
    conversation_id: str, wanted: LabelsIn, actor: CurrentActor, session: TeamSession
) -> ConversationOut:
    await handling.set_labels(session, actor.team_id, conversation_id, wanted.labels)
    return await _shown(session, actor, conversation_id)


async def _done(
    session: Session, actor: Actor, conversation_id: str, act: Act, value: str = ""
) -> ConversationOut:
    await acts.one(session, conversation_id, Wish(actor.team_id, actor.who, act, value))
    return await _shown(session, actor, conversation_id)
