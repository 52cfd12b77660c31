"""`Idempotency-Key`: one effect and one answer, also for repetitions that come at once."""

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.event import listen

from offhook.db import Event, EventRow, new_id, publish
from offhook.errors import Conflict
from offhook.teams import CurrentActor, OnceOnly, TeamSession
from offhook.web import forget_old
from offhook.web.models import KeptAnswer
from web_fixtures import Person, Site, new_owner


class Made(Event):
    event = "thing.made"


class Thing(BaseModel):
    name: str


@pytest.fixture
def making(site: Site) -> Site:
    """A route whose effect is an event."""
    router = APIRouter()

    @router.post("/api/v1/things")
    async def make(body: Thing, actor: CurrentActor, session: TeamSession, once: OnceOnly) -> Any:
        async def work() -> dict[str, str]:
            await publish(session, Made(team_id=actor.team_id))
            if body.name == "refused":
                raise Conflict("Refused.")
            return {"id": new_id("thing"), "name": body.name}

        return await once(work)

    site.app.include_router(router)
    return site


async def count(site: Site) -> int:
    async with site.database.system() as session:
        return (
            await session.execute(
                select(func.count()).select_from(EventRow).where(EventRow.name == "thing.made")
            )
        ).scalar_one()


async def test_the_same_key_gives_the_same_answer_once(making: Site, owner: Person) -> None:
    async with making.client(owner) as client:
        headers = {"Idempotency-Key": "k1"}
        first = await client.post("/api/v1/things", json={"name": "a"}, headers=headers)
        again = await client.post("/api/v1/things", json={"name": "a"}, headers=headers)
        other = await client.post(
            "/api/v1/things", json={"name": "a"}, headers={"Idempotency-Key": "k2"}
        )
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json() != other.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await count(making) == 2


async def test_twenty_at_once_have_one_effect(making: Site, owner: Person) -> None:
    async with making.client(owner) as client:
        answers = await asyncio.gather(
            *(
                client.post("/api/v1/things", json={"name": "a"}, headers={"Idempotency-Key": "k"})
                for _ in range(20)
            )
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert await count(making) == 1


async def test_another_body_under_the_same_key_is_refused(making: Site, owner: Person) -> None:
    async with making.client(owner) as client:
        headers = {"Idempotency-Key": "k"}
        await client.post("/api/v1/things", json={"name": "a"}, headers=headers)
        told = await client.post("/api/v1/things", json={"name": "b"}, headers=headers)
    assert (told.status_code, told.json()["code"]) == (409, "idempotency_key_reused")
    assert await count(making) == 1


async def test_a_refusal_undoes_all_and_is_tried_anew(making: Site, owner: Person) -> None:
    async with making.client(owner) as client:
        headers = {"Idempotency-Key": "k"}
        for _ in range(2):
            told = await client.post("/api/v1/things", json={"name": "refused"}, headers=headers)
            assert told.status_code == 409
            assert told.json()["code"] == "conflict"
        fine = await client.post("/api/v1/things", json={"name": "a"}, headers=headers)
    assert fine.status_code == 201
    assert await count(making) == 1


async def test_teams_do_not_share_keys(making: Site, owner: Person) -> None:
    other = await new_owner(making.database)
    for person in (owner, other):
        async with making.client(person) as client:
            await client.post(
                "/api/v1/things", json={"name": "a"}, headers={"Idempotency-Key": "k"}
            )
    assert await count(making) == 2


@pytest.mark.parametrize("key", ["x" * 256, "a\tb"])
async def test_a_key_that_cannot_be_kept_is_refused(making: Site, owner: Person, key: str) -> None:
    async with making.client(owner) as client:
        told = await client.post(
            "/api/v1/things", json={"name": "a"}, headers={"Idempotency-Key": key}
        )
    assert (told.status_code, told.json()["code"]) == (422, "idempotency_key_invalid")


async def test_answers_are_forgotten_after_a_day(making: Site, owner: Person) -> None:
    async with making.client(owner) as client:
        await client.post("/api/v1/things", json={"name": "a"}, headers={"Idempotency-Key": "k"})
    async with making.database.system() as session:
        kept = (await session.scalars(select(KeptAnswer))).one()
        assert await forget_old(session) == 0
        kept.created_at = kept.created_at.replace(year=kept.created_at.year - 1)
        await session.flush()
        assert await forget_old(session) == 1


async def test_an_answer_is_given_only_after_the_commit(site: Site, owner: Person) -> None:
    """A commit that fails is the request's failure, never a success that was not kept."""
    router = APIRouter()

    @router.post("/api/v1/lost")
    async def lost(session: TeamSession) -> dict[str, str]:
        def fail(_: object) -> None:
            raise RuntimeError("the database went away")

        await session.execute(select(1))
        listen(session.sync_session, "before_commit", fail)
        return {"state": "kept"}

    site.app.include_router(router)
    async with site.client(owner) as client:
        told = await client.post("/api/v1/lost")
    assert told.status_code == 500
