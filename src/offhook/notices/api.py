"""REST of notices: what the signed-in person is mailed. A key is nobody's mailbox."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from offhook.errors import Conflict, NotFound
from offhook.notices import sending
from offhook.notices.kinds import KINDS, Kind
from offhook.teams import Actor, CurrentActor, TeamSession
from offhook.web import Page, shapes

router = APIRouter(prefix="/api/v1/notices", tags=["team"])


class NoPerson(Conflict):
    code = "no_person"


class NotOffered(NotFound):
    code = "notice_unknown"


class NoticeOut(BaseModel):
    kind: Kind
    title: str
    wanted: bool = Field(description="Whether this person is mailed it.")


class Wish(shapes.Exact):
    wanted: bool


def _person(actor: CurrentActor) -> Actor:
    if not actor.user_id:
        raise NoPerson(
            "An API key is no person and gets no mail.", remedy="Sign in to choose your own."
        )
    return actor


PersonActor = Annotated[Actor, Depends(_person)]


@router.get("", summary="List what you are mailed")
async def index(actor: PersonActor, session: TeamSession) -> Page[NoticeOut]:
    """The kinds that your role may have."""
    choices = await sending.of_member(session, actor.team_id, actor.user_id, actor.role)
    return Page(
        items=[
            NoticeOut(kind=kind, title=KINDS[kind].title, wanted=wanted)
            for kind, wanted in choices.items()
        ]
    )


@router.put("/{kind}", summary="Choose whether you are mailed something")
async def choose(kind: Kind, body: Wish, actor: PersonActor, session: TeamSession) -> NoticeOut:
    offered = await sending.of_member(session, actor.team_id, actor.user_id, actor.role)
    if kind not in offered:
        raise NotOffered(f"Your role is not mailed about “{kind.value}”.")
    await sending.choose(session, actor.team_id, actor.user_id, kind, wanted=body.wanted)
    return NoticeOut(kind=kind, title=KINDS[kind].title, wanted=body.wanted)
