"""REST of a number's manners on calls."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from offhook import numbers
from offhook.bookings import HoursShape
from offhook.calls.manners import service
from offhook.calls.manners.rules import (
    CALLER_LINES,
    MAX_CALLER_LINES,
    MAX_CALLS_AN_HOUR,
    MAX_NUMBER_LINES,
    MAX_SENTENCE_CHARACTERS,
    Manners,
    WhenClosed,
)
from offhook.teams import CurrentActor, TeamSession
from offhook.web import shapes

router = APIRouter(prefix="/api/v1/numbers", tags=["numbers"])
CallerLines = Annotated[int, Field(ge=1, le=MAX_CALLER_LINES)]
NumberLines = Annotated[int, Field(ge=1, le=MAX_NUMBER_LINES)]
CallsAnHour = Annotated[int, Field(ge=1, le=MAX_CALLS_AN_HOUR)]
Sentence = Annotated[str, Field(max_length=MAX_SENTENCE_CHARACTERS)]
TargetId = Annotated[str, Field(min_length=1, max_length=40)]


class CallManners(BaseModel):
    """How a number behaves on calls."""

    hours: HoursShape | None = Field(description="In the team's time zone; null: always open.")
    when_closed: WhenClosed
    closed_sentence: str = Field(description="Empty: a short one in the agent's language.")
    fallback_target_id: str | None = Field(description="One of `/transfer-targets`.")
    refuse_hidden: bool | None = Field(description="Null: as the team has it for all numbers.")
    refuse_failed: bool = Field(description="Calls whose number the carriers found to be false.")
    max_calls_an_hour: int | None = Field(description="Of one caller; null: any number.")
    caller_lines: int = Field(description=f"Calls of one caller at once; {CALLER_LINES} if unset.")
    number_lines: int | None = Field(description="Calls at once; null: as many as there is room.")
    says_ai: bool = Field(description="Begins by saying that an AI assistant speaks.")

    @classmethod
    def of(cls, manners: Manners) -> "CallManners":
        values = {name: getattr(manners, name) for name in service.FIELDS}
        hours = HoursShape.of(manners.hours) if manners.hours else None
        return cls.model_validate({**values, "hours": hours})


class CallMannersChange(shapes.Exact):
    """What is left out stays as it is."""

    hours: HoursShape | None = None
    when_closed: WhenClosed = WhenClosed.SAY
    closed_sentence: Sentence = ""
    fallback_target_id: TargetId | None = None
    refuse_hidden: bool | None = None
    refuse_failed: bool = False
    max_calls_an_hour: CallsAnHour | None = None
    caller_lines: CallerLines = CALLER_LINES
    number_lines: NumberLines | None = None
    says_ai: bool = False

    def changes(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if self.hours is not None and "hours" in given:
            given["hours"] = self.hours.hours()
        return given


@router.get("/{number_id}/call-manners")
async def show(number_id: str, actor: CurrentActor, session: TeamSession) -> CallManners:
    """The number's hours, screening and lines."""
    await numbers.get(session, actor.team_id, number_id)
    return CallManners.of(await service.of(session, actor.team_id, number_id))


@router.patch("/{number_id}/call-manners")
async def change(
    number_id: str, body: CallMannersChange, actor: CurrentActor, session: TeamSession
) -> CallManners:
    """Change the number's hours, screening or lines; the next call goes by it."""
    manners = await service.change(
        session, actor.team_id, number_id, numbers.by(actor), **body.changes()
    )
    return CallManners.of(manners)
