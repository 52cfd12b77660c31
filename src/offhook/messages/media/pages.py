"""The address under which pages show what came with a text."""

from fastapi import APIRouter
from starlette.responses import Response

from offhook.messages.media import keeping, serving
from offhook.teams import CurrentActor, TeamSession

router = APIRouter(include_in_schema=False)


@router.get("/media/{media_id}")
async def show(media_id: str, actor: CurrentActor, session: TeamSession) -> Response:
    return serving.response(await keeping.get(session, actor.team_id, media_id))
