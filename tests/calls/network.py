"""The carrier, as our web process sees it: signed forms, and what they are answered with."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from office import SECRET

from offhook import carriers, numbers, teams
from offhook.db import Database
from offhook.settings import Settings
from offhook.speech import VoiceCache
from offhook.vault import open_vault
from offhook.web import create_app
from web_fixtures import room_routers

VOICE = "/carriers/twilio/voice"
STATUS = "/carriers/twilio/call-status"
Fields = Sequence[tuple[str, str]]


class Network:
    """The carrier: posts forms, signed with the account's token."""

    def __init__(self, app: FastAPI, settings: Settings) -> None:
        transport = httpx.ASGITransport(app)
        self._client = httpx.AsyncClient(transport=transport, base_url=settings.web_url)
        self._settings = settings

    def signature(self, path: str, fields: Fields) -> str:
        token = carriers.account(self._settings).token
        return carriers.sign(token, self._settings.web_url + path, fields)

    async def signed_by(self, token: str, path: str, fields: Fields) -> int:
        """How a request is answered that another account has signed."""
        signature = carriers.sign(token, self._settings.web_url + path, fields)
        return (await self.post(path, fields, signature)).status_code

    async def post(self, path: str, fields: Fields, signature: str | None = None) -> httpx.Response:
        signed = self.signature(path, fields) if signature is None else signature
        headers = {
            carriers.SIGNATURE_HEADER: signed,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        body = str(httpx.QueryParams(list(fields)))
        return await self._client.post(path, content=body, headers=headers)

    async def aclose(self) -> None:
        await self._client.aclose()


def status_form(sid: str, state: str, **more: str) -> list[tuple[str, str]]:
    return [("CallSid", sid), ("AccountSid", "AC1"), ("CallStatus", state), *more.items()]


@asynccontextmanager
async def network_of(
    settings: Settings, database: Database, voices: VoiceCache
) -> AsyncGenerator[Network]:
    """The network in front of the routes of calls."""
    app = create_app(settings, identify=teams.identify, csrf_exempt=("/carriers/",))
    app.state.database = database
    app.state.secret = SECRET
    lookup = numbers.account_lookup(database, open_vault(settings))
    app.state.carriers = carriers.Carriers(settings, lookup)
    app.state.voices = voices
    for router in room_routers(("calls",)):
        app.include_router(router)
    network = Network(app, settings)
    yield network
    await network.aclose()
