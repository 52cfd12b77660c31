"""A team's endpoints: made, changed, switched on and off, removed; their secrets (W5, W6, W13).

Each use case that changes what is sent locks the endpoint's row first, as the dispatchers do.
Others hear of an endpoint that was switched off by `when_switched_off`, joined in app.py.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from offhook import db
from offhook.db import (
    Session,
    event_kinds,
    for_change,
    new_id,
    now,
    one_at_a_time,
    touch,
    write_events,
)
from offhook.outgoing import Policy, check_url
from offhook.vault import Vault
from offhook.webhooks import problems, rules, signing
from offhook.webhooks.events import WebhookTest
from offhook.webhooks.models import Delivery, Endpoint, Secret
from offhook.webhooks.rules import DeliveryState, EndpointKind, EndpointState

NAME_LENGTH = 80
SwitchedOff = Callable[[Session, Endpoint], Awaitable[None]]
_switched_off: list[SwitchedOff] = []


def when_switched_off(handler: SwitchedOff) -> None:
    """`handler(session, endpoint)` runs in the transaction that switches it off by itself (W10)."""
    if handler not in _switched_off:
        _switched_off.append(handler)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants an endpoint to be. `events`: names, or "*" for all."""

    url: str
    events: Sequence[str] = (rules.EVERY,)
    name: str = ""
    with_text: bool = False


async def create(
    session: Session, vault: Vault, policy: Policy, team_id: str, by: str, wish: Wish
) -> tuple[Endpoint, str]:
    """A new endpoint, switched on, and its secret, which is never shown again (W13).

    Raises UrlRefused, EndpointInvalid, TooManyEndpoints.
    """
    url = str(check_url(wish.url.strip(), policy))
    return await add(session, vault, team_id, by, EndpointKind.URL, url, wish)


async def add(
    session: Session,
    vault: Vault,
    team_id: str,
    by: str,
    kind: EndpointKind,
    url: str,
    wish: Wish,
) -> tuple[Endpoint, str]:
    """An endpoint of any kind; its address has been checked."""
    # One at a time for a team, or two at once would be one too many.
    await one_at_a_time(session, f"webhook endpoints of {team_id}")
    if len(await listed(session, team_id)) >= rules.MOST_ENDPOINTS:
        raise problems.TooManyEndpoints(
            f"The team has {rules.MOST_ENDPOINTS} endpoints.", remedy="Remove one first."
        )
    present = await now(session)
    endpoint = Endpoint(
        id=new_id("whe"),
        team_id=team_id,
        kind=kind,
        name=_name(wish.name),
        url=url,
        events=_events(wish.events),
        with_text=wish.with_text,
        state=EndpointState.ON,
        state_since=present,
        created_by=by[:320],
        created_at=present,
    )
    session.add(endpoint)
    await session.flush()
    secret = await _add_secret(session, vault, endpoint)
    await _tell(session, endpoint)
    return endpoint, secret


async def change(
    session: Session, policy: Policy, team_id: str, endpoint_id: str, wish: Wish
) -> Endpoint:
    """Set address, events, name and text. What waits goes to the new address, as it was made.

    Raises EndpointNotFound and as `create` does.
    """
    endpoint = await get(session, team_id, endpoint_id, lock=True)
    if endpoint.kind is EndpointKind.URL:
        endpoint.url = str(check_url(wish.url.strip(), policy))
    endpoint.name, endpoint.events = _name(wish.name), _events(wish.events)
    endpoint.with_text = wish.with_text
    await session.flush()
    await _tell(session, endpoint)
    return endpoint


async def switch_on(session: Session, team_id: str, endpoint_id: str) -> Endpoint:
    """Send events again, those from now on; what was missed can be replayed (W11)."""
    endpoint = await get(session, team_id, endpoint_id, lock=True)
    if endpoint.state is not EndpointState.ON:
        endpoint.state, endpoint.state_since = EndpointState.ON, await now(session)
        endpoint.failing_since = None
        await session.flush()
        await _tell(session, endpoint)
    return endpoint


async def switch_off_by_hand(session: Session, team_id: str, endpoint_id: str) -> Endpoint:
    """Send nothing more, nor what waits (W14)."""
    endpoint = await get(session, team_id, endpoint_id, lock=True)
    if endpoint.state is EndpointState.ON:
        await _stop(session, endpoint, EndpointState.OFF)
    return endpoint


async def switch_off(session: Session, endpoint: Endpoint, state: EndpointState) -> None:
    """Stop an endpoint that fails or is gone (W10, W14); the caller has locked its row."""
    await _stop(session, endpoint, state)
    for handler in _switched_off:
        await handler(session, endpoint)


async def remove(session: Session, team_id: str, endpoint_id: str) -> None:
    """Forget an endpoint and its secrets at once (W14); its deliveries age out."""
    endpoint = await get(session, team_id, endpoint_id, lock=True)
    await _stop(session, endpoint, EndpointState.REMOVED)
    await session.execute(
        delete(Secret).where(Secret.team_id == team_id, Secret.endpoint_id == endpoint_id)
    )


async def get(session: Session, team_id: str, endpoint_id: str, *, lock: bool = False) -> Endpoint:
    """An endpoint that was not removed. Raises EndpointNotFound, also for another team's (SEC7)."""
    query = select(Endpoint).where(
        Endpoint.team_id == team_id,
        Endpoint.id == endpoint_id,
        Endpoint.state != EndpointState.REMOVED,
    )
    if lock:
        query = for_change(query)
    found = await session.scalar(query)
    if found is None:
        raise problems.EndpointNotFound(
            f"There is no webhook endpoint {endpoint_id[:40]}.",
            remedy="See the list under Webhooks.",
        )
    return found


async def listed(session: Session, team_id: str) -> Sequence[Endpoint]:
    """The endpoints that were not removed, the oldest first."""
    rows = await session.scalars(
        select(Endpoint)
        .where(Endpoint.team_id == team_id, Endpoint.state != EndpointState.REMOVED)
        .order_by(Endpoint.created_at, Endpoint.id)
    )
    return rows.all()


async def switched_off(session: Session, team_id: str) -> Sequence[Endpoint]:
    """The endpoints that were switched off by themselves and still are (W10)."""
    by_itself = (EndpointState.FAILING, EndpointState.GONE)
    return [each for each in await listed(session, team_id) if each.state in by_itself]


async def send_test(session: Session, team_id: str, endpoint_id: str) -> str:
    """Publish `webhook.test` for this endpoint alone; the event's id. Raises EndpointOff."""
    endpoint = await get(session, team_id, endpoint_id, lock=True)
    refuse_off(endpoint)
    (row,) = await write_events(session, [WebhookTest(team_id=team_id, endpoint_id=endpoint.id)])
    return row.id


def refuse_off(endpoint: Endpoint) -> None:
    """Raises EndpointOff where nothing would be sent."""
    if endpoint.state is not EndpointState.ON:
        raise problems.EndpointOff(
            f"The endpoint “{endpoint.name or endpoint.url}” is switched off.",
            remedy="Switch it on first.",
        )


# --- Secrets ---


async def secrets(session: Session, team_id: str, endpoint_id: str) -> Sequence[Secret]:
    """The live secrets, the current one first; their contents stay sealed."""
    present = await now(session)
    rows = await session.scalars(
        select(Secret)
        .where(
            Secret.team_id == team_id,
            Secret.endpoint_id == endpoint_id,
            Secret.expires_at.is_(None) | (Secret.expires_at > present),
        )
        .order_by(Secret.created_at.desc(), Secret.id.desc())
    )
    return rows.all()


async def rotate(
    session: Session, vault: Vault, team_id: str, endpoint_id: str, *, at_once: bool = False
) -> str:
    """A new secret; those before sign along for 24 h, or not at all (W6).

    Raises TooManySecrets when three are live.
    """
    endpoint = await get(session, team_id, endpoint_id, lock=True)
    present = await now(session)
    live = await secrets(session, team_id, endpoint_id)
    if at_once:
        await _forget(session, team_id, endpoint_id)
    elif len(live) >= rules.MOST_SECRETS:
        raise problems.TooManySecrets(
            f"The endpoint has {len(live)} live secrets.",
            remedy="Revoke an old one, or replace all of them at once.",
        )
    else:
        last = present + rules.BOTH_SECRETS
        for row in live:
            row.expires_at = min(row.expires_at or last, last)
    made = await _add_secret(session, vault, endpoint)
    await _tell(session, endpoint)
    return made


async def revoke(session: Session, team_id: str, endpoint_id: str, secret_id: str) -> None:
    """Stop signing with an older secret, at once. Raises SecretNotFound, SecretNeeded."""
    endpoint = await get(session, team_id, endpoint_id, lock=True)
    live = await secrets(session, team_id, endpoint_id)
    found = next((row for row in live if row.id == secret_id), None)
    if found is None:
        raise problems.SecretNotFound(
            f"There is no live secret {secret_id[:40]}.", remedy="See the endpoint's page."
        )
    if found.expires_at is None:
        raise problems.SecretNeeded(
            "This is the endpoint's current secret.",
            remedy="Make a new one that replaces it at once.",
        )
    await session.delete(found)
    await session.flush()
    await _tell(session, endpoint)


async def forget_expired(session: Session) -> None:
    """Delete the secrets whose time is over (system scope)."""
    present = await now(session)
    await session.execute(delete(Secret).where(Secret.expires_at <= present))


async def _add_secret(session: Session, vault: Vault, endpoint: Endpoint) -> str:
    text = signing.new_secret()
    row = Secret(
        id=new_id("whs"),
        team_id=endpoint.team_id,
        endpoint_id=endpoint.id,
        created_at=await now(session),
    )
    row.secret = db.seal(vault, row, "secret", text.encode())
    session.add(row)
    await session.flush()
    return text


async def _forget(session: Session, team_id: str, endpoint_id: str) -> None:
    await session.execute(
        delete(Secret).where(Secret.team_id == team_id, Secret.endpoint_id == endpoint_id)
    )


async def _stop(session: Session, endpoint: Endpoint, state: EndpointState) -> None:
    present = await now(session)
    endpoint.state, endpoint.state_since = state, present
    await session.execute(
        update(Delivery)
        .where(
            Delivery.team_id == endpoint.team_id,
            Delivery.endpoint_id == endpoint.id,
            Delivery.state == DeliveryState.PENDING,
        )
        .values(state=DeliveryState.STOPPED, ended_at=present, lease=None, next_at=None)
    )
    await session.flush()
    await _tell(session, endpoint)


async def _tell(session: Session, endpoint: Endpoint) -> None:
    await touch(session, endpoint.team_id, "webhooks", f"webhooks:{endpoint.id}")


def _name(name: str) -> str:
    trimmed = name.strip()
    if len(trimmed) > NAME_LENGTH:
        raise problems.EndpointInvalid(
            f"The name has {len(trimmed)} characters.",
            remedy=f"Use at most {NAME_LENGTH}.",
            errors=[{"field": "name", "sentence": f"At most {NAME_LENGTH} characters."}],
        )
    return trimmed


def _events(chosen: Sequence[str]) -> list[str]:
    if rules.EVERY in chosen:
        return [rules.EVERY]
    names = list(dict.fromkeys(chosen))
    unknown = [name for name in names if name not in event_kinds()]
    if unknown or not names:
        what = f"There is no event “{unknown[0][:60]}”." if unknown else "No event is chosen."
        raise problems.EndpointInvalid(
            what,
            remedy="Choose events of the catalogue, or “*” for all.",
            errors=[{"field": "events", "sentence": what}],
        )
    return names
