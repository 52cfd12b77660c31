"""Each request begins with nobody acting: a carrier where its callbacks come in, else Offhook.

`teams.identify` then says who it is.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from offhook.audit.actor import SYSTEM, By, Kind, acting

CARRIER = By(Kind.CARRIER, name="Carrier")


class Acting:
    """ASGI middleware. `callbacks`: the path's beginning of carriers' requests."""

    def __init__(self, app: ASGIApp, *, callbacks: str) -> None:
        self._app = app
        self._callbacks = callbacks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from_carrier = scope["type"] == "http" and scope["path"].startswith(self._callbacks)
        with acting(CARRIER if from_carrier else SYSTEM):
            await self._app(scope, receive, send)
