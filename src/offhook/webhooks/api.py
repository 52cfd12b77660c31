"""REST of webhook endpoints: the catalogue, endpoints, their secrets, a test."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from offhook.db import event_kinds
from offhook.teams import AdminActor, CurrentActor, OnceOnly, TeamSession, identify
from offhook.web import shapes
from offhook.webhooks import catalogue, endpoints, rules
from offhook.webhooks.endpoints import Wish
from offhook.webhooks.models import Endpoint
from offhook.webhooks.rules import EndpointKind, EndpointState
from offhook.webhooks.web import CurrentPolicy, CurrentVault

router = APIRouter(prefix="/api/v1/webhooks", tags=["webhooks"])


class EventOut(BaseModel):
    name: str
    description: str
    has_text: bool = Field(description="An endpoint may ask for what was said.")
    data_schema: dict[str, Any] = Field(description="JSON Schema of `data`.")
    example: dict[str, Any] = Field(description="`data` of an example.")


def _listed(schema: dict[str, Any]) -> None:
    """The names, once every room has said its own."""
    schema["enum"] = [rules.EVERY, *sorted(event_kinds())]


EventName = Annotated[str, Field(json_schema_extra=_listed)]


Events = Annotated[list[EventName], shapes.told(minItems=1)]


class EndpointIn(shapes.Exact):
    url: shapes.Url = Field(description="Where events are sent; https.")
    events: Events = Field(
        default=[rules.EVERY],
        max_length=200,
        description="Names of events, or `*` for all.",
    )
    name: str = Field(default="", max_length=80)
    with_text: bool = Field(
        default=False,
        description="Send what was said along: words, transcripts, numbers of new contacts.",
    )


class EndpointOut(BaseModel):
    id: str
    kind: EndpointKind
    name: str
    url: str
    events: list[str]
    with_text: bool
    state: EndpointState = Field(
        description="`failing` and `gone` were switched off by themselves."
    )
    state_since: datetime
    failing_since: datetime | None = Field(description="No attempt has succeeded since.")
    created_at: datetime


class EndpointMade(EndpointOut):
    secret: str = Field(description="Verifies signatures; it cannot be shown again.")


class SecretOut(BaseModel):
    id: str
    created_at: datetime
    expires_at: datetime | None = Field(description="Null: the current one.")


class RotateIn(shapes.Exact):
    at_once: bool = Field(
        default=False, description="Revoke every earlier secret now rather than after 24 hours."
    )


class SecretMade(BaseModel):
    secret: str = Field(description="Verifies signatures; it cannot be shown again.")


class TestOut(BaseModel):
    event_id: str = Field(description="The `webhook-id` of the test.")


def of_row(row: Endpoint) -> EndpointOut:
    return EndpointOut.model_validate(row, from_attributes=True)


def _wish(body: EndpointIn) -> Wish:
    return Wish(body.url, body.events, body.name, body.with_text)


@router.get("/catalogue", dependencies=[Depends(identify)])
async def list_events() -> list[EventOut]:
    """Every event that an endpoint may choose, with its schema and an example."""
    return [
        EventOut(
            name=each.name,
            description=each.sentence,
            has_text=each.speaks,
            data_schema=each.model.model_json_schema(),
            example=each.example(),
        )
        for each in catalogue.kinds()
    ]


@router.get("/endpoints")
async def list_endpoints(actor: CurrentActor, session: TeamSession) -> list[EndpointOut]:
    """The team's endpoints, the oldest first."""
    return [of_row(row) for row in await endpoints.listed(session, actor.team_id)]


@router.post("/endpoints", status_code=HTTPStatus.CREATED)
async def create_endpoint(
    body: EndpointIn,
    actor: AdminActor,
    session: TeamSession,
    vault: CurrentVault,
    policy: CurrentPolicy,
) -> EndpointMade:
    """Make an endpoint. Its secret is in this answer only, so the request cannot be replayed."""
    row, secret = await endpoints.create(
        session, vault, policy, actor.team_id, actor.email, _wish(body)
    )
    return EndpointMade(secret=secret, **of_row(row).model_dump())


@router.get("/endpoints/{endpoint_id}")
async def get_endpoint(endpoint_id: str, actor: CurrentActor, session: TeamSession) -> EndpointOut:
    """One endpoint and how it is."""
    return of_row(await endpoints.get(session, actor.team_id, endpoint_id))


@router.put("/endpoints/{endpoint_id}")
async def change_endpoint(
    endpoint_id: str,
    body: EndpointIn,
    actor: AdminActor,
    session: TeamSession,
    policy: CurrentPolicy,
) -> EndpointOut:
    """Set address, events, name and text; what waits goes to the new address."""
    return of_row(await endpoints.change(session, policy, actor.team_id, endpoint_id, _wish(body)))


@router.delete("/endpoints/{endpoint_id}", status_code=HTTPStatus.NO_CONTENT)
async def remove_endpoint(endpoint_id: str, actor: AdminActor, session: TeamSession) -> Response:
    """Remove an endpoint and its secrets; what waits for it is not sent."""
    await endpoints.remove(session, actor.team_id, endpoint_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/endpoints/{endpoint_id}/enable")
async def enable_endpoint(endpoint_id: str, actor: AdminActor, session: TeamSession) -> EndpointOut:
    """Send events again, from now on; what was missed can be replayed."""
    return of_row(await endpoints.switch_on(session, actor.team_id, endpoint_id))


@router.post("/endpoints/{endpoint_id}/disable")
async def disable_endpoint(
    endpoint_id: str, actor: AdminActor, session: TeamSession
) -> EndpointOut:
    """Send nothing more, nor what waits."""
    return of_row(await endpoints.switch_off_by_hand(session, actor.team_id, endpoint_id))


@router.post("/endpoints/{endpoint_id}/test", response_model=TestOut)
async def test_endpoint(
    endpoint_id: str, actor: AdminActor, session: TeamSession, once: OnceOnly
) -> JSONResponse:
    """Send `webhook.test` to this endpoint alone."""

    async def work() -> TestOut:
        return TestOut(event_id=await endpoints.send_test(session, actor.team_id, endpoint_id))

    return await once(work, HTTPStatus.OK)


@router.get("/endpoints/{endpoint_id}/secrets")
async def list_secrets(
    endpoint_id: str, actor: AdminActor, session: TeamSession
) -> list[SecretOut]:
    """The secrets that sign now, the current one first; never their contents."""
    await endpoints.get(session, actor.team_id, endpoint_id)
    rows = await endpoints.secrets(session, actor.team_id, endpoint_id)
    return [SecretOut.model_validate(row, from_attributes=True) for row in rows]


@router.post("/endpoints/{endpoint_id}/secrets", status_code=HTTPStatus.CREATED)
async def rotate_secret(
    endpoint_id: str,
    body: RotateIn,
    actor: AdminActor,
    session: TeamSession,
    vault: CurrentVault,
) -> SecretMade:
    """Make a new secret; earlier ones sign along for 24 hours."""
    secret = await endpoints.rotate(
        session, vault, actor.team_id, endpoint_id, at_once=body.at_once
    )
    return SecretMade(secret=secret)


@router.delete("/endpoints/{endpoint_id}/secrets/{secret_id}", status_code=HTTPStatus.NO_CONTENT)
async def revoke_secret(
    endpoint_id: str, secret_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    """Stop signing with an earlier secret, now."""
    await endpoints.revoke(session, actor.team_id, endpoint_id, secret_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
