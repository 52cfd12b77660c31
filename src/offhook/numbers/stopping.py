"""Who must know in the same instant that a number stopped: the rooms above register here (N9).

calls/ ends live calls, messages/ voids queued replies; this room imports neither. A handler works
in the transaction that stops the number, so either all of it happens or nothing does.
"""

from collections.abc import Awaitable, Callable

from offhook.db import Session
from offhook.numbers.models import Number
from offhook.usage import Service

Stopped = Callable[[Session, Number, Service | None], Awaitable[None]]
_handlers: list[Stopped] = []


def when_stopped(handler: Stopped) -> None:
    """Have `handler(session, number, service)` called; service None: all of the number stops."""
    if handler not in _handlers:
        _handlers.append(handler)


def forget(handler: Stopped) -> None:
    _handlers.remove(handler)


async def stop(session: Session, number: Number, service: Service | None = None) -> None:
    for handler in _handlers:
        await handler(session, number, service)
