"""REST of calls that we start: begin one, and a number's rules for them."""

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from offhook import contacts, numbers, phone
from offhook.calls.api import CallOut
from offhook.calls.outbound import rules, settings, starting
from offhook.calls.outbound.models import OutboundRules
from offhook.calls.outbound.rules import Machine
from offhook.calls.outbound.settings import Wanted
from offhook.errors import Invalid
from offhook.phone import E164
from offhook.teams import AdminActor, CurrentActor, OnceOnly, TeamSession
from offhook.web import shapes

router = APIRouter(prefix="/api/v1", tags=["calls"])
NumberId = Annotated[str, Path(max_length=40)]


class CallIn(shapes.Exact):
    """Somebody to call: a telephone number, or a contact by its first number."""

    number_id: str = Field(max_length=40, description="The number that calls.")
    to: shapes.Phone | Literal[""] = Field(
        default="",
        description="E.164, or as it is written in the team's country.",
        examples=["+1 202 555 0147"],
    )
    contact_id: str = Field(default="", max_length=40)
    message: str = Field(
        default="",
        max_length=rules.MAX_MESSAGE_CHARACTERS,
        description="What the call is about: said after the opening line, left on a machine.",
        examples=["Your order is ready."],
    )
    machine: Machine | None = Field(
        default=None, description="When a machine answers; null: as the number has it."
    )


class RulesIn(shapes.Exact):
    """What a number may start. Its texts to somebody who has not written keep the hours too."""

    quiet_hours: bool = Field(description="Whether anybody is called within the hours only.")
    opens: shapes.Clock = Field(
        description="Local time of who is called, in all zones of their number."
    )
    closes: shapes.Clock
    countries: list[shapes.Country] = Field(
        default_factory=list, max_length=250, description="ISO 3166; empty: the number's own."
    )
    daily_calls: int = Field(ge=1, le=rules.MAX_DAILY)
    daily_per_contact: int = Field(
        default=rules.PER_CONTACT,
        ge=1,
        le=rules.MAX_PER_CONTACT,
        description="Most calls, and most texts, to one person in a day; texts to somebody who "
        "wrote within 24 hours do not count against it.",
    )
    machine: Machine = Machine.HANG_UP
    opening: str = Field(
        default="",
        max_length=rules.MAX_OPENING_CHARACTERS,
        description="The first words of a call; {agent} is the agent's name. Empty: the usual.",
    )


class RulesOut(BaseModel):
    """The rules as they are."""

    number_id: str
    quiet_hours: bool
    opens: shapes.Clock
    closes: shapes.Clock
    countries: list[str]
    daily_calls: int
    daily_per_contact: int
    machine: Machine
    opening: str

    @classmethod
    def of(cls, found: OutboundRules) -> "RulesOut":
        return cls.model_validate(found, from_attributes=True)


class NobodyToCall(Invalid):
    code = "nobody_to_call"


@router.post("/calls", status_code=HTTPStatus.CREATED, response_model=CallOut)
async def call(
    body: CallIn, actor: CurrentActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Have the number's agent call somebody. 409 `call_not_started` names all that speaks against
    it.
    """

    async def work() -> CallOut:
        order = starting.Order(
            body.number_id,
            await callee(session, actor, to=body.to, contact_id=body.contact_id),
            asked_by=actor.who,
            message=body.message,
            machine=body.machine,
        )
        return CallOut.of(await starting.start(session, actor.team_id, order))

    return await once(work)


@router.get("/numbers/{number_id}/outbound")
async def outbound(number_id: NumberId, actor: CurrentActor, session: TeamSession) -> RulesOut:
    """When and whom the number may call."""
    return RulesOut.of(await settings.of(session, actor.team_id, number_id))


@router.put("/numbers/{number_id}/outbound")
async def change_outbound(
    number_id: NumberId, body: RulesIn, actor: AdminActor, session: TeamSession
) -> RulesOut:
    """From the next call on."""
    wanted = Wanted(**body.model_dump(exclude={"countries"}), countries=tuple(body.countries))
    by = numbers.by(actor)
    return RulesOut.of(await settings.change(session, actor.team_id, number_id, by, wanted))


async def callee(session: TeamSession, actor: CurrentActor, *, to: str, contact_id: str) -> E164:
    """Whom to call. Raises NobodyToCall, PhoneNumberInvalid, ContactNotFound."""
    if bool(to.strip()) == bool(contact_id):
        raise NobodyToCall(
            "Name either a number or a contact.", remedy="Send one of `to` and `contact_id`."
        )
    if to.strip():
        return phone.parse(to, actor.country)
    return E164((await contacts.get(session, actor.team_id, contact_id)).e164)
