"""REST of transfers: the people whom callers may be put through to, and the transfers of a call."""

from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from offhook.calls import service as calls
from offhook.calls.transfers import service, targets
from offhook.calls.transfers.models import Transfer, TransferTarget
from offhook.calls.transfers.rules import (
    MAX_RING_S,
    MIN_RING_S,
    Failure,
    TransferState,
)
from offhook.teams import AdminActor, CurrentActor, OnceOnly, TeamSession
from offhook.web import shapes

router = APIRouter(prefix="/api/v1", tags=["transfers"])


class TargetIn(shapes.Exact):
    """A person or desk. Premium and shared-cost numbers and numbers of the team are refused."""

    name: shapes.Name = Field(description="As the agent says it.", examples=["Anna"])
    number: shapes.Phone = Field(description="E.164, or as it is written in the team's country.")
    ring_s: int = Field(
        default=20, ge=MIN_RING_S, le=MAX_RING_S, description="Seconds before the caller is back."
    )
    announced: bool = Field(
        default=True,
        description="Whoever answers hears who calls, and takes the call by pressing 1.",
    )
    stands_in: bool = Field(
        default=False,
        description="Takes callers who need a person, and those whose agent cannot go on; one of a "
        "team: whoever did so before does not any more.",
    )


class TargetOut(BaseModel):
    """A person or desk that callers may be put through to."""

    id: str
    name: str
    e164: str
    ring_s: int
    announced: bool
    stands_in: bool
    created_at: datetime

    @classmethod
    def of(cls, target: TransferTarget) -> "TargetOut":
        return cls.model_validate(target, from_attributes=True)


class TransferOut(BaseModel):
    """One transfer of a call; name and number are those it began with."""

    id: str
    call_id: str
    target_id: str
    name: str
    e164: str
    announced: bool
    state: TransferState
    failure: Failure | None
    leg_id: str = Field(description="The carrier's id of the second leg; empty before its answer.")
    rescue: bool = Field(description="Nobody asked for it: the agent could not go on.")
    requested_at: datetime
    answered_at: datetime | None
    joined_at: datetime | None
    ended_at: datetime | None
    minutes: int = Field(description="Started minutes of the second leg, once it is over.")
    price_micros: int | None = Field(description="Of each; null: the leg costs the team nothing.")
    currency: str | None

    @classmethod
    def of(cls, transfer: Transfer) -> "TransferOut":
        return cls.model_validate(transfer, from_attributes=True)


@router.get("/transfer-targets")
async def index(actor: CurrentActor, session: TeamSession) -> list[TargetOut]:
    """The whole list, by name."""
    return [TargetOut.of(target) for target in await targets.listed(session, actor.team_id)]


@router.post("/transfer-targets", status_code=HTTPStatus.CREATED, response_model=TargetOut)
async def add(
    body: TargetIn, actor: AdminActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Let agents put callers through to somebody."""

    async def work() -> TargetOut:
        target = await targets.add(
            session, actor.team_id, country=actor.country, **body.model_dump()
        )
        return TargetOut.of(target)

    return await once(work)


@router.get("/transfer-targets/{target_id}")
async def show(target_id: str, actor: CurrentActor, session: TeamSession) -> TargetOut:
    return TargetOut.of(await targets.get(session, actor.team_id, target_id))


@router.put("/transfer-targets/{target_id}")
async def change(
    target_id: str, body: TargetIn, actor: AdminActor, session: TeamSession
) -> TargetOut:
    """From the next transfer on."""
    target = await targets.change(
        session, actor.team_id, target_id, country=actor.country, **body.model_dump()
    )
    return TargetOut.of(target)


@router.delete("/transfer-targets/{target_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove(target_id: str, actor: AdminActor, session: TeamSession) -> Response:
    """Nobody is put through to it any more; a transfer that is under way goes on."""
    await targets.remove(session, actor.team_id, target_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get("/calls/{call_id}/transfers")
async def transfers(call_id: str, actor: CurrentActor, session: TeamSession) -> list[TransferOut]:
    """Where the call was put through to, oldest first."""
    await calls.get(session, actor.team_id, call_id)
    rows = await service.of_call(session, actor.team_id, call_id)
    return [TransferOut.of(row) for row in rows]
