"""What the routes of bookings take: the desk of this process."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from offhook.bookings.desk import Desk


def _desk(request: Request) -> Desk:
    state = request.app.state
    return Desk(state.database, state.vault, state.outgoing)


CurrentDesk = Annotated[Desk, Depends(_desk)]
