"""A number's manners by text over REST."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import ConfigDict, Field
from starlette.responses import JSONResponse

from offhook import numbers
from offhook.db import Session
from offhook.messages.manners import rules, service
from offhook.messages.manners.rules import EVERYWHERE, Manners
from offhook.teams import CurrentActor, OnceOnly, TeamSession
from offhook.web import shapes

router = APIRouter(prefix="/api/v1/numbers/{number_id}/texting", tags=["numbers"])
DEFAULT = Manners()
Replies = Annotated[int, Field(ge=1, le=rules.MAX_REPLIES)]
Country = shapes.Country | Literal["*"]


class TextingIn(shapes.Exact):
    """How a number texts; what is left out has its default."""

    settle_ms: int | None = Field(
        default=None,
        ge=0,
        le=rules.MAX_SETTLE_MS,
        description="Quiet time before a burst of texts is answered; null: the installation's.",
    )
    replies_per_hour: Replies = Field(
        default=DEFAULT.replies_per_hour, description="Most replies to one sender in an hour."
    )
    replies_per_day: Replies = Field(
        default=DEFAULT.replies_per_day, description="Most replies to one sender in 24 hours."
    )
    new_senders_per_hour: Replies = Field(
        default=DEFAULT.new_senders_per_hour,
        description="Most new senders of one block of 10,000 numbers answered in an hour.",
    )
    countries: list[Country] = Field(
        default=[],
        max_length=rules.MAX_COUNTRIES,
        description=f"Countries (ISO 3166) whose texts are answered, `{EVERYWHERE}` for every one; "
        "empty: the number's own.",
        examples=[["US", "CA"]],
    )
    stops_loops: bool = Field(
        default=True, description="Keep silent when two machines seem to text each other."
    )


class TextingOut(TextingIn):
    """The same as it is now."""

    model_config = ConfigDict(extra="ignore")

    @classmethod
    def of(cls, manners: Manners) -> "TextingOut":
        return cls.model_validate(manners, from_attributes=True)


@router.get("")
async def show(number_id: str, actor: CurrentActor, session: TeamSession) -> TextingOut:
    """How the number texts."""
    number = await numbers.get(session, actor.team_id, number_id)
    return TextingOut.of(await service.of(session, actor.team_id, number.id))


@router.put("", response_model=TextingOut)
async def change(
    number_id: str, wanted: TextingIn, actor: CurrentActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Set how the number texts, from its next text on."""

    async def work() -> TextingOut:
        return TextingOut.of(await _changed(session, actor, number_id, wanted))

    return await once(work, HTTPStatus.OK)


async def _changed(
    session: Session, actor: CurrentActor, number_id: str, wanted: TextingIn
) -> Manners:
    values = wanted.model_dump() | {"countries": tuple(wanted.countries)}
    by = numbers.By(actor.who, actor.email)
    return await service.change(session, actor.team_id, number_id, by, **values)
