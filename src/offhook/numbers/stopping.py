"""Who must know in the same instant that a number stopped: the rooms above register here (N9).

calls/ ends live calls, messages/ voids queued replies; this room imports neither. A handler works
in the transaction that stops the number, so either all of it happens or nothing does.
"""

from collections.abc import Awaitable, Callable

from offhook.db import Session, one_at_a_time
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


async def stays_as_it_is(session: Session, number_id: str) -> None:
    """From here to this transaction's commit the number does not stop; waits if it just does.

    For who answers a call: ask before `answering` and before any other lock. So a call is either
    seen by who stops the number, and ended, or sees that it has stopped (UI9).
    """
    await one_at_a_time(session, _key(number_id), shared=True)


def _key(number_id: str) -> str:
    return f"stops {number_id}"


async def stop(session: Session, number: Number, service: Service | None = None) -> None:
    """The number has stopped in this transaction: whoever registered ends what is live on it."""
    await one_at_a_time(session, _key(number.id))
    for handler in _handlers:
        await handler(session, number, service)
