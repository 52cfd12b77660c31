"""What the routes of numbers find in the application."""

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from offhook.carriers import Carrier, Carriers
from offhook.settings import Settings
from offhook.vault import Vault


def _carriers(request: Request) -> Carriers:
    return cast("Carriers", request.app.state.carriers)


def _carrier(request: Request) -> Carrier:
    """Where numbers are bought: the operator's account."""
    return _carriers(request).operator


def _vault(request: Request) -> Vault:
    return cast("Vault", request.app.state.vault)


def _settings(request: Request) -> Settings:
    return cast("Settings", request.app.state.settings)


def _carrier_name(request: Request) -> str:
    return cast("Settings", request.app.state.settings).carrier


CurrentCarriers = Annotated[Carriers, Depends(_carriers)]
CurrentVault = Annotated[Vault, Depends(_vault)]
CurrentSettings = Annotated[Settings, Depends(_settings)]
CurrentCarrier = Annotated[Carrier, Depends(_carrier)]
CarrierName = Annotated[str, Depends(_carrier_name)]
