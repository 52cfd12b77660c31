"""REST of knowledge: sources, their passages, and what a question finds."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from pydantic import BaseModel, Field
from sqlalchemy import select
from starlette.responses import Response

from offhook.documents import MAX_BYTES
from offhook.knowledge import service, syncing, websites
from offhook.knowledge.models import Source, SourceKind
from offhook.knowledge.rules import PageState
from offhook.knowledge.searching import search
from offhook.outgoing import check_url, policy_of
from offhook.teams import CurrentActor, OnceOnly, TeamSession
from offhook.web import Page, PagingQuery, paginate, shapes

router = APIRouter(prefix="/api/v1/knowledge", tags=["knowledge"])
FILE_HINT = "PDF, DOCX, CSV, TXT or MD, at most 25 MB."
# The file itself, and what a form puts around it.
UPLOAD_BYTES = MAX_BYTES + 100_000


Hours = Annotated[int, shapes.told(enum=[0, 1, 6, 24, 168])]


class _SourceIn(shapes.Exact):
    agent_ids: list[str] = Field(default=[], description="The agents that use it.")


class TextIn(_SourceIn):
    kind: Literal["text"]
    title: shapes.Text = Field(description="What the text is about.")
    content: shapes.Text = Field(max_length=900_000)


class PairIn(_SourceIn):
    """A question that people ask, and the answer to it."""

    kind: Literal["pair"]
    title: Annotated[shapes.Text, shapes.told(maxLength=service.MAX_TITLE_CHARS)] = Field(
        description="The question."
    )
    content: Annotated[shapes.Text, shapes.told(maxLength=service.MAX_ANSWER_CHARS)] = Field(
        max_length=900_000, description="The answer."
    )


class WebIn(_SourceIn):
    """A page, or a site: the pages that its sitemap names."""

    kind: Literal["page", "site"]
    url: shapes.Url
    every_hours: Hours = Field(default=24, description="How often it is read anew; 0 is never.")


SourceIn = Annotated[TextIn | PairIn | WebIn, Field(discriminator="kind")]


class SourceChange(shapes.Exact):
    title: shapes.Text | None = None
    content: shapes.Text | None = Field(default=None, max_length=900_000)
    every_hours: Hours | None = Field(default=None, description="0 (never), 1, 6, 24 or 168.")
    agent_ids: list[str] | None = None


class SourceOut(BaseModel):
    id: str
    kind: str
    title: str
    state: str = Field(
        description="reading, ready, failed, or kept: the newest reading was no good, and the "
        "text before it goes on being quoted until you decide."
    )
    error: str
    note: str = Field(description="What to know although it was read.")
    size_bytes: int
    passage_count: int
    created_at: datetime
    synced_at: datetime | None = Field(description="When what it says was last read.")
    url: str = Field(description="Where a page or a site is read from.")
    every_hours: int
    sync_at: datetime | None = Field(description="When it is read anew by itself.")
    sync_began_at: datetime | None = Field(description="Since when it is being read anew.")
    agent_ids: list[str]


class WebPageOut(BaseModel):
    url: str
    title: str
    state: PageState
    reason: str = Field(description="Why it was skipped, or its old text kept.")
    content: str = Field(description="What it says, as Markdown.")


class PassageOut(BaseModel):
    id: str
    source_id: str
    position: int
    url: str = Field(description="The web page that it is from.")
    headings: list[str]
    text: str


class HitOut(BaseModel):
    passage_id: str
    source_id: str
    title: str
    headings: list[str]
    text: str
    confidence: float = Field(description="How sure it is that it answers, 0 to 1.")
    answerable: bool = Field(description="Whether an agent would tell it.")


def source_out(source: Source, agents: dict[str, set[str]]) -> SourceOut:
    shown = {name: getattr(source, name) for name in SourceOut.model_fields if name != "agent_ids"}
    return SourceOut(**shown, agent_ids=sorted(agents.get(source.id, ())))


async def _out(session: TeamSession, source: Source) -> SourceOut:
    return source_out(source, await service.agents_of(session, source.team_id))


@router.get("/sources")
async def list_sources(
    actor: CurrentActor, session: TeamSession, paging: PagingQuery
) -> Page[SourceOut]:
    """The team's sources, newest first."""
    query = select(Source).where(Source.team_id == actor.team_id)
    rows, following = await paginate(session, query, paging, Source.created_at, Source.id)
    agents = await service.agents_of(session, actor.team_id)
    return Page(items=[source_out(row, agents) for row in rows], next=following)


@router.post("/sources", status_code=HTTPStatus.CREATED, response_model=SourceOut)
async def add_source(
    request: Request, body: SourceIn, actor: CurrentActor, session: TeamSession, once: OnceOnly
) -> Response:
    """Add a text, a question with its answer, a web page, or a site by its sitemap."""

    async def work() -> SourceOut:
        if isinstance(body, WebIn):
            url = check_url(body.url, policy_of(request.app.state.settings))
            source = await websites.add_web(
                session, actor.team_id, SourceKind(body.kind), str(url), body.every_hours,
                body.agent_ids,
            )  # fmt: skip
        else:
            add = service.add_pair if body.kind == "pair" else service.add_text
            source = await add(session, actor.team_id, body.title, body.content, body.agent_ids)
        return await _out(session, source)

    return await once(work)


@router.post(
    "/files",
    status_code=HTTPStatus.CREATED,
    response_model=SourceOut,
    openapi_extra={"x-max-bytes": MAX_BYTES},
    max_body_size=UPLOAD_BYTES,
)
async def upload_file(
    file: Annotated[UploadFile, File(description=FILE_HINT)],
    actor: CurrentActor,
    session: TeamSession,
    agent_ids: Annotated[Sequence[str], Form()] = (),
) -> Any:
    """Upload a file; it is read within seconds, and its state tells how that went."""
    data, name = await file.read(), file.filename or "file.txt"
    return await _out(
        session, await service.add_file(session, actor.team_id, name, data, agent_ids)
    )


@router.put(
    "/sources/{source_id}/file",
    openapi_extra={"x-max-bytes": MAX_BYTES},
    max_body_size=UPLOAD_BYTES,
)
async def replace_file(
    source_id: str,
    file: Annotated[UploadFile, File(description=FILE_HINT)],
    actor: CurrentActor,
    session: TeamSession,
) -> SourceOut:
    """A new file for a source; the old words are not quoted from the next turn on."""
    data, name = await file.read(), file.filename or "file.txt"
    return await _out(
        session, await service.replace_file(session, actor.team_id, source_id, name, data)
    )


@router.post("/sources/{source_id}/keep")
async def keep_source(source_id: str, actor: CurrentActor, session: TeamSession) -> SourceOut:
    """Go on with the old text of a source in state `kept`."""
    return await _out(session, await websites.keep(session, actor.team_id, source_id))


@router.post("/sources/{source_id}/accept")
async def accept_source(source_id: str, actor: CurrentActor, session: TeamSession) -> SourceOut:
    """Take the newest reading of a source in state `kept` instead of its old text."""
    return await _out(session, await websites.accept(session, actor.team_id, source_id))


@router.post("/sources/{source_id}/sync", status_code=HTTPStatus.ACCEPTED)
async def sync_source(source_id: str, actor: CurrentActor, session: TeamSession) -> SourceOut:
    """Read a page or a site anew; while that is being done, asking again changes nothing."""
    return await _out(session, await websites.sync(session, actor.team_id, source_id))


@router.get("/sources/{source_id}/pages")
async def list_pages(
    source_id: str,
    actor: CurrentActor,
    session: TeamSession,
    proposed: Annotated[bool, Query(description="Those that wait for your decision.")] = False,
) -> list[WebPageOut]:
    """The web pages of a source: those that are told, kept and skipped."""
    source = await service.get(session, actor.team_id, source_id)
    read = syncing.proposed if proposed else syncing.in_force
    pages = await read(session, source)
    return [WebPageOut.model_validate(page, from_attributes=True) for page in pages]


@router.get("/passages/{passage_id}")
async def get_passage(passage_id: str, actor: CurrentActor, session: TeamSession) -> PassageOut:
    """A passage that an answer named. Gone when its source says something else now."""
    passage = await service.passage(session, actor.team_id, passage_id)
    return PassageOut.model_validate(passage, from_attributes=True)


@router.get("/sources/{source_id}")
async def get_source(source_id: str, actor: CurrentActor, session: TeamSession) -> SourceOut:
    return await _out(session, await service.get(session, actor.team_id, source_id))


@router.patch("/sources/{source_id}")
async def change_source(
    source_id: str, body: SourceChange, actor: CurrentActor, session: TeamSession
) -> SourceOut:
    """Replace its words or its agents; the old passages are gone from the next turn on.

    Of a page or a site, the name, the agents and how often it is read anew.
    """
    if body.agent_ids is not None:
        await service.link(session, actor.team_id, source_id, body.agent_ids)
    if body.every_hours is not None:
        await websites.schedule(session, actor.team_id, source_id, body.every_hours)
    if body.title is not None or body.content is not None:
        await service.replace_source(
            session, actor.team_id, source_id, title=body.title, content=body.content
        )
    return await _out(session, await service.get(session, actor.team_id, source_id))


@router.delete("/sources/{source_id}", status_code=HTTPStatus.NO_CONTENT)
async def delete_source(source_id: str, actor: CurrentActor, session: TeamSession) -> Response:
    """Forget a source and its passages at once."""
    await service.delete(session, actor.team_id, source_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/sources/{source_id}/passages")
async def list_passages(
    source_id: str,
    actor: CurrentActor,
    session: TeamSession,
    after: Annotated[int, Query(ge=-1, le=1_000_000)] = -1,
) -> Page[PassageOut]:
    """Its passages in order, 100 at a time; `next` is the `after` of the following ones."""
    await service.get(session, actor.team_id, source_id)
    rows = await service.passages(session, actor.team_id, source_id, 100, after)
    items = [PassageOut.model_validate(row, from_attributes=True) for row in rows]
    return Page(items=items, next=str(rows[-1].position) if len(rows) == 100 else None)  # noqa: PLR2004 - a full page


@router.get("/search")
async def search_passages(
    actor: CurrentActor,
    session: TeamSession,
    question: Annotated[str, Query(min_length=1, max_length=400)],
    agent_id: str | None = None,
) -> list[HitOut]:
    """What a question finds, best first; of one agent's sources where `agent_id` is given."""
    hits = await search(session, actor.team_id, agent_id, question)
    return [
        HitOut(
            passage_id=hit.passage_id,
            source_id=hit.source_id,
            title=hit.title,
            headings=list(hit.headings),
            text=hit.text,
            confidence=hit.confidence,
            answerable=hit.answerable,
        )
        for hit in hits
    ]
