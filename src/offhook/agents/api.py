"""REST of agents: drafts, versions, their steps of life."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.responses import Response

from offhook import tasks
from offhook.agents import drafts, facts, playground, rules, service
from offhook.agents.models import Agent
from offhook.agents.opening import open_brain
from offhook.agents.snapshot import Snapshot, to_json
from offhook.teams import Actor, CurrentActor, OnceOnly, Role, TeamSession, require
from offhook.web import Page, PagingQuery, paginate, shapes

router = APIRouter(prefix="/api/v1/agents", tags=["agents"])
OnChannel = Annotated[str, shapes.told(maxLength=rules.MAX_CHANNEL_CHARS)]
VersionNumber = Annotated[int, Path(ge=1, le=1_000_000)]


class OptionsChange(shapes.Exact):
    silence_ms: Annotated[int, shapes.told(minimum=300, maximum=3_000)] | None = Field(
        default=None, description="Quiet that ends a turn."
    )
    interruptible: bool | None = None
    check_in_s: Annotated[int, shapes.told(minimum=5, maximum=25)] | None = None
    max_call_minutes: Annotated[int, shapes.told(minimum=1, maximum=240)] | None = None
    reply_segments: Annotated[int, shapes.told(minimum=1, maximum=10)] | None = None


class _Draft(shapes.Exact):
    instructions: Annotated[str, shapes.told(maxLength=rules.MAX_INSTRUCTIONS_CHARS)] | None = None
    call_instructions: OnChannel | None = Field(default=None, description="Only for calls.")
    sms_instructions: OnChannel | None = Field(default=None, description="Only for texts.")
    person_when: Annotated[str, shapes.told(maxLength=rules.MAX_PERSON_CHARS)] | None = Field(
        default=None,
        description="When a person is needed, a line for each case.",
    )
    greeting: Annotated[str, shapes.told(maxLength=rules.MAX_GREETING_CHARS)] | None = None
    voice: Annotated[str, shapes.told(maxLength=80)] | None = None
    language: Annotated[str, shapes.told(maxLength=10)] | None = None
    model: Annotated[str, shapes.told(maxLength=120)] | None = Field(
        default=None, description="provider:name; empty: the default."
    )
    fallback: Annotated[str, shapes.told(maxLength=rules.MAX_FALLBACK_CHARS)] | None = None
    options: OptionsChange | None = None


class AgentChange(_Draft):
    name: shapes.Name | None = None


class AgentIn(_Draft):
    name: shapes.Name


class Disabling(shapes.Exact):
    disable_numbers: bool = Field(
        default=False, description="Disable the enabled numbers that it serves in the same step."
    )


class Publishing(shapes.Exact):
    note: str = Field(default="", max_length=200, description="What is new in this version.")
    seen: datetime | None = Field(
        default=None,
        description="The draft's `updated_at` as you know it: refused if it has changed since.",
    )


class Facts(shapes.Exact):
    """What every agent of the team knows about the business."""

    text: Annotated[str, shapes.told(maxLength=rules.MAX_FACTS_CHARS)]


class MissingOut(BaseModel):
    code: str
    sentence: str


class Attempt(shapes.Exact):
    text: str = Field(min_length=1, max_length=playground.MAX_TEXT, description="What is texted.")
    state: str = Field(
        default="",
        max_length=playground.MAX_STATE,
        description="The `state` of the answer before; empty begins anew.",
    )
    real: bool = Field(
        default=False, description="Do confirmed tasks really; otherwise they are only shown."
    )


class TriedTask(BaseModel):
    """A task that the reply did or showed. `done`: it really happened."""

    model_config = ConfigDict(from_attributes=True)
    task_id: str
    title: str
    state: tasks.RunState
    done: bool = Field(validation_alias="attempts")
    inputs: dict[str, Any]
    request: dict[str, Any]
    response: str
    answer: str
    error: str


class AttemptOut(BaseModel):
    reply: str
    citations: list[playground.Citation] = Field(description="The passages that it rests on.")
    needs_person: str = Field(description="Why a person would be asked for; empty: not.")
    tasks: list[TriedTask]
    state: str = Field(description="To be sent back with the next text.")


class AgentOut(BaseModel):
    id: str
    name: str
    status: str = Field(description="draft, live or paused.")
    instructions: str
    call_instructions: str
    sms_instructions: str
    person_when: str
    greeting: str
    voice: str
    language: str
    model: str
    fallback: str
    options: dict[str, Any]
    version: int = Field(description="The published version; 0 when there is none.")
    unpublished: bool = Field(description="Whether the draft differs from what answers.")
    missing: list[MissingOut] = Field(description="What keeps it from going live.")
    created_at: datetime
    updated_at: datetime


class VersionOut(BaseModel):
    number: int
    published_at: datetime
    published_by: str
    note: str
    snapshot: dict[str, Any]


async def rehearse(
    request: Request, actor: Actor, draft: Snapshot, text: str, state: str, *, real: bool
) -> playground.Played:
    """One text to the draft. Who may not try tasks out may not have them done here either."""
    if real:
        require(Role.ADMIN)(actor)
    app = request.app.state
    if not hasattr(app, "brain"):
        app.brain = open_brain(app.settings)
    rehearsing = playground.Playground(app.database, app.brain, app.tasks, actor, draft)
    return await rehearsing.text(text, state, real=real)


async def _out(session: TeamSession, agent: Agent) -> AgentOut:
    view = await service.view(session, agent)
    computed = {"options", "missing", "unpublished"}
    shown = {each: getattr(agent, each) for each in AgentOut.model_fields if each not in computed}
    return AgentOut(
        **shown,
        options=to_json(agent.draft())["options"],
        unpublished=view.unpublished,
        missing=[MissingOut(code=each.code, sentence=each.sentence) for each in view.missing],
    )


def _changes(body: _Draft) -> dict[str, Any]:
    given = body.model_dump(exclude_none=True)
    return {key: value for key, value in given.items() if key in service.EDITABLE}


@router.post("/{agent_id}/try", summary="Text the draft")
async def try_agent(
    agent_id: str, body: Attempt, request: Request, actor: CurrentActor, session: TeamSession
) -> AttemptOut:
    """What the draft would answer and do; nothing is stored, nothing counts."""
    draft = await playground.draft(session, actor.team_id, agent_id)
    played = await rehearse(request, actor, draft, body.text, body.state, real=body.real)
    reply = played.turns[-1]
    return AttemptOut(
        reply=reply.text,
        citations=reply.citations,
        needs_person=reply.needs_person,
        tasks=[TriedTask.model_validate(played.runs[each]) for each in reply.runs],
        state=played.state,
    )


@router.get("")
async def list_agents(
    actor: CurrentActor, session: TeamSession, paging: PagingQuery
) -> Page[AgentOut]:
    """The team's agents, newest first."""
    query = select(Agent).where(Agent.team_id == actor.team_id)
    rows, following = await paginate(session, query, paging, Agent.created_at, Agent.id)
    return Page(items=[await _out(session, row) for row in rows], next=following)


@router.post("", status_code=HTTPStatus.CREATED, response_model=AgentOut)
async def create_agent(
    body: AgentIn, actor: CurrentActor, session: TeamSession, once: OnceOnly
) -> Response:
    """Create a draft."""

    async def work() -> AgentOut:
        agent = await service.create(session, actor.team_id, **_changes(body))
        return await _out(session, agent)

    return await once(work)


@router.get("/business-facts", summary="Business facts")
async def get_facts(actor: CurrentActor, session: TeamSession) -> Facts:
    """What every agent of the team knows."""
    return Facts(text=await facts.of(session, actor.team_id))


@router.put("/business-facts", summary="Set business facts")
async def set_facts(body: Facts, actor: CurrentActor, session: TeamSession) -> Facts:
    """Known to every agent from the next turn on."""
    return Facts(text=await facts.save(session, actor.team_id, body.text))


@router.get("/{agent_id}")
async def get_agent(agent_id: str, actor: CurrentActor, session: TeamSession) -> AgentOut:
    return await _out(session, await service.get(session, actor.team_id, agent_id))


@router.patch("/{agent_id}")
async def change_agent(
    agent_id: str, body: AgentChange, actor: CurrentActor, session: TeamSession
) -> AgentOut:
    """Change the draft; what answers changes when it is made live again."""
    agent = await service.update(session, actor.team_id, agent_id, **_changes(body))
    return await _out(session, agent)


@router.post("/{agent_id}/live")
async def make_agent_live(
    agent_id: str, actor: CurrentActor, session: TeamSession, body: Publishing | None = None
) -> AgentOut:
    """Publish the draft and let it answer; the error lists everything that is missing."""
    wanted = body or Publishing()
    agent = await service.make_live(
        session, actor.team_id, agent_id, by=actor.who, note=wanted.note, seen=wanted.seen
    )
    return await _out(session, agent)


@router.post("/{agent_id}/pause")
async def pause_agent(
    agent_id: str, actor: CurrentActor, session: TeamSession, body: Disabling | None = None
) -> AgentOut:
    """Stop answering; refused while it serves enabled numbers unless these are disabled too."""
    disable = body is not None and body.disable_numbers
    agent = await service.pause(session, actor.team_id, agent_id, disable_numbers=disable)
    return await _out(session, agent)


@router.post("/{agent_id}/draft")
async def return_agent_to_draft(
    agent_id: str, actor: CurrentActor, session: TeamSession, body: Disabling | None = None
) -> AgentOut:
    """Back to a draft; refused as pausing is."""
    disable = body is not None and body.disable_numbers
    agent = await service.to_draft(session, actor.team_id, agent_id, disable_numbers=disable)
    return await _out(session, agent)


@router.delete("/{agent_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_agent(
    agent_id: str, actor: CurrentActor, session: TeamSession, *, disable_numbers: bool = False
) -> Response:
    """Delete it; its sources stay with the team. Refused as pausing is."""
    await service.delete(session, actor.team_id, agent_id, disable_numbers=disable_numbers)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/{agent_id}/versions")
async def list_versions(
    agent_id: str, actor: CurrentActor, session: TeamSession
) -> list[VersionOut]:
    """What was published, newest first."""
    await service.get(session, actor.team_id, agent_id)
    rows = await service.versions(session, actor.team_id, agent_id)
    return [VersionOut.model_validate(row, from_attributes=True) for row in rows]


@router.post("/{agent_id}/versions/{number}/restore", summary="Let a version answer again")
async def restore_version(
    agent_id: str, number: VersionNumber, actor: CurrentActor, session: TeamSession
) -> AgentOut:
    """The draft becomes what that version was, and is published as a new version."""
    agent = await drafts.roll_back(session, actor.team_id, agent_id, number, by=actor.who)
    return await _out(session, agent)


@router.post(
    "/{agent_id}/duplicate",
    status_code=HTTPStatus.CREATED,
    response_model=AgentOut,
    summary="Duplicate an agent",
)
async def duplicate_agent(
    agent_id: str, actor: CurrentActor, session: TeamSession, once: OnceOnly
) -> Response:
    """A new draft with the same settings, knowledge and tasks."""

    async def work() -> AgentOut:
        return await _out(session, await drafts.duplicate(session, actor.team_id, agent_id))

    return await once(work)
