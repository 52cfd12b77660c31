"""A call's turns on their way to the inbox."""

import asyncio
from datetime import UTC, datetime

from number_fixtures import make_team
from offhook import inbox
from offhook.calls.transcript import Transcript
from offhook.db import Database


async def test_a_turn_that_cannot_be_kept_costs_no_other(database: Database) -> None:
    """SM8: what the database refuses for good is not tried for ever."""
    team = await make_team(database, "Daily Bread")
    async with database.team(team) as session:
        call = await inbox.open_conversation(
            session, team, channel=inbox.Channel.CALL, number_id="num_a", sender=""
        )
    transcript = Transcript(database, team, call.id, datetime.now(UTC))
    transcript.caller("Hello?", 0, 500, status="longer than its column")
    transcript.caller("Are you there?", 900, 1_800)
    transcript.close()
    async with asyncio.timeout(60):
        await transcript.run()
    async with database.team(team) as session:
        turns = await inbox.turns_of(session, team, call.id)
    assert [(turn.sequence, turn.text) for turn in turns] == [(1, "Are you there?")]
