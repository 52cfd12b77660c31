"""What the routes of webhooks find in the application."""

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from offhook.outgoing import Policy, policy_of
from offhook.settings import Settings
from offhook.vault import Vault


def _vault(request: Request) -> Vault:
    return cast("Vault", request.app.state.vault)


def _policy(request: Request) -> Policy:
    """Which addresses an endpoint may have."""
    return policy_of(cast("Settings", request.app.state.settings))


CurrentVault = Annotated[Vault, Depends(_vault)]
CurrentPolicy = Annotated[Policy, Depends(_policy)]
