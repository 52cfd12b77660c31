"""`Idempotency-Key` on POST: the same key, route and team give the same answer, and one effect.

The answer is kept in the transaction of the effect itself, so there is never one without the
other, wherever the process dies. Repetitions that arrive at once wait for the first at an advisory
lock. A refusal keeps nothing: the repetition is tried anew.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

from fastapi.encoders import jsonable_encoder
from sqlalchemy import delete, select
from starlette.requests import Request
from starlette.responses import JSONResponse

from offhook.db import Session, now, one_at_a_time
from offhook.errors import Conflict, Invalid
from offhook.web.models import KeptAnswer

HEADER = "idempotency-key"
MAX_KEY = 255
KEPT = timedelta(hours=24)


class KeyReused(Conflict):
    code = "idempotency_key_reused"


class KeyInvalid(Invalid):
    code = "idempotency_key_invalid"


@dataclass(frozen=True, slots=True)
class Once:
    """One request's wish to be done once; without a key it is simply done."""

    request: Request
    session: Session
    team_id: str

    async def __call__(self, work: Callable[[], Awaitable[Any]], status: int = 201) -> JSONResponse:
        """The JSON answer of `work()`, or the kept one of an earlier request with this key.

        `work` uses this session only: what it does elsewhere is not undone with it.
        """
        key = self.request.headers.get(HEADER, "")
        if not key:
            return JSONResponse(jsonable_encoder(await work()), status)
        if len(key) > MAX_KEY or not key.isprintable():
            raise KeyInvalid(
                f"An Idempotency-Key of {len(key)} characters cannot be used.",
                remedy=f"Use at most {MAX_KEY} printable characters, such as a UUID.",
            )
        route = f"{self.request.method} {self.request.url.path}"[:200]
        digest = sha256(await self.request.body()).hexdigest()
        kept = await self._kept(key, route)
        if kept is not None:
            return _again(kept, digest)
        body = jsonable_encoder(await work())
        self.session.add(
            KeptAnswer(
                team_id=self.team_id,
                key=key,
                route=route,
                request_hash=digest,
                status=status,
                body=body,
                created_at=await now(self.session),
            )
        )
        await self.session.flush()
        return JSONResponse(body, status)

    async def _kept(self, key: str, route: str) -> KeptAnswer | None:
        """What is kept under this key, after waiting for whoever is at work on it."""
        await one_at_a_time(self.session, f"{self.team_id}\n{route}\n{key}")
        mine = (
            KeptAnswer.team_id == self.team_id,
            KeptAnswer.key == key,
            KeptAnswer.route == route,
        )
        too_old = KeptAnswer.created_at <= await now(self.session) - KEPT
        await self.session.execute(delete(KeptAnswer).where(*mine, too_old))
        return await self.session.scalar(select(KeptAnswer).where(*mine))


def _again(kept: KeptAnswer, digest: str) -> JSONResponse:
    if kept.request_hash != digest:
        raise KeyReused(
            f"The Idempotency-Key “{kept.key}” was used with another body.",
            remedy="Use a new key for a new request.",
        )
    return JSONResponse(kept.body, kept.status, headers={"Idempotency-Replayed": "true"})


async def forget_old(session: Session) -> int:
    """Delete answers older than a day (every team's; a system session). Gives their count."""
    gone = await session.scalars(
        delete(KeptAnswer)
        .where(KeptAnswer.created_at <= await now(session) - KEPT)
        .returning(KeptAnswer.key)
    )
    return len(gone.all())
