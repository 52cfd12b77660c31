"""Pages of knowledge: the sources, one source with its passages, a box to try a question.

Which agents use a source is shown by a fragment that the room above serves (/agents/choices).
"""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from starlette.responses import HTMLResponse, Response

from offhook.documents import MAX_BYTES
from offhook.knowledge import service, syncing, websites
from offhook.knowledge.models import WEB, SourceKind
from offhook.knowledge.searching import search
from offhook.outgoing import check_url, policy_of
from offhook.teams import CurrentActor, TeamSession, identify
from offhook.web import redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form()]
AgentIds = Annotated[Sequence[str], Form()]
Start = Annotated[int, Query(ge=0, le=1_000_000)]
"""The position of the first passage that is shown."""
SHOWN = 100
SHOWN_BEFORE = 5
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
    kind = kind if kind in set(SourceKind) else "text"
    return render(
        request, "knowledge/add.html", kind=kind, agent=agent, rhythms=websites.EVERY_HOURS
    )


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


@router.post("/knowledge/page")
@router.post("/knowledge/site")
async def add_web(
    request: Request, actor: CurrentActor, session: TeamSession, *,
    url: Text = "", every_hours: Annotated[int, Form()] = 24, agent_ids: AgentIds = (),
) -> Response:  # fmt: skip
    kind = SourceKind(request.url.path.rpartition("/")[2])
    checked = check_url(_with_scheme(url), policy_of(request.app.state.settings))
    source = await websites.add_web(
        session, actor.team_id, kind, str(checked), every_hours, agent_ids
    )
    return redirect(request, f"/knowledge/{source.id}", toast="Added")


def _with_scheme(url: str) -> str:
    """People write addresses without https://."""
    bare = url.strip()
    return bare if "://" in bare or not bare else f"https://{bare}"


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


@router.get("/knowledge/passages/{passage_id}")
async def passage(
    request: Request, passage_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    """Where an answer's link leads: its source, opened at the passage (K2)."""
    found = await service.passage(session, actor.team_id, passage_id)
    start = max(found.position - SHOWN_BEFORE, 0)
    return redirect(request, f"/knowledge/{found.source_id}?start={start}#{found.id}")


@router.get("/knowledge/{source_id}")
async def source_page(
    request: Request,
    source_id: str,
    actor: CurrentActor,
    session: TeamSession,
    start: Start = 0,
) -> HTMLResponse:
    shown = await _shown(session, actor.team_id, source_id, start)
    return render(request, "knowledge/source.html", **shown)


@router.get("/knowledge/{source_id}/passages")
async def passages(
    request: Request,
    source_id: str,
    actor: CurrentActor,
    session: TeamSession,
    start: Start = 0,
) -> HTMLResponse:
    shown = await _shown(session, actor.team_id, source_id, start)
    return render(request, "knowledge/source.html", block="passages", **shown)


@router.get("/knowledge/{source_id}/about")
async def about(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    source = await service.get(session, actor.team_id, source_id)
    return render(
        request,
        "knowledge/source.html",
        block="about",
        source=source,
        on_web=source.kind in WEB,
    )


@router.post("/knowledge/{source_id}")
async def replace(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession, *,
    title: Text = "", content: Text = "",
) -> Response:  # fmt: skip
    await service.replace_source(session, actor.team_id, source_id, title=title, content=content)
    return redirect(request, f"/knowledge/{source_id}", toast="Saved")


@router.post("/knowledge/{source_id}/file", max_body_size=UPLOAD_BYTES)
async def replace_file(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession, *,
    file: Annotated[UploadFile, File()],
) -> Response:  # fmt: skip
    data, name = await file.read(), file.filename or "file.txt"
    await service.replace_file(session, actor.team_id, source_id, name, data)
    return redirect(request, f"/knowledge/{source_id}", toast="Uploaded")


@router.post("/knowledge/{source_id}/keep")
async def keep(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await websites.keep(session, actor.team_id, source_id)
    return redirect(request, f"/knowledge/{source_id}", toast="The old text is kept")


@router.post("/knowledge/{source_id}/accept")
async def accept(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await websites.accept(session, actor.team_id, source_id)
    return redirect(request, f"/knowledge/{source_id}", toast="The new text is taken")


@router.post("/knowledge/{source_id}/sync")
async def sync(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await websites.sync(session, actor.team_id, source_id)
    return redirect(request, f"/knowledge/{source_id}", toast="Reading")


@router.post("/knowledge/{source_id}/web")
async def change_web(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession, *,
    title: Text = "", every_hours: Annotated[int, Form()] = 0,
) -> Response:  # fmt: skip
    await service.replace_source(session, actor.team_id, source_id, title=title)
    await websites.schedule(session, actor.team_id, source_id, every_hours)
    return redirect(request, f"/knowledge/{source_id}", toast="Saved")


@router.post("/knowledge/{source_id}/delete")
async def delete(
    request: Request, source_id: str, actor: CurrentActor, session: TeamSession
) -> Response:
    await service.delete(session, actor.team_id, source_id)
    return redirect(request, "/knowledge", toast="Deleted")


async def _shown(session: TeamSession, team_id: str, source_id: str, start: int) -> dict[str, Any]:
    source = await service.get(session, team_id, source_id)
    on_web = source.kind in WEB
    return {
        "source": source,
        "on_web": on_web,
        "content": await service.content_of(session, source),
        "found": await service.passages(session, team_id, source_id, SHOWN, start - 1),
        "start": start,
        "shown": SHOWN,
        "web_pages": await syncing.in_force(session, source) if on_web else [],
        "proposed": await syncing.proposed(session, source) if on_web else [],
        "rhythms": websites.EVERY_HOURS,
    }
