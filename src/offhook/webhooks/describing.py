"""The OpenAPI document's `webhooks`: each event as a request that a receiver gets, by its model."""

from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI

from offhook.webhooks import catalogue, rules
from offhook.webhooks.catalogue import Kind


def describe(application: FastAPI) -> None:
    """Add every event of the catalogue to the document that `application` serves."""
    for kind in catalogue.kinds():
        application.webhooks.add_api_route(
            kind.name,
            _receiver(kind),
            methods=["POST"],
            status_code=HTTPStatus.NO_CONTENT,
            summary=kind.sentence,
            description=f"Any 2xx within {rules.TOTAL_S:g} s takes it.",
            operation_id=f"webhook_{kind.name.replace('.', '_')}",
            tags=["webhooks"],
        )


def _receiver(kind: Kind) -> Callable[..., None]:
    """What FastAPI reads the body's model from."""

    def receive(body: object) -> None:
        del body

    receive.__annotations__["body"] = kind.envelope()
    return receive
