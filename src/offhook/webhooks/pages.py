"""Pages of webhooks: endpoints, one endpoint, deliveries, one delivery, the catalogue."""

from datetime import datetime
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from offhook.db import Database, Session, now
from offhook.teams import Actor, AdminActor, CurrentActor, TeamSession
from offhook.web import Banner, PagingQuery, redirect, render
from offhook.webhooks import catalogue, deliveries, endpoints, looks, replaying, rules, snippets
from offhook.webhooks.deliveries import Filter
from offhook.webhooks.endpoints import Wish
from offhook.webhooks.problems import ReplayInvalid
from offhook.webhooks.rules import DeliveryState, EndpointKind
from offhook.webhooks.web import CurrentPolicy, CurrentVault

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=2000)]
Chosen = Annotated[list[str], Form(max_length=200)]
Ticked = Annotated[bool, Form()]
Asked = Annotated[str, Query(max_length=60)]
RECENT = 8


@router.get("/webhooks")
async def index(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    """The endpoints and how they are."""
    return await _index(request, actor, session)


@router.get("/webhooks/rows")
async def rows(request: Request, actor: CurrentActor, session: TeamSession) -> HTMLResponse:
    return await _index(request, actor, session, block="rows")


async def _index(
    request: Request, actor: Actor, session: Session, *, block: str = ""
) -> HTMLResponse:
    found = await endpoints.listed(session, actor.team_id)
    return render(
        request,
        "webhooks/endpoints.html",
        block=block,
        actor=actor,
        endpoints=found,
        last=await deliveries.last_of(session, actor.team_id, [each.id for each in found]),
        looks=looks,
    )


@router.get("/webhooks/new")
async def new(request: Request, actor: AdminActor) -> HTMLResponse:
    return render(request, "webhooks/new.html", actor=actor, endpoint=None, **_choice())


@router.post("/webhooks/new")
async def create(
    request: Request,
    actor: AdminActor,
    session: TeamSession,
    vault: CurrentVault,
    policy: CurrentPolicy,
    *,
    url: Text,
    name: Text = "",
    every: Text = "",
    events: Chosen = [],  # noqa: B006 - FastAPI copies defaults
    with_text: Ticked = False,
) -> HTMLResponse:
    """Make it, and show its secret this once."""
    wish = _wish(url, name, every, events, with_text=with_text)
    row, secret = await endpoints.create(session, vault, policy, actor.team_id, actor.email, wish)
    return render(request, "webhooks/secret.html", endpoint=row, secret=secret, is_new=True)


@router.get("/webhooks/endpoints/{endpoint_id}")
async def endpoint(
    request: Request, endpoint_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    return await _endpoint(request, actor, session, endpoint_id)


@router.get("/webhooks/endpoints/{endpoint_id}/state")
async def endpoint_state(
    request: Request, endpoint_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    return await _endpoint(request, actor, session, endpoint_id, block="state")


async def _endpoint(
    request: Request, actor: Actor, session: Session, endpoint_id: str, *, block: str = ""
) -> HTMLResponse:
    row = await endpoints.get(session, actor.team_id, endpoint_id)
    recent = await deliveries.recent(session, actor.team_id, row.id, RECENT)
    return render(
        request,
        "webhooks/endpoint.html",
        block=block,
        actor=actor,
        endpoint=row,
        secrets=await endpoints.secrets(session, actor.team_id, row.id),
        most_secrets=rules.MOST_SECRETS,
        deliveries=recent,
        titles={row.id: looks.endpoint_title(row)},
        present=await now(session),
        is_url=row.kind is EndpointKind.URL,
        looks=looks,
        **_choice(),
    )


@router.post("/webhooks/endpoints/{endpoint_id}")
async def change(
    request: Request,
    endpoint_id: str,
    actor: AdminActor,
    session: TeamSession,
    policy: CurrentPolicy,
    *,
    url: Text = "",
    name: Text = "",
    every: Text = "",
    events: Chosen = [],  # noqa: B006 - as above
    with_text: Ticked = False,
) -> Response:
    wish = _wish(url, name, every, events, with_text=with_text)
    await endpoints.change(session, policy, actor.team_id, endpoint_id, wish)
    return redirect(request, f"/webhooks/endpoints/{endpoint_id}", toast="Saved")


@router.post("/webhooks/endpoints/{endpoint_id}/on")
async def switch_on(
    request: Request, endpoint_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await endpoints.switch_on(session, actor.team_id, endpoint_id)
    toast = "Switched on: events from now on are sent"
    return redirect(request, f"/webhooks/endpoints/{endpoint_id}", toast=toast)


@router.post("/webhooks/endpoints/{endpoint_id}/off")
async def switch_off(
    request: Request, endpoint_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await endpoints.switch_off_by_hand(session, actor.team_id, endpoint_id)
    return redirect(request, f"/webhooks/endpoints/{endpoint_id}", toast="Switched off")


@router.post("/webhooks/endpoints/{endpoint_id}/remove")
async def remove(
    request: Request, endpoint_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await endpoints.remove(session, actor.team_id, endpoint_id)
    return redirect(request, "/webhooks", toast="The endpoint is removed")


@router.post("/webhooks/endpoints/{endpoint_id}/test")
async def send_test(
    request: Request, endpoint_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    """Publish a test and show its delivery while it happens."""
    event_id = await endpoints.send_test(session, actor.team_id, endpoint_id)
    row = await deliveries.of_event(session, actor.team_id, endpoint_id, event_id)
    return redirect(request, f"/webhooks/deliveries/{row.id}", toast="A test is on its way")


@router.post("/webhooks/endpoints/{endpoint_id}/secrets")
async def rotate(
    request: Request,
    endpoint_id: str,
    actor: AdminActor,
    session: TeamSession,
    vault: CurrentVault,
    *,
    at_once: Ticked = False,
) -> HTMLResponse:
    secret = await endpoints.rotate(session, vault, actor.team_id, endpoint_id, at_once=at_once)
    row = await endpoints.get(session, actor.team_id, endpoint_id)
    return render(request, "webhooks/secret.html", endpoint=row, secret=secret, is_new=False)


@router.post("/webhooks/endpoints/{endpoint_id}/secrets/{secret_id}/revoke")
async def revoke(
    request: Request, endpoint_id: str, secret_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await endpoints.revoke(session, actor.team_id, endpoint_id, secret_id)
    return redirect(request, f"/webhooks/endpoints/{endpoint_id}", toast="Revoked")


@router.post("/webhooks/endpoints/{endpoint_id}/replay")
async def replay_range(
    request: Request,
    endpoint_id: str,
    actor: AdminActor,
    session: TeamSession,
    *,
    start: Text,
    end: Text,
    delivered_too: Ticked = False,
) -> Response:
    """Times are the team's own, as the form's fields give them."""
    count = await replaying.between(
        session,
        actor.team_id,
        endpoint_id,
        _time(start, actor.timezone, "start"),
        _time(end, actor.timezone, "end"),
        delivered_too=delivered_too,
    )
    toast = f"{count:,} {'event is' if count == 1 else 'events are'} on the way"
    return redirect(request, f"/webhooks/deliveries?endpoint_id={endpoint_id}", toast=toast)


@router.get("/webhooks/deliveries")
async def list_deliveries(
    request: Request,
    actor: CurrentActor,
    session: TeamSession,
    paging: PagingQuery,
    *,
    endpoint_id: Asked = "",
    state: Asked = "",
    event: Asked = "",
    conversation_id: Asked = "",
) -> HTMLResponse:
    """Deliveries of the last 30 days; narrowed by endpoint, state, event and conversation."""
    known = DeliveryState(state) if state in set(DeliveryState) else None
    chosen = Filter(endpoint_id, known, event, conversation_id=conversation_id)
    found, following = await deliveries.listed(session, actor.team_id, chosen, paging)
    here = request.url.include_query_params
    return render(
        request,
        "webhooks/deliveries.html",
        actor=actor,
        deliveries=found,
        endpoints=await endpoints.listed(session, actor.team_id),
        titles=await deliveries.titles(session, actor.team_id, found),
        kinds=sorted(catalogue.kinds(), key=lambda kind: kind.name),
        chosen=chosen,
        present=await now(session),
        next_url=str(here(cursor=following)) if following else "",
        first_url=str(request.url.remove_query_params("cursor")) if paging.cursor else "",
        looks=looks,
    )


@router.get("/webhooks/deliveries/{delivery_id}")
async def delivery(
    request: Request, delivery_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    return await _delivery(request, actor, session, delivery_id)


@router.get("/webhooks/deliveries/{delivery_id}/state")
async def delivery_state(
    request: Request, delivery_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    return await _delivery(request, actor, session, delivery_id, block="state")


async def _delivery(
    request: Request, actor: Actor, session: Session, delivery_id: str, *, block: str = ""
) -> HTMLResponse:
    row = await deliveries.get(session, actor.team_id, delivery_id)
    names = await deliveries.titles(session, actor.team_id, [row])
    return render(
        request,
        "webhooks/delivery.html",
        block=block,
        actor=actor,
        delivery=row,
        title=names[row.endpoint_id],
        event=await deliveries.event(session, actor.team_id, row.event_id),
        attempts=await deliveries.attempts(session, actor.team_id, row.id),
        most_attempts=rules.ATTEMPTS,
        body=catalogue.pretty(await deliveries.body(session, row)),
        present=await now(session),
        looks=looks,
    )


@router.post("/webhooks/deliveries/{delivery_id}/replay")
async def replay(
    request: Request, delivery_id: str, actor: AdminActor, session: TeamSession
) -> Response:
    await replaying.delivery(session, actor.team_id, delivery_id)
    return redirect(request, f"/webhooks/deliveries/{delivery_id}", toast="Sent again")


@router.get("/webhooks/events")
async def events(request: Request, actor: CurrentActor) -> HTMLResponse:
    """The catalogue: every event, its members and an example of its bytes."""
    return render(request, "webhooks/events.html", actor=actor, groups=catalogue.groups())


@router.get("/webhooks/verify")
async def verify(request: Request, actor: CurrentActor) -> HTMLResponse:
    """How a receiver verifies what it gets, in three languages."""
    return render(
        request,
        "webhooks/verify.html",
        actor=actor,
        snippets=snippets.ALL,
        total_s=round(rules.TOTAL_S),
        attempts=rules.ATTEMPTS,
        give_up_days=rules.GIVE_UP_AFTER.days,
    )


@router.get("/fragments/webhooks/{conversation_id}")
async def of_conversation(
    request: Request, conversation_id: str, actor: CurrentActor, session: TeamSession
) -> HTMLResponse:
    """What was told of a conversation, for its page in the inbox."""
    found = await deliveries.of_conversation(session, actor.team_id, conversation_id)
    return render(
        request,
        "webhooks/of_conversation.html",
        actor=actor,
        deliveries=found,
        titles=await deliveries.titles(session, actor.team_id, found),
        present=await now(session),
        looks=looks,
    )


async def banners(request: Request) -> list[Banner]:
    """An endpoint that was switched off by itself is named on every page (W10)."""
    actor = cast("Actor", request.state.actor)
    database = cast("Database", request.app.state.database)
    async with database.team(actor.team_id) as session:
        found = await endpoints.switched_off(session, actor.team_id)
    return [
        Banner(
            "warning",
            f"The webhook endpoint “{looks.endpoint_title(each)}” was switched off.",
            f"/webhooks/endpoints/{each.id}",
            "Look at it",
        )
        for each in found
    ]


def _choice() -> dict[str, Any]:
    """What the form of an endpoint offers."""
    return {"groups": catalogue.groups(), "every_name": rules.EVERY}


def _wish(url: str, name: str, every: str, events: list[str], *, with_text: bool) -> Wish:
    chosen = [rules.EVERY] if every == rules.EVERY else events
    return Wish(url, chosen, name, with_text)


def _time(text: str, zone: str, field: str) -> datetime:
    """What a `datetime-local` field says, in the team's zone. Raises ReplayInvalid."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        sentence = f"“{text[:40]}” is no time."
        raise ReplayInvalid(
            sentence,
            remedy="Choose a day and a time.",
            errors=[{"field": field, "sentence": sentence}],
        ) from None
