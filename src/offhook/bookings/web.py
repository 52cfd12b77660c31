"""What the routes of bookings take: the desk of this process."""

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from offhook.bookings.desk import Desk
from offhook.outgoing import Outgoing
from offhook.vault import open_vault


def _desk(request: Request) -> Desk:
    """Made at the first request; its client keeps no connection that would have to be closed."""
    state = request.app.state
    if not hasattr(state, "desk"):
        state.desk = Desk(state.database, open_vault(state.settings), Outgoing(state.settings))
    return cast("Desk", state.desk)


CurrentDesk = Annotated[Desk, Depends(_desk)]
