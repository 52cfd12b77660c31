"""One process's renewals: those that wait together share one transaction, as in a group commit.

A media process asks for the next minute of each of its calls. While one transaction is under way
newcomers gather for the next, so that a busy moment costs few transactions and a quiet one no
delay. Knows nothing of limits; each call's answer is the ledger's own.
"""

import asyncio
import logging
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from offhook.db import Database
from offhook.errors import NotFound
from offhook.usage.grants import Denied, Granted
from offhook.usage.minutes import Renewal, renew_minutes

log = logging.getLogger(__name__)
HELD_UP_S = 0.5  # a round that waits so long, for a lock or a lost server, holds up no other
AT_ONCE = 64  # keeps a counter's lock, and so everybody else on that number, within milliseconds
Answer = Granted | Denied | NotFound


@dataclass(frozen=True, slots=True)
class _Waiting:
    renewal: Renewal
    answer: asyncio.Future[Answer]


class Renewals:
    """The queue of one process, for one event loop."""

    def __init__(self, database: Database, *, held_up_s: float = HELD_UP_S) -> None:
        self._database = database
        self._held_up_s = held_up_s
        self._rounds: set[asyncio.Task[None]] = set()
        self._waiting: list[_Waiting] = []
        self._work: asyncio.Task[None] | None = None

    async def reserve(self, renewal: Renewal) -> Granted | Denied:
        """As `usage.reserve_minute` in a transaction of its own, with the same errors.

        Whoever gives up waiting may have been granted the minute; asking again says so.
        """
        waiting = _Waiting(renewal, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._work is None:
            self._work = asyncio.create_task(self._run())
        answer = await waiting.answer
        if isinstance(answer, NotFound):
            raise answer
        return answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                together = self._waiting[:AT_ONCE]
                del self._waiting[:AT_ONCE]
                task = asyncio.create_task(self._round(together))
                self._rounds.add(task)
                task.add_done_callback(self._rounds.discard)
                await asyncio.wait({task}, timeout=self._held_up_s)
        finally:
            self._work = None

    async def _round(self, together: list[_Waiting]) -> None:
        try:
            answers = await self._ask([waiting.renewal for waiting in together])
        except DBAPIError as error:
            if len(together) == 1 or error.connection_invalidated:
                _fail(together, error)
                return
            log.warning("%s renewals go on one by one: %s", len(together), error)
            for waiting in together:
                await self._round([waiting])
        except Exception as error:  # noqa: BLE001 - it is raised where each one waits
            _fail(together, error)
        else:
            for waiting, answer in zip(together, answers, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)

    async def _ask(self, renewals: list[Renewal]) -> list[Answer]:
        async with self._database.system() as session:
            return await renew_minutes(session, renewals)


def _fail(together: list[_Waiting], error: Exception) -> None:
    for waiting in together:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
