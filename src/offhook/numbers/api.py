"""REST of numbers that a team has: list, configure, limit, enable, disable, delete, activity.

Buying is in buying_api.py, whose addresses stand before `/{number_id}`.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from offhook import usage
from offhook.db import Session
from offhook.numbers import activity, limits, listing, rules, service
from offhook.numbers.listing import Filter
from offhook.numbers.models import Activity, Number
from offhook.numbers.rules import Missing, NumberStatus
from offhook.numbers.who import by
from offhook.teams import AdminActor, CurrentActor, TeamSession
from offhook.usage import Service
from offhook.web import Page, PagingQuery, paginate, shapes

router = APIRouter(prefix="/api/v1/numbers", tags=["numbers"])


class MissingOut(BaseModel):
    code: Missing
    sentence: str


class LimitOut(BaseModel):
    limit: int | None = Field(description="Null is unlimited.")
    used: int
    held: int
    resets_at: datetime


class NumberOut(BaseModel):
    id: str
    e164: str
    country: str
    type: str
    locality: str
    status: NumberStatus
    name: str
    agent_id: str | None
    calls_enabled: bool
    sms_enabled: bool
    record_calls: bool
    recording_notice: bool
    has_voice: bool
    has_sms: bool
    has_mms: bool
    registrations: list[str] = Field(description="Needed before the number may send.")
    carrier: str
    account_id: str | None = Field(description="The team's own carrier account; null: bought here.")
    rent_micros: int = Field(description="Monthly, in millionths of the currency's unit.")
    currency: str
    enabled_at: datetime | None
    released_at: datetime | None
    created_at: datetime


class NumberDetail(NumberOut):
    missing: list[MissingOut] = Field(description="What keeps it from being enabled.")
    calls: LimitOut
    sms: LimitOut


class NumberChange(shapes.Exact):
    """What is left out stays as it is."""

    model_config = ConfigDict(strict=True)
    name: shapes.Name | None = None
    agent_id: str | None = None
    calls_enabled: bool | None = None
    sms_enabled: bool | None = None
    record_calls: bool | None = None
    recording_notice: bool | None = None


class LimitChange(shapes.Exact):
    limit: Any = Field(
        description="A whole number from 1 to 1,000,000, or null for no limit.",
        json_schema_extra={
            "anyOf": [{"type": "integer", "minimum": 1, "maximum": 1_000_000}, {"type": "null"}]
        },
    )


class ActivityOut(BaseModel):
    id: str
    actor_id: str
    actor: str
    action: str
    before: dict[str, Any]
    after: dict[str, Any]
    at: datetime


@router.get("")
async def list_numbers(
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    q: Annotated[str, Query(max_length=80)] = "",
    status: NumberStatus | None = None,
    agent_id: Annotated[str, Query(max_length=40)] = "",
) -> Page[NumberOut]:
    """The team's numbers, the newest first; released ones only when asked for."""
    query = listing.query(actor.team_id, Filter(q, status or "", agent_id))
    rows, following = await paginate(session, query, paging, Number.created_at, Number.id)
    items = [NumberOut.model_validate(row, from_attributes=True) for row in rows]
    return Page(items=items, next=following)


@router.get("/{number_id}")
async def get_number(number_id: str, actor: CurrentActor, session: TeamSession) -> NumberDetail:
    """One number with what it still lacks and its month."""
    return await _detail(session, await service.get(session, actor.team_id, number_id))


@router.patch("/{number_id}")
async def change_number(
    number_id: str, body: NumberChange, actor: CurrentActor, session: TeamSession
) -> NumberDetail:
    """Configure a number; takes effect at once, also while it is enabled."""
    changes = body.model_dump(include=body.model_fields_set)
    named = {key: value for key, value in changes.items() if value is not None or key == "agent_id"}
    number = await service.configure(session, actor.team_id, number_id, by(actor), **named)
    return await _detail(session, number)


@router.put("/{number_id}/limits/{limited}")
async def change_limit(
    number_id: str,
    limited: Service,
    body: LimitChange,
    actor: CurrentActor,
    session: TeamSession,
) -> LimitOut:
    """Set a monthly limit, at once; null is unlimited."""
    await limits.set_limit(session, actor.team_id, number_id, by(actor), limited, body.limit)
    number = await service.get(session, actor.team_id, number_id)
    return (await _limits(session, number))[limited]


@router.post("/{number_id}/enable")
async def enable(number_id: str, actor: CurrentActor, session: TeamSession) -> NumberDetail:
    """Let it answer from now on; 409 `number_not_ready` lists all that is missing."""
    number = await service.enable(session, actor.team_id, number_id, by(actor))
    return await _detail(session, number)


@router.post("/{number_id}/disable")
async def disable(number_id: str, actor: CurrentActor, session: TeamSession) -> NumberDetail:
    """Stop at once: live calls end, queued replies are not sent, configuration stays."""
    number = await service.disable(session, actor.team_id, number_id, by(actor))
    return await _detail(session, number)


@router.delete("/{number_id}", status_code=HTTPStatus.ACCEPTED)
async def delete(
    number_id: str,
    actor: AdminActor,
    session: TeamSession,
    confirmation: Annotated[str, Query(max_length=40, description="The number itself.")] = "",
) -> NumberOut:
    """Give a disabled number back to the carrier, for good; `releasing` until it confirms."""
    number = await service.delete(
        session, actor.team_id, number_id, by(actor), confirmation=confirmation
    )
    return NumberOut.model_validate(number, from_attributes=True)


@router.get("/{number_id}/activity")
async def list_activity(
    number_id: str, actor: CurrentActor, session: TeamSession, paging: PagingQuery
) -> Page[ActivityOut]:
    """Who changed what and when, the newest first."""
    await service.get(session, actor.team_id, number_id)
    query = activity.of_number(actor.team_id, number_id)
    rows, following = await paginate(session, query, paging, Activity.position)
    items = [ActivityOut.model_validate(row, from_attributes=True) for row in rows]
    return Page(items=items, next=following)


async def _detail(session: Session, number: Number) -> NumberDetail:
    readiness = await service.readiness(session, number)
    month = await _limits(session, number)
    plain = NumberOut.model_validate(number, from_attributes=True)
    return NumberDetail(
        **plain.model_dump(),
        missing=[
            MissingOut(code=each, sentence=rules.MISSING_SENTENCES[each])
            for each in readiness.missing
        ],
        calls=month[Service.CALLS],
        sms=month[Service.SMS],
    )


async def _limits(session: Session, number: Number) -> dict[Service, LimitOut]:
    month, used = await usage.counted_of(session, number.team_id, number.id)
    return {
        service: LimitOut(limit=use.limit, used=use.used, held=use.held, resets_at=month.ends_at)
        for service, use in used.items()
    }
