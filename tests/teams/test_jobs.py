"""What the door forgets by itself."""

from datetime import timedelta

from sqlalchemy import func, select

from offhook.db import Database, now
from offhook.teams import rules
from offhook.teams.jobs import forget_ended_sign_ins
from offhook.teams.models import SignIn
from web_fixtures import new_owner


async def test_sign_ins_that_have_ended_are_forgotten_and_living_ones_stay_sec5(
    database: Database,
) -> None:
    idle, old, alive = [await new_owner(database) for _ in range(3)]
    async with database.system() as session:
        present = await now(session)
        for person, seen_before, made_before in (
            (idle, rules.IDLE, rules.IDLE),
            (old, timedelta(0), rules.ABSOLUTE),
            (alive, rules.IDLE - timedelta(minutes=1), rules.ABSOLUTE - timedelta(minutes=1)),
        ):
            row = await session.scalar(select(SignIn).where(SignIn.user_id == person.user_id))
            assert row is not None
            row.last_seen_at, row.created_at = present - seen_before, present - made_before
    async with database.system() as session:
        assert await forget_ended_sign_ins(session) == 2
        assert await session.scalar(select(SignIn.user_id)) == alive.user_id
        assert await session.scalar(select(func.count()).select_from(SignIn)) == 1
