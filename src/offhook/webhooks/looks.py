"""How endpoints and deliveries are put into words for the pages. Pure."""

from collections.abc import Mapping
from datetime import datetime

from offhook.webhooks import rules
from offhook.webhooks.models import Attempt, Delivery, Endpoint
from offhook.webhooks.rules import DeliveryState, EndpointKind, EndpointState

ENDPOINT_PILLS: Mapping[EndpointState, tuple[str, str]] = {
    EndpointState.ON: ("On", "on"),
    EndpointState.OFF: ("Off", "off"),
    EndpointState.FAILING: ("Switched off", "error"),
    EndpointState.GONE: ("Switched off", "error"),
    EndpointState.REMOVED: ("Removed", "off"),
}
DELIVERY_PILLS: Mapping[DeliveryState, tuple[str, str]] = {
    DeliveryState.PENDING: ("Waiting", "busy"),
    DeliveryState.DELIVERED: ("Delivered", "on"),
    DeliveryState.FAILED: ("Failed", "error"),
    DeliveryState.STOPPED: ("Not sent", "off"),
}


def endpoint_pill(endpoint: Endpoint) -> tuple[str, str]:
    """The endpoint's state as text and colour."""
    if endpoint.state is EndpointState.ON and endpoint.failing_since is not None:
        return "Failing", "warn"
    return ENDPOINT_PILLS[endpoint.state]


def endpoint_title(endpoint: Endpoint) -> str:
    return endpoint.name or endpoint.url or "A listener"


def why_off(endpoint: Endpoint) -> str:
    """Why nothing is sent; empty while it is on."""
    match endpoint.state:
        case EndpointState.FAILING:
            days = rules.GIVE_UP_AFTER.days
            return f"Every attempt of {days} days has failed, so it was switched off."
        case EndpointState.GONE:
            return "It answered 410 Gone, so it was switched off."
        case EndpointState.OFF:
            return "It was switched off by hand."
        case _:
            return ""


def is_ours(endpoint: Endpoint) -> bool:
    """Whether it has an address that can be changed."""
    return endpoint.kind is EndpointKind.URL


def delivery_pill(delivery: Delivery, present: datetime) -> tuple[str, str]:
    """The delivery's state as text and colour."""
    leased = delivery.lease is not None and delivery.next_at is not None
    if delivery.state is DeliveryState.PENDING and leased and delivery.next_at > present:  # type: ignore[operator] - checked by `leased`
        return "Sending", "live"
    if delivery.state is DeliveryState.PENDING and delivery.tries:
        return "Retrying", "warn"
    return DELIVERY_PILLS[delivery.state]


def outcome(attempt: Attempt) -> str:
    """What came of an attempt, in a few words."""
    return f"{attempt.status}" if attempt.status is not None else "No answer"
