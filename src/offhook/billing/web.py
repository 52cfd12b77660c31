"""What the routes of billing find in the application: the gateway."""

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from offhook.billing.gateway import Gateway


def _gateway(request: Request) -> Gateway:
    return cast("Gateway", request.app.state.gateway)


CurrentGateway = Annotated[Gateway, Depends(_gateway)]
