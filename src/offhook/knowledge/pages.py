"""Pages of knowledge: the sources, one source with its passages, a box to try a question.

Which agents use a source is shown by a fragment that the room above serves (/agents/choices).
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from starlette.responses import HTMLResponse, Response

from offhook.knowledge import service
from offhook.knowledge.decoding import MAX_BYTES
from offhook.knowledge.searching import search
from offhook.teams import CurrentActor, TeamSession, identify
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
AgentIds = Annotated[Sequence[str], Form()]
UPLOAD_BYTES = MAX_BYTES + 100_000


@router.get("/knowledge")
async def index(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    sources = await service.listed(session, actor.team_id)
    return render(request, "knowledge/list.html", sources=sources)


@router.get("/knowledge/rows")
async def rows(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    sources = await service.listed(session, actor.team_id)
    return render(request, "knowledge/list.html", block="rows", sources=sources)


@router.get("/knowledge/add", dependencies=[Depends(identify)])
async def add_page(
    request: Request,
    kind: Annotated[str, Query()] = "text",
    agent: Annotated[str, Query()] = "",
) -> HTMLResponse:
    kind = kind if kind in {"text", "pair", "file"} else "text"
    return render(request, "knowledge/add.html", kind=kind, agent=agent)


@router.post("/knowledge/text")
async def add_text(
    request: Request, actor: CurrentActor, session: TeamSession, *,
    title: Text = "", content: Text = "", agent_ids: AgentIds = (),
) -> Response:  # fmt: skip
    source = await service.add_text(session, actor.team_id, title, content, agent_ids)
    return redirect(request, f"/knowledge/{source.id}", toast="Added")


@router.post("/knowledge/pair")
async def add_pair(
    request: Request, actor: CurrentActor, session: TeamSession, *,
    title: Text = "", content: Text = "", agent_ids: AgentIds = (),
) -> Response:  # fmt: skip
    source = await service.add_pair(session, actor.team_id, title, content, agent_ids)
    return redirect(request, f"/knowledge/{source.id}", toast="Added")


@router.post("/knowledge/file", max_body_size=UPLOAD_BYTES)
async def add_file(
    request: Request, actor: CurrentActor, session: TeamSession, *,
    file: Annotated[UploadFile, File()], agent_ids: AgentIds = (),
) -> Response:  # fmt: skip
    data, name = await file.read(), file.filename or "file.txt"
    source = await service.add_file(session, actor.team_id, name, data, agent_ids)
    return redirect(request, f"/knowledge/{source.id}", toast="Added")


@router.get("/knowledge/ask")
async def ask(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    question: Annotated[str, Query(max_length=400)] = "",
) -> HTMLResponse:
    """What a question finds in all of the team's sources."""
    hits = await search(session, actor.team_id, None, question)
    return render(request, "knowledge/found.html", hits=hits, question=question.strip())


@router.get("/knowledge/{source_id}")
async def source_page(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    return render(
        request, "knowledge/source.html", **await _shown(session, actor.team_id, source_id)
    )


@router.get("/knowledge/{source_id}/passages")
async def passages(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    shown = await _shown(session, actor.team_id, source_id)
    return render(request, "knowledge/source.html", block="passages", **shown)


@router.post("/knowledge/{source_id}")
async def replace(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession, *,
    title: Text = "", content: Text = "",
) -> Response:  # fmt: skip
    await service.replace_source(session, actor.team_id, source_id, title=title, content=content)
    return redirect(request, f"/knowledge/{source_id}", toast="Saved")


@router.post("/knowledge/{source_id}/delete")
async def delete(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await service.delete(session, actor.team_id, source_id)
    return redirect(request, "/knowledge", toast="Deleted")


async def _shown(session: TeamSession, team_id: str, source_id: str) -> dict[str, Any]:
    source = await service.get(session, team_id, source_id)
    return {
        "source": source,
        "content": await service.content_of(session, source),
        "found": await service.passages(session, team_id, source_id),
    }
