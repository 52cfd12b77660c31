"""Pages of tasks: the list, a task with its settings, test and runs, secrets, a run.

/tasks, /tasks/add, /tasks/{id}, /tasks/runs/{id}, /tasks/secrets
/fragments/agent-tasks/{agent_id}      what an agent may do, for its own page

Which agents do a task is a fragment that the room above serves (/agents/tasks/{task_id}).
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from sqlalchemy import select
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, Response

from offhook.tasks import forms, kinds, mcp_kind, records, secret_store, service, trying
from offhook.tasks import inputs as typed
from offhook.tasks.api import runner
from offhook.tasks.kinds import Kind
from offhook.tasks.models import Task, TaskRun
from offhook.tasks.rules import DEFAULT_MONEY
from offhook.tasks.scope import CHANNELS
from offhook.tasks.toolbox import InputType
from offhook.teams import AdminActor, CurrentActor, TeamSession
from offhook.web import Paging, figures, paginate, redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=100_000)]
RUNS = 25
CONFIG = "config."
"""Before the name of a field of the kind's own settings."""
ROW = "input_"


async def _form(request: Request) -> FormData:
    return await request.form()


Fields = Annotated[FormData, Depends(_form)]


@router.get("/tasks")
async def index(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    return render(request, "tasks/list.html", **await _listed(session, actor.team_id))


@router.get("/tasks/rows")
async def rows(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    return render(request, "tasks/list.html", block="rows", **await _listed(session, actor.team_id))


@router.get("/tasks/add")
async def add_page(
    request: Request, actor: AdminActor, session: TeamSession, kind: Annotated[str, Query()] = ""
) -> HTMLResponse:
    """Choose a kind, then fill it in."""
    offered = [each for each in kinds.registered() if each.name != mcp_kind.KIND.name]
    if not kind:
        return render(request, "tasks/choose.html", kinds=kinds.registered())
    chosen = kinds.kind(kind)
    shown = await _editor(session, actor.team_id, chosen, None)
    return render(request, "tasks/add.html", kinds=offered, **shown)


@router.post("/tasks")
async def create(
    request: Request, actor: AdminActor, session: TeamSession, fields: Fields
) -> Response:
    kind = kinds.kind(_text(fields, "kind"))
    task = await service.create(
        session, actor.team_id, kind=kind.name, **_definition(kind, fields, {})
    )
    return redirect(request, f"/tasks/{task.id}", toast="Added")


@router.get("/tasks/secrets")
async def secrets(request: Request, actor: AdminActor, session: TeamSession) -> HTMLResponse:
    listed = await secret_store.listed(session, actor.team_id)
    return render(request, "tasks/secrets.html", secrets=listed)


@router.post("/tasks/secrets")
async def put_secret(
    request: Request, actor: AdminActor, session: TeamSession, *, name: Text = "", value: Text = ""
) -> Response:
    vault = request.app.state.vault
    row = await secret_store.put(session, vault, actor.team_id, name, value)
    return redirect(request, "/tasks/secrets", toast=f"{row.name} is kept")


@router.post("/tasks/secrets/{secret_id}/delete")
async def delete_secret(
    request: Request, secret_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await secret_store.delete(session, actor.team_id, secret_id)
    return redirect(request, "/tasks/secrets", toast="Deleted")


@router.get("/tasks/runs/{run_id}")
async def run_page(
    request: Request, run_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    run = await records.get(session, actor.team_id, run_id)
    shown = json.dumps(run.request, indent=2, ensure_ascii=False) if run.request else ""
    return render(request, "tasks/run_page.html", run=run, request_text=shown)


@router.get("/tasks/{task_id}")
async def task_page(
    request: Request,
    task_id: str,
    actor: CurrentActor,
    session: TeamSession,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> HTMLResponse:
    task = await service.get(session, actor.team_id, task_id)
    query = select(TaskRun).where(TaskRun.team_id == actor.team_id, TaskRun.task_id == task_id)
    order = (TaskRun.proposed_at, TaskRun.id)
    runs, after = await paginate(session, query, Paging(RUNS, cursor), *order)
    shown = await _editor(session, actor.team_id, kinds.kind(task.kind), task)
    older = f"/tasks/{task_id}?cursor={after}" if after else ""
    last = runs[0] if runs and not cursor else None
    changed = last is not None and last.error == mcp_kind.CHANGED and last.revision == task.revision
    return render(
        request,
        "tasks/task.html",
        runs=runs,
        older=older,
        changed=last.response if last is not None and changed else "",
        **shown,
    )


@router.post("/tasks/{task_id}")
async def save(
    request: Request, task_id: str, actor: AdminActor, session: TeamSession, fields: Fields
) -> Response:
    task = await service.get(session, actor.team_id, task_id)
    changes = _definition(kinds.kind(task.kind), fields, task.config)
    await service.update(session, actor.team_id, task_id, **changes)
    return redirect(request, f"/tasks/{task_id}", toast="Saved")


@router.post("/tasks/{task_id}/delete")
async def delete(
    request: Request, task_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await service.delete(session, actor.team_id, task_id)
    return redirect(request, "/tasks", toast="Deleted")


@router.post("/tasks/{task_id}/try")
async def try_out(
    request: Request, task_id: str, actor: AdminActor, session: TeamSession, fields: Fields
) -> HTMLResponse:
    """The rendered request; with `send` it really goes out."""
    task = await service.get(session, actor.team_id, task_id)
    given = {
        name.removeprefix(ROW): value
        for name, value in fields.items()
        if name.startswith(ROW) and isinstance(value, str) and value.strip()
    }
    send = bool(_text(fields, "send"))
    tried = await trying.attempt(runner(request), task, given, actor, send=send)
    text = json.dumps(dict(tried.request), indent=2, ensure_ascii=False) if tried.request else ""
    return render(request, "tasks/tried.html", tried=tried, request_text=text)


@router.get("/fragments/agent-tasks/{agent_id}")
async def agent_tasks(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    listed = await service.listed(session, actor.team_id)
    uses = await service.uses(session, actor.team_id)
    used = {
        task.id: use.channels
        for task in listed
        for use in uses.get(task.id, ())
        if use.agent_id == agent_id
    }
    by_kind = {each.name: each for each in kinds.registered()}
    return render(
        request, "tasks/of_agent.html", tasks=listed, used=used, agent_id=agent_id, kinds=by_kind
    )


@router.post("/fragments/agent-tasks/{agent_id}")
async def save_agent_tasks(
    request: Request, agent_id: str, actor: AdminActor, session: TeamSession, fields: Fields
) -> Response:
    """Which tasks the agent may do, and on which channels (T4)."""
    uses = await service.uses(session, actor.team_id)
    for task in await service.listed(session, actor.team_id):
        wanted = [each for each in CHANNELS if _text(fields, f"{task.id}.{each}")]
        held = next((use for use in uses.get(task.id, ()) if use.agent_id == agent_id), None)
        if wanted != list(held.channels if held else ()):
            await service.use(session, actor.team_id, task.id, agent_id, wanted)
    return redirect(request, f"/agents/{agent_id}?section=tasks", toast="Saved")


async def _listed(session: TeamSession, team_id: str) -> dict[str, Any]:
    return {
        "tasks": await service.listed(session, team_id),
        "uses": await service.uses(session, team_id),
        "kinds": {each.name: each for each in kinds.registered()},
    }


async def _editor(
    session: TeamSession, team_id: str, kind: Kind, task: Task | None
) -> dict[str, Any]:
    """What the page of a task shows, or of one that is to be made."""
    config: Mapping[str, Any] = task.config if task is not None else {}
    body = config.get("body")
    own = kind.inputs is not None
    return {
        "kind": kind,
        "task": task,
        "config": config,
        "members": forms.shown(kind.config, config, await kind.choices(session, team_id)),
        "headers": forms.written(config.get("headers", ()), ": "),
        "query": forms.written(config.get("query", ()), "="),
        "body": json.dumps(body, indent=2, ensure_ascii=False) if body is not None else "",
        "inputs": service.inputs_of(task) if task is not None else (),
        "own_inputs": own,
        "label": typed.label,
        "types": [(each.value, each.value.capitalize()) for each in InputType],
        "effect": service.effect_of(task) if task is not None else None,
    }


def _definition(kind: Kind, fields: FormData, stored: Mapping[str, Any]) -> dict[str, Any]:
    """A task as the page's fields say it."""
    settings = {
        name.removeprefix(CONFIG): value
        for name, value in fields.items()
        if name.startswith(CONFIG) and isinstance(value, str)
    }
    rows = {
        name.removeprefix(ROW): [str(each) for each in fields.getlist(name)]
        for name in fields
        if name.startswith(ROW)
    }
    given: dict[str, Any] = {
        "title": _text(fields, "title"),
        "description": _text(fields, "description"),
        "config": forms.config(kind, settings, stored),
        "inputs": forms.inputs(rows) if kind.inputs is None else [],
        "phrases": forms.lines(_text(fields, "phrases")),
        "readback": _text(fields, "readback"),
        "confirm": bool(_text(fields, "confirm")),
        "personal": bool(_text(fields, "personal")),
        "by_code": bool(_text(fields, "by_code")),
        "timeout_s": figures.or_zero(_text(fields, "timeout_s")),
        "max_runs": figures.or_zero(_text(fields, "max_runs")),
        "max_money": figures.or_zero(_text(fields, "max_money")) or DEFAULT_MONEY,
    }
    if name := _text(fields, "name"):
        given["name"] = name
    return given


def _text(fields: FormData, name: str) -> str:
    value = fields.get(name, "")
    return value.strip() if isinstance(value, str) else ""
