"""REST of tasks: definitions, who may do them, their runs, trying one out, and the secrets."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field, JsonValue
from sqlalchemy import select
from starlette.responses import Response

from offhook.tasks import kinds, mcp_kind, records, secret_store, service, trying
from offhook.tasks.models import Task, TaskRun
from offhook.tasks.rules import DEFAULT_MONEY, MAX_MONEY, Effect, RunState
from offhook.tasks.running import Runner
from offhook.tasks.toolbox import InputType
from offhook.teams import AdminActor, CurrentActor, OnceOnly, TeamSession, identify
from offhook.web import Page, PagingQuery, paginate, shapes

router = APIRouter(prefix="/api/v1", tags=["tasks"])


class InputBody(shapes.Exact):
    """One input that the agent takes from the conversation."""

    name: str = Field(max_length=40, examples=["party_size"])
    type: InputType
    required: bool = True
    description: str = Field(default="", max_length=300)
    question: str = Field(default="", max_length=200, examples=["For how many people?"])
    choices: list[str] = Field(default=[], max_length=50)
    minimum: float | None = Field(default=None, allow_inf_nan=False)
    maximum: float | None = Field(default=None, allow_inf_nan=False)
    proof: bool = Field(
        default=False, description="Only they know it, and the other system checks it."
    )


class TaskFields(shapes.Exact):
    """What can be said of every task."""

    name: str = Field(default="", max_length=64, description="A slug; empty: from the title.")
    description: str = Field(default="", max_length=1_000, description="When to use it.")
    inputs: list[InputBody] = Field(default=[], max_length=20)
    phrases: list[str] = Field(
        default=[], max_length=30, description="Words by which people ask for it."
    )
    readback: str = Field(
        default="",
        max_length=400,
        description="What is said before it runs, with {{input}}; empty: made from the inputs.",
    )
    confirm: bool | None = Field(
        default=None,
        description="Ask for a yes first. Tasks that act or write to somebody mostly do anyway.",
    )
    personal: bool = Field(
        default=False,
        description="Tells or changes their own data: with `by_code`, or one input is a proof.",
    )
    by_code: bool = Field(
        default=False,
        description="Whose data it is proves it by a code that is texted to their number.",
    )
    timeout_s: int = Field(default=15, ge=1, le=60)
    max_runs: int = Field(default=3, ge=1, le=20, description="In one conversation within a day.")
    max_money: int = Field(
        default=DEFAULT_MONEY,
        ge=1,
        le=MAX_MONEY,
        description="What its inputs of type `money` may come to in one conversation within a day.",
    )


class TaskIn(TaskFields):
    kind: str = Field(max_length=20, examples=["http"])
    title: str = Field(max_length=80, examples=["Order status"])
    config: dict[str, JsonValue] = Field(description="The kind's settings; see /api/v1/task-kinds.")


class TaskChange(shapes.Exact):
    name: str | None = Field(default=None, max_length=64)
    title: str | None = Field(default=None, max_length=80)
    description: str | None = Field(default=None, max_length=1_000)
    config: dict[str, JsonValue] | None = None
    inputs: list[InputBody] | None = Field(default=None, max_length=20)
    phrases: list[str] | None = Field(default=None, max_length=30)
    readback: str | None = Field(default=None, max_length=400)
    confirm: bool | None = None
    personal: bool | None = None
    by_code: bool | None = None
    timeout_s: int | None = Field(default=None, ge=1, le=60)
    max_runs: int | None = Field(default=None, ge=1, le=20)
    max_money: int | None = Field(default=None, ge=1, le=MAX_MONEY)


class UseOut(BaseModel):
    agent_id: str
    channels: list[str]


class TaskOut(BaseModel):
    id: str
    kind: str
    name: str
    title: str
    description: str
    config: dict[str, Any]
    inputs: list[dict[str, Any]]
    phrases: list[str]
    readback: str
    effect: Effect
    confirm: bool
    personal: bool
    by_code: bool
    timeout_s: int
    max_runs: int
    max_money: int
    agents: list[UseOut]
    created_at: datetime
    updated_at: datetime


class Channels(shapes.Exact):
    channels: list[Literal["call", "sms"]] = Field(max_length=2, description="None: not at all.")


class KindOut(BaseModel):
    """A kind of task; `config` is the JSON schema of its settings."""

    name: str
    title: str
    description: str
    channels: list[str]
    config: dict[str, Any]


class RunOut(BaseModel):
    """One run. `request` and `response` hold no secrets."""

    id: str
    task_id: str
    task: str = Field(validation_alias="task_name")
    title: str
    kind: str
    conversation_id: str
    agent_id: str
    channel: str
    state: RunState
    inputs: dict[str, Any]
    readback: str
    request: dict[str, Any]
    response: str
    answer: str
    error: str
    attempts: int
    proposed_at: datetime
    confirmed_at: datetime | None
    ended_at: datetime | None


class Trial(shapes.Exact):
    inputs: dict[str, JsonValue] = Field(default={}, description="Values for its inputs.")
    send: bool = Field(default=False, description="Really send it; otherwise it is only rendered.")


class TrialOut(BaseModel):
    """What a request looks like with these inputs, and what came of sending it."""

    problems: dict[str, str]
    request: dict[str, Any]
    sent: bool
    completed: bool
    answer: str
    response: str
    error: str


class SecretIn(shapes.Exact):
    name: Annotated[str, shapes.told(pattern="^[A-Za-z][A-Za-z0-9_]{0,39}$")] = Field(
        max_length=40, examples=["BOOKING_KEY"]
    )
    value: Annotated[str, shapes.told(minLength=4)] = Field(max_length=4_000)


class SecretOut(BaseModel):
    """A secret without its value, which is never shown."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime


def runner(request: Request) -> Runner:
    return cast("Runner", request.app.state.tasks)


async def _out(session: TeamSession, rows: Sequence[Task]) -> list[TaskOut]:
    uses = await service.uses(session, rows[0].team_id) if rows else {}
    hidden = {"agents", "effect"}
    return [
        TaskOut(
            **{name: getattr(row, name) for name in TaskOut.model_fields if name not in hidden},
            effect=service.effect_of(row),
            agents=[
                UseOut(agent_id=each.agent_id, channels=list(each.channels))
                for each in uses.get(row.id, ())
            ],
        )
        for row in rows
    ]


@router.get("/task-kinds", dependencies=[Depends(identify)], summary="List the kinds of tasks")
async def list_kinds() -> list[KindOut]:
    return [
        KindOut(
            name=each.name,
            title=each.title,
            description=each.description,
            channels=list(each.channels),
            config=each.config.model_json_schema(),
        )
        for each in kinds.registered()
    ]


@router.get("/tasks", summary="List tasks")
async def list_tasks(
    actor: CurrentActor, session: TeamSession, paging: PagingQuery
) -> Page[TaskOut]:
    """The team's tasks, newest first."""
    query = select(Task).where(Task.team_id == actor.team_id)
    rows, following = await paginate(session, query, paging, Task.created_at, Task.id)
    return Page(items=await _out(session, rows), next=following)


@router.post(
    "/tasks", status_code=HTTPStatus.CREATED, response_model=TaskOut, summary="Create a task"
)
async def create_task(
    body: TaskIn, actor: AdminActor, session: TeamSession, once: OnceOnly
) -> Response:
    """Make a task; agents get it with `PUT /tasks/{id}/agents/{agent_id}`."""

    async def work() -> TaskOut:
        task = await service.create(
            session, actor.team_id, **body.model_dump(mode="json", exclude_none=True)
        )
        return (await _out(session, [task]))[0]

    return await once(work)


@router.get("/tasks/{task_id}", summary="Get a task")
async def get_task(task_id: str, actor: CurrentActor, session: TeamSession) -> TaskOut:
    return (await _out(session, [await service.get(session, actor.team_id, task_id)]))[0]


@router.patch("/tasks/{task_id}", summary="Change a task")
async def change_task(
    task_id: str, body: TaskChange, actor: AdminActor, session: TeamSession
) -> TaskOut:
    """Change what is given. What was read back before is read back again before it runs."""
    changes = body.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return (
        await _out(session, [await service.update(session, actor.team_id, task_id, **changes)])
    )[0]


@router.delete("/tasks/{task_id}", status_code=HTTPStatus.NO_CONTENT, summary="Delete a task")
async def delete_task(task_id: str, actor: AdminActor, session: TeamSession) -> Response:
    """Forget a task; the records of its runs stay."""
    await service.delete(session, actor.team_id, task_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/tasks/{task_id}/try", summary="Try a task out")
async def try_task(
    task_id: str, body: Trial, request: Request, actor: AdminActor, session: TeamSession
) -> TrialOut:
    """Render its request with these inputs, and send it where asked: it then really happens."""
    task = await service.get(session, actor.team_id, task_id)
    tried = await trying.attempt(runner(request), task, body.inputs, actor, send=body.send)
    return TrialOut.model_validate(tried, from_attributes=True)


@router.post("/tasks/{task_id}/renewal", summary="Take an MCP tool as it is now")
async def renew_task(
    task_id: str, request: Request, actor: AdminActor, session: TeamSession
) -> TaskOut:
    """Ask the server what the task's tool looks like now. A tool that changed is not called."""
    task = await mcp_kind.renew(runner(request).means, session, actor.team_id, task_id)
    return (await _out(session, [task]))[0]


@router.put(
    "/tasks/{task_id}/agents/{agent_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Let an agent do a task",
)
async def use_task(
    task_id: str, agent_id: str, body: Channels, actor: AdminActor, session: TeamSession
) -> Response:
    """On which channels this agent may do the task; counts from its next reply on."""
    await service.use(session, actor.team_id, task_id, agent_id, body.channels)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/task-runs", summary="List runs")
async def list_runs(
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    conversation_id: Annotated[str, Query(max_length=40)] = "",
    task_id: Annotated[str, Query(max_length=40)] = "",
    state: RunState | None = None,
) -> Page[RunOut]:
    """What was proposed and what became of it, newest first."""
    query = select(TaskRun).where(TaskRun.team_id == actor.team_id)
    if conversation_id:
        query = query.where(TaskRun.conversation_id == conversation_id)
    if task_id:
        query = query.where(TaskRun.task_id == task_id)
    if state is not None:
        query = query.where(TaskRun.state == state)
    rows, following = await paginate(session, query, paging, TaskRun.proposed_at, TaskRun.id)
    items = [RunOut.model_validate(row, from_attributes=True) for row in rows]
    return Page(items=items, next=following)


@router.get("/task-runs/{run_id}", summary="Get a run")
async def get_run(run_id: str, actor: CurrentActor, session: TeamSession) -> RunOut:
    run = await records.get(session, actor.team_id, run_id)
    return RunOut.model_validate(run, from_attributes=True)


@router.get("/secrets", tags=["secrets"], summary="List secrets")
async def list_secrets(actor: AdminActor, session: TeamSession) -> list[SecretOut]:
    """Their names; a value is never shown."""
    return [
        SecretOut.model_validate(row, from_attributes=True)
        for row in await secret_store.listed(session, actor.team_id)
    ]


@router.put("/secrets", tags=["secrets"], summary="Set a secret")
async def put_secret(
    body: SecretIn, request: Request, actor: AdminActor, session: TeamSession
) -> SecretOut:
    """Store a secret, or replace the value of the one with this name."""
    vault = request.app.state.vault
    row = await secret_store.put(session, vault, actor.team_id, body.name, body.value)
    return SecretOut.model_validate(row, from_attributes=True)


@router.delete(
    "/secrets/{secret_id}",
    status_code=HTTPStatus.NO_CONTENT,
    tags=["secrets"],
    summary="Delete a secret",
)
async def delete_secret(secret_id: str, actor: AdminActor, session: TeamSession) -> Response:
    """Tasks that still name it fail and say so."""
    await secret_store.delete(session, actor.team_id, secret_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
