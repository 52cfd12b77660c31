"""The page of people that callers may be put through to, and its parts for others.

/transfers                        the list; add, change and remove in place
/fragments/transfer-targets       the choice of one, for the settings of a task
"""

from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.calls.transfers import targets
from offhook.calls.transfers.rules import MAX_RING_S, MIN_RING_S
from offhook.teams import AdminActor, CurrentActor, TeamSession
from offhook.web import figures, redirect, render

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=200)]


@router.get("/transfers")
async def page(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    listed = await targets.listed(session, actor.team_id)
    return render(
        request, "calls/targets.html", targets=listed, actor=actor,
        min_ring_s=MIN_RING_S, max_ring_s=MAX_RING_S,
    )  # fmt: skip


@router.post("/transfers")
async def add(
    request: Request, actor: AdminActor, session: TeamSession, *,
    name: Text = "", number: Text = "", ring_s: Text = "20", announced: Text = "",
    stands_in: Text = "",
) -> Response:  # fmt: skip
    target = await targets.add(
        session, actor.team_id, name=name, number=number, ring_s=figures.whole("ring_s", ring_s),
        announced=bool(announced), stands_in=bool(stands_in), country=actor.country,
    )  # fmt: skip
    return redirect(request, "/transfers", toast=f"{target.name} is in the list")


@router.post("/transfers/{target_id}")
async def change(
    request: Request, target_id: str, actor: AdminActor, session: TeamSession, *,
    name: Text = "", number: Text = "", ring_s: Text = "20", announced: Text = "",
    stands_in: Text = "",
) -> Response:  # fmt: skip
    target = await targets.change(
        session, actor.team_id, target_id, name=name, number=number,
        ring_s=figures.whole("ring_s", ring_s), announced=bool(announced),
        stands_in=bool(stands_in), country=actor.country,
    )  # fmt: skip
    return redirect(request, "/transfers", toast=f"{target.name} is saved")


@router.post("/transfers/{target_id}/remove")
async def remove(
    request: Request, target_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await targets.remove(session, actor.team_id, target_id)
    return redirect(request, "/transfers", toast="Removed")


@router.get("/fragments/transfer-targets")
async def choice(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    chosen: Annotated[str, Query(max_length=40)] = "",
) -> HTMLResponse:
    listed = await targets.listed(session, actor.team_id)
    return render(request, "calls/target_choice.html", targets=listed, chosen=chosen)
