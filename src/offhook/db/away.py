"""What it looks like when the database is away, and how to wait for it no longer than one likes.

A server that was stopped or cut off says nothing at all, and giving up a statement that waits for
it takes the driver many seconds more. So what a live call asks is asked beside it: `within` returns
in time, and what was begun is given up behind its back.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

log = logging.getLogger(__name__)
T = TypeVar("T")
AWAY = (DBAPIError, PoolTimeoutError, OSError)
"""Refused, broken, no connection to be had, or no answer in time (TimeoutError is an OSError)."""

_AWAY_STATES = ("08", "57P", "53")
"""SQLSTATE classes: the connection is broken, the server stops or starts, it has no room."""

_given_up: set[asyncio.Task[Any]] = set()


def is_away(error: DBAPIError) -> bool:
    """Whether the server was not there, rather than that it refused a statement."""
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError) and (state is None or state.startswith(_AWAY_STATES))


async def within(seconds: float, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, or TimeoutError after `seconds` whatever `work` does about it.

    It may have been done all the same: only for what may be repeated.
    """
    task = asyncio.create_task(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        _give_up(task)
        raise
    if not done:
        _give_up(task)
        raise TimeoutError(f"no answer within {seconds:.1f} s")
    return task.result()


def _give_up(task: asyncio.Task[Any]) -> None:
    _given_up.add(task)
    task.add_done_callback(_given_up_at_last)
    task.cancel()


def _given_up_at_last(task: asyncio.Task[Any]) -> None:
    _given_up.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.debug("what was given up ended with %r", error)
