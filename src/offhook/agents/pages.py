"""Pages of agents: the list, an agent's sections, making it live, a box to text the draft."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import HTMLResponse, Response

from offhook import knowledge, tasks
from offhook.agents import drafts, facts, playground, sample, service, users
from offhook.agents.api import rehearse
from offhook.agents.models import Agent
from offhook.teams import Actor, CurrentActor, TeamSession
from offhook.web import figures, redirect, render

router = APIRouter(include_in_schema=False)
Field = Annotated[str, Form()]
Flag = Annotated[bool, Form()]
Ids = Annotated[Sequence[str], Form()]
SECTIONS = ("behaviour", "voice", "knowledge", "tasks", "tests", "numbers", "versions")


@router.get("/agents")
async def index(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    told = await facts.of(session, actor.team_id)
    return render(request, "agents/list.html", facts=told, **await _rows(session, actor))


@router.get("/agents/rows")
async def rows(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    return render(request, "agents/list.html", block="rows", **await _rows(session, actor))


@router.post("/agents")
async def create(
    request: Request, actor: CurrentActor, session: TeamSession, *, name: Field = ""
) -> Response:
    agent = await service.create(session, actor.team_id, name)
    return redirect(request, f"/agents/{agent.id}", toast="Created")


@router.post("/agents/sample")
async def create_sample(request: Request, actor: CurrentActor, session: TeamSession) -> Response:
    agent = await sample.create(session, actor.team_id, by=actor.who)
    return redirect(request, f"/agents/{agent.id}", toast="The sample agent is live")


@router.post("/agents/facts")
async def save_facts(
    request: Request, actor: CurrentActor, session: TeamSession, *, text: Field = ""
) -> Response:
    await facts.save(session, actor.team_id, text)
    return redirect(request, "/agents", toast="Saved")


@router.get("/agents/choices")
async def choices(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    source: Annotated[str, Query()] = "",
    agent: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """Which agents use a source; of a new one, all of them or the one that it is added for."""
    listed = await service.listed(session, actor.team_id)
    if source:
        chosen = (await knowledge.agents_of(session, actor.team_id)).get(source, set())
    else:
        chosen = {agent} if agent else {each.id for each in listed}
    return render(request, "agents/choices.html", agents=listed, chosen=chosen)


@router.post("/agents/sources/{source_id}")
async def link_source(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession, *,
    agent_ids: Ids = (),
) -> Response:  # fmt: skip
    await knowledge.link(session, actor.team_id, source_id, agent_ids)
    return redirect(request, f"/knowledge/{source_id}", toast="Saved")


@router.get("/agents/tasks/{task_id}")
async def doing(
    request: Request, task_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """Which agents do a task, for its page."""
    uses = (await tasks.uses(session, actor.team_id)).get(task_id, [])
    return render(
        request,
        "agents/doing.html",
        agents=await service.listed(session, actor.team_id),
        channels={use.agent_id: use.channels for use in uses},
    )


@router.get("/agents/{agent_id}")
async def agent_page(
    request: Request,
    agent_id: str,
    actor: CurrentActor,
    session: TeamSession,
    section: Annotated[str, Query()] = "behaviour",
) -> HTMLResponse:
    agent = await service.get(session, actor.team_id, agent_id)
    return render(
        request,
        "agents/agent.html",
        section=section if section in SECTIONS else "behaviour",
        view=await service.view(session, agent),
        agent=agent,
        sources=await knowledge.listed(session, actor.team_id),
        used=await knowledge.agents_of(session, actor.team_id),
        numbers=await _numbers(session, agent),
        versions=await service.versions(session, actor.team_id, agent_id),
        played=playground.NOTHING,
        real=False,
    )


@router.post("/agents/{agent_id}/behaviour")
async def save_behaviour(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession, *,
    name: Field = "", instructions: Field = "", call_instructions: Field = "",
    sms_instructions: Field = "", person_when: Field = "", fallback: Field = "", model: Field = "",
) -> Response:  # fmt: skip
    await service.update(
        session, actor.team_id, agent_id,
        name=name, instructions=instructions, call_instructions=call_instructions,
        sms_instructions=sms_instructions, person_when=person_when, fallback=fallback, model=model,
    )  # fmt: skip
    return redirect(request, f"/agents/{agent_id}", toast="Saved")


@router.post("/agents/{agent_id}/voice")
async def save_voice(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession, *,
    greeting: Field = "", voice: Field = "", language: Field = "en",
    interruptible: Flag = False, silence_ms: Field = "700", check_in_s: Field = "6",
    max_call_minutes: Field = "30", reply_segments: Field = "3",
) -> Response:  # fmt: skip
    typed = {
        "silence_ms": silence_ms,
        "check_in_s": check_in_s,
        "max_call_minutes": max_call_minutes,
        "reply_segments": reply_segments,
    }
    options: dict[str, Any] = {name: figures.or_text(text) for name, text in typed.items()}
    await service.update(
        session, actor.team_id, agent_id,
        greeting=greeting, voice=voice, language=language,
        options={**options, "interruptible": interruptible},
    )  # fmt: skip
    return redirect(request, f"/agents/{agent_id}?section=voice", toast="Saved")


@router.post("/agents/{agent_id}/knowledge")
async def save_knowledge(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession, *,
    source_ids: Ids = (),
) -> Response:  # fmt: skip
    await service.get(session, actor.team_id, agent_id)
    used = await knowledge.agents_of(session, actor.team_id)
    for source in await knowledge.listed(session, actor.team_id):
        wanted = source.id in source_ids
        if wanted != (agent_id in used.get(source.id, set())):
            await knowledge.use(session, actor.team_id, source.id, agent_id, used=wanted)
    return redirect(request, f"/agents/{agent_id}?section=knowledge", toast="Saved")


@router.post("/agents/{agent_id}/live")
async def make_live(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession, *,
    note: Field = "", seen: Annotated[datetime | None, Form()] = None,
) -> Response:  # fmt: skip
    agent = await service.make_live(
        session, actor.team_id, agent_id, by=actor.who, note=note, seen=seen
    )
    return redirect(request, f"/agents/{agent_id}", toast=f"Version {agent.version} is live")


@router.post("/agents/{agent_id}/versions/{number}/restore")
async def restore(
    request: Request, agent_id: str, number: int, actor: CurrentActor, session: TeamSession
) -> Response:
    agent = await drafts.roll_back(session, actor.team_id, agent_id, number, by=actor.who)
    where = f"/agents/{agent_id}?section=versions"
    return redirect(request, where, toast=f"Version {agent.version} is live")


@router.post("/agents/{agent_id}/duplicate")
async def duplicate(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    copy = await drafts.duplicate(session, actor.team_id, agent_id)
    return redirect(request, f"/agents/{copy.id}", toast="Duplicated")


@router.post("/agents/{agent_id}/pause")
async def pause(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession, *,
    disable_numbers: Flag = False,
) -> Response:  # fmt: skip
    await service.pause(session, actor.team_id, agent_id, disable_numbers=disable_numbers)
    return redirect(request, f"/agents/{agent_id}", toast="Paused")


@router.post("/agents/{agent_id}/draft")
async def to_draft(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession, *,
    disable_numbers: Flag = False,
) -> Response:  # fmt: skip
    await service.to_draft(session, actor.team_id, agent_id, disable_numbers=disable_numbers)
    return redirect(request, f"/agents/{agent_id}", toast="Back to a draft")


@router.post("/agents/{agent_id}/delete")
async def delete(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession, *,
    disable_numbers: Flag = False,
) -> Response:  # fmt: skip
    await service.delete(session, actor.team_id, agent_id, disable_numbers=disable_numbers)
    return redirect(request, "/agents", toast="Deleted")


@router.post("/agents/{agent_id}/try")
async def try_draft(
    request: Request, agent_id: str, actor: CurrentActor, session: TeamSession, *,
    text: Annotated[str, Form(max_length=playground.MAX_TEXT)] = "",
    state: Annotated[str, Form(max_length=playground.MAX_STATE)] = "",
    real: Flag = False,
) -> HTMLResponse:  # fmt: skip
    """What the draft would text and do; nothing is stored, nothing counts."""
    agent = await service.get(session, actor.team_id, agent_id)
    draft = await playground.draft(session, actor.team_id, agent_id)
    played = await rehearse(request, actor, draft, text, state, real=real)
    return render(request, "agents/agent.html", block="talk", agent=agent, played=played, real=real)


async def _numbers(session: TeamSession, agent: Agent) -> list[users.NumberInUse]:
    return [
        number
        for each in users.registered()
        for number in await each.enabled_numbers(session, agent.team_id, agent.id)
    ]


async def _rows(session: TeamSession, actor: Actor) -> dict[str, Any]:
    agents = await service.listed(session, actor.team_id)
    used = await knowledge.agents_of(session, actor.team_id)
    counts = {each.id: sum(each.id in ids for ids in used.values()) for each in agents}
    return {"views": [await service.view(session, each) for each in agents], "counts": counts}
