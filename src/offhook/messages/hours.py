"""When nobody is disturbed by a text that we begin (SEC19): the number's hours, asked above.

Whoever wrote within a day is answered at any time. calls/ keeps a number's rules for what it
starts, and cannot be asked from here: app.py joins it by `hours_from`.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import select

from offhook import numbers, phone
from offhook.db import Session, now
from offhook.errors import Conflict
from offhook.messages.models import Direction, Message
from offhook.phone import E164

LATELY = timedelta(hours=24)
Asked = Callable[[Session, numbers.Number, E164], Awaitable[tuple[bool, str]]]
"""Whether somebody must not be disturbed by the number now, and until when, in words."""
_asked: list[Asked] = []


class QuietHours(Conflict):
    """It is too early or too late where the recipient is."""

    code = "quiet_hours"


def hours_from(asked: Asked) -> None:
    """Have `asked` before a text is begun."""
    if asked not in _asked:
        _asked.append(asked)


async def check(session: Session, number: numbers.Number, to: E164) -> None:
    """Raises QuietHours, unless they wrote lately."""
    if not _asked or await _wrote_lately(session, number, to):
        return
    for asked in _asked:
        quiet, until = await asked(session, number, to)
        if quiet:
            again = f"from {until}" if until else "when its hours allow"
            raise QuietHours(
                f"It is too early or too late where {phone.national(to)} is.",
                remedy=f"Send it {again}, or change the hours on the number's page.",
            )


async def _wrote_lately(session: Session, number: numbers.Number, to: E164) -> bool:
    found = await session.scalar(
        select(Message.id)
        .where(
            Message.team_id == number.team_id,
            Message.number_id == number.id,
            Message.direction == Direction.INBOUND,
            Message.remote.in_(phone.spellings(phone.canonical(to))),
            Message.created_at > await now(session) - LATELY,
        )
        .limit(1)
    )
    return found is not None
