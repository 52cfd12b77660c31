"""What the routes of numbers find in the application, and who acts in their terms."""

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from offhook.carriers import Carrier
from offhook.numbers.activity import By
from offhook.settings import Settings
from offhook.teams import Actor


def _carrier(request: Request) -> Carrier:
    return cast("Carrier", request.app.state.carrier)


def _carrier_name(request: Request) -> str:
    return cast("Settings", request.app.state.settings).carrier


CurrentCarrier = Annotated[Carrier, Depends(_carrier)]
CarrierName = Annotated[str, Depends(_carrier_name)]


def by(actor: Actor) -> By:
    return By(actor.who, actor.email)
