"""The dispatcher of a worker: claims what is due, sends it, records what came of it.

Requests run beside each other, results are written together as they come. Failing endpoints get
at most half of the places, so they never fill the house (W9). Killed anywhere, it leaves leases
that run out (faults d); told to stop, it gives its work back.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from offhook.db import Busy, Database, Listener, Session
from offhook.failpoints import failpoint
from offhook.outgoing import Call, Outgoing, OutgoingProblem
from offhook.vault import Vault
from offhook.webhooks import bodies, rules, signing
from offhook.webhooks.claiming import Claimed, Hold, claim
from offhook.webhooks.fanout import DUE
from offhook.webhooks.recording import Tried, let_go, record

log = logging.getLogger(__name__)
PLACES = 256
"""Requests under way in one process."""
POLL_S = 1.0
GRACE_S = 5.0
AGAIN_S = 1.0
AWAY = (DBAPIError, Busy)
"""The database is away, or has no connection left: what is at hand waits."""
UNSIGNED = "Its secret cannot be read, so nothing was sent. Make a new secret."


class Dispatcher:
    """One per worker process; `run` until it is cancelled."""

    def __init__(
        self, database: Database, vault: Vault, outgoing: Outgoing, *, places: int = PLACES
    ) -> None:
        self._database = database
        self._vault = vault
        self._outgoing = outgoing
        self._places = places
        self._wake = asyncio.Event()
        self._done: asyncio.Queue[Tried] = asyncio.Queue()
        self._under_way: dict[asyncio.Task[None], _Place] = {}

    async def run(self) -> None:
        """Deliver until cancelled; then what is under way gets a moment to end."""
        async with asyncio.TaskGroup() as group:
            beside = [group.create_task(self._listen()), group.create_task(self._record())]
            try:
                while True:
                    self._wake.clear()
                    await self._claim()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(POLL_S):
                            await self._wake.wait()
            finally:
                await self._stop()
                for task in beside:
                    task.cancel()

    async def run_due(self) -> None:
        """Deliver what is due now, then return."""
        while True:
            await self._claim()
            if self._under_way:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            ready = self._ready()
            if not ready and not self._under_way:
                return
            await self._write(ready)

    # --- claiming ---

    async def _claim(self) -> None:
        """Take what there is room for and start its requests; a database that is away waits."""
        failpoint("webhooks.due")
        try:
            async with self._database.system() as session:
                fine = await self._claimed(session, failing=False, coming=0)
                others = await self._claimed(session, failing=True, coming=len(fine))
        except AWAY as error:
            log.warning("webhooks wait for the database: %s", _why(error))
            return
        if fine or others:
            failpoint("webhooks.claimed")
        for claimed, failing in ((fine, False), (others, True)):
            for each in claimed:
                task = asyncio.create_task(self._attempt(each))
                self._under_way[task] = _Place(each.hold, failing)
                task.add_done_callback(self._free)

    async def _claimed(self, session: Session, *, failing: bool, coming: int) -> list[Claimed]:
        """What there is room for beside what is under way and about to be."""
        places = self._under_way.values()
        room = self._places - len(places) - coming
        if failing:
            room = min(room, self._places // 2 - sum(place.failing for place in places))
        slots = rules.slots(failing=failing)
        counts = Counter(place.hold.endpoint_id for place in places)
        full = [endpoint_id for endpoint_id, count in counts.items() if count >= slots]
        return await claim(session, self._vault, failing=failing, busy=full, room=room)

    def _free(self, task: asyncio.Task[None]) -> None:
        self._under_way.pop(task)

    # --- sending ---

    async def _attempt(self, claimed: Claimed) -> None:
        try:
            tried = await send(self._outgoing, claimed, await self._body(claimed))
        except AWAY as error:
            log.warning("delivery %s waits for the database: %s", claimed.hold.id, _why(error))
            return  # its lease ends
        except Exception:  # a defect met by one delivery is a failed attempt and stops no other
            log.exception("delivery %s could not be sent", claimed.hold.id)
            tried = Tried(claimed.hold, datetime.now(UTC), 0, {}, error="It could not be sent.")
        self._done.put_nowait(tried)

    async def _body(self, claimed: Claimed) -> bytes:
        if claimed.body is not None:
            return claimed.body
        return await bodies.keep(
            self._database, claimed.hold.team_id, claimed.event_id, with_text=claimed.with_text
        )

    # --- recording ---

    async def _record(self) -> None:
        """Write results as they come; while the database is away they are kept."""
        while True:
            first = await self._done.get()
            batch = [first, *self._ready()]
            while not await self._written(batch):  # noqa: ASYNC110 - the database says no word
                await asyncio.sleep(AGAIN_S)
            for _ in batch:
                self._done.task_done()
            self._wake.set()

    async def _written(self, batch: Sequence[Tried]) -> bool:
        """Whether these need not be looked at again."""
        try:
            await self._write(batch)
        except Exception as error:  # what cannot be recorded loses no other; its lease ends
            if isinstance(error, AWAY) and not isinstance(error, DataError | IntegrityError):
                log.warning("%s attempts wait to be recorded: %s", len(batch), _why(error))
                return False
            log.exception("not recorded: %s", ", ".join(each.hold.id for each in batch))
            if len(batch) > 1:
                await self._write_each(batch)
        return True

    async def _write_each(self, batch: Sequence[Tried]) -> None:
        for each in batch:
            while not await self._written([each]):  # noqa: ASYNC110 - as above
                await asyncio.sleep(AGAIN_S)

    def _ready(self) -> list[Tried]:
        ready: list[Tried] = []
        while not self._done.empty():
            ready.append(self._done.get_nowait())
        return ready

    async def _write(self, batch: Sequence[Tried]) -> None:
        if batch:
            failpoint("webhooks.answered")
            async with self._database.system() as session:
                await record(session, batch)
            failpoint("webhooks.recorded")

    # --- waking and stopping ---

    async def _listen(self) -> None:
        def heard(_team_id: str, topic: str) -> None:
            if topic == DUE:
                self._wake.set()

        await Listener(self._database.psycopg_url, heard, self._wake.set).run()

    async def _stop(self) -> None:
        """A moment for what is under way, its results, and what then remains is given back."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=GRACE_S)
        left = {task: place.hold for task, place in self._under_way.items()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        with suppress(TimeoutError, DBAPIError):  # Busy is a TimeoutError
            async with asyncio.timeout(GRACE_S):
                await self._done.join()
                if left:
                    async with self._database.system() as session:
                        await let_go(session, list(left.values()))


def _why(error: DBAPIError | Busy) -> object:
    return error.orig if isinstance(error, DBAPIError) else error


@dataclass(frozen=True, slots=True)
class _Place:
    """A request under way, and whether it was claimed as one to a failing endpoint."""

    hold: Hold
    failing: bool


async def send(outgoing: Outgoing, claimed: Claimed, body: bytes) -> Tried:
    """Make one attempt; every outcome is a `Tried`, never an exception."""
    at = datetime.now(UTC)
    if not claimed.secrets:
        return Tried(claimed.hold, at, 0, {}, error=UNSIGNED)
    began = time.perf_counter()
    headers = signing.headers(claimed.event_id, at, body, claimed.secrets)
    call = Call(
        "POST",
        claimed.hold.url,
        headers=headers,
        body=body,
        answer_bytes=rules.ANSWER_BYTES,
        connect_s=rules.CONNECT_S,
        total_s=rules.TOTAL_S,
    )
    try:
        answer = await outgoing.send(call)
    except OutgoingProblem as problem:
        passed_ms = round((time.perf_counter() - began) * 1000)
        return Tried(claimed.hold, at, passed_ms, headers, error=problem.sentence[:300])
    return Tried(
        claimed.hold,
        at,
        answer.elapsed_ms,
        headers,
        status=answer.status,
        error="" if rules.is_success(answer.status) else f"It answered {answer.status}.",
        answer=answer.body[: rules.ANSWER_KEPT].decode(errors="replace").replace("\0", "\ufffd"),
        asked=rules.retry_after(answer.headers.get_list("retry-after"), at),
    )
