"""REST of a team's audit log (SEC21): its entries, the file, whether the chain holds."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import StreamingResponse

from offhook import audit
from offhook.teams import log_csv
from offhook.teams.access import AdminActor, TeamSession
from offhook.web import Page, PagingQuery, shapes

router = APIRouter(prefix="/api/v1/audit-log", tags=["audit log"])
Id = Annotated[str, Query(max_length=80)]


class EntryOut(BaseModel):
    id: str
    position: int = Field(description="1, 2, 3 … without a gap.")
    at: datetime
    actor_kind: audit.Kind
    actor_id: str
    actor_name: str = Field(description="The address or the key's name, as it was then.")
    action: str = Field(description="created, changed, deleted, or what else was done.")
    subject: str = Field(description="What it was done to, such as number, agent or API key.")
    subject_id: str
    label: str = Field(description="What that is called.")
    changes: dict[str, list[Any]] = Field(
        description="From each field to its value before and after. Secrets show as dots."
    )
    previous: str = Field(description="The digest of the entry before.")
    digest: str = Field(description="SHA-256 over this entry and `previous`.")


class VerdictOut(BaseModel):
    entries: int
    head: str = Field(description="The last digest. Note it elsewhere to prove the log later.")
    whole: bool
    broken_at: int | None = Field(description="The first entry that was altered or is missing.")
    reason: str


def _asked(
    actor: Id = "",
    subject: Id = "",
    subject_id: Id = "",
    action: Id = "",
    since: shapes.Instant | None = None,
    until: shapes.Instant | None = None,
) -> audit.Filter:
    return audit.Filter(actor, subject, subject_id, action, since, until)


Asked = Annotated[audit.Filter, Depends(_asked)]


@router.get("", summary="List who changed what")
async def index(
    actor: AdminActor, session: TeamSession, asked: Asked, paging: PagingQuery
) -> Page[EntryOut]:
    """The newest first. Narrow it by the actor's id, what was changed, and when."""
    rows, following = await audit.listed(session, actor.team_id, asked, paging)
    return Page(items=[_out(row) for row in rows], next=following)


@router.get("/csv", summary="Download who changed what", response_class=StreamingResponse)
async def download(
    request: Request, actor: AdminActor, session: TeamSession, asked: Asked
) -> StreamingResponse:
    """The oldest first, as CSV. The download itself is recorded."""
    return log_csv.download(request, session, actor.team_id, asked)


@router.get("/verification", summary="Check the chain of entries")
async def verification(actor: AdminActor, session: TeamSession) -> VerdictOut:
    """Recompute every digest from the first entry to the last."""
    verdict = await audit.verify(session, actor.team_id)
    broken = verdict.broken
    return VerdictOut(
        entries=verdict.entries,
        head=verdict.head,
        whole=broken is None,
        broken_at=broken.position if broken else None,
        reason=broken.reason if broken else "",
    )


def _out(row: audit.Entry) -> EntryOut:
    return EntryOut(
        id=row.id,
        position=row.position,
        at=row.at,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        action=row.action,
        subject=row.subject,
        subject_id=row.subject_id,
        label=row.label,
        changes=row.changed,
        previous=row.previous,
        digest=row.digest,
    )
