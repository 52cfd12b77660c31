"""What is kept, for how long, and what an erasure takes away (W11, W12)."""

import json

import pytest
from hook_receiver import receiver
from sqlalchemy import func, select
from webhook_desk import Clock, Desk

from offhook import inbox, webhooks
from offhook.calls.events import TranscriptReady
from offhook.db import Database, EventRow
from offhook.inbox import Channel, Speaker
from offhook.webhooks import jobs, replaying
from offhook.webhooks.models import Attempt, Body, Delivery


async def count(database: Database, table: type) -> int:
    async with database.system() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_deliveries_are_kept_for_thirty_days_w11(clocked_desk: Desk, clock: Clock) -> None:
    desk = clocked_desk
    async with receiver() as there:
        await desk.endpoint(there.url)
        await desk.bake(3)
        await desk.dispatcher.run_due()
    clock.advance(days=29)
    await jobs.forget_old(desk.database)
    assert await count(desk.database, Delivery) == 3
    clock.advance(days=2)
    await jobs.forget_old(desk.database)
    for table in (Delivery, Attempt, Body):
        assert await count(desk.database, table) == 0


async def test_events_are_kept_for_ninety_days_and_the_last_of_a_conversation_for_good_w3(
    clocked_desk: Desk, clock: Clock
) -> None:
    desk = clocked_desk
    told = TranscriptReady(
        team_id=desk.team, conversation_id="cnv_1", call_id="call_1", number_id="num_1"
    )
    before = {row.id for row in await desk.bake(2)}
    first, last = await desk.publish(told, told)
    clock.advance(days=89)
    await jobs.forget_old(desk.database)
    assert await count(desk.database, EventRow) == 4
    clock.advance(days=2)
    (fresh,) = await desk.bake(1)
    await jobs.forget_old(desk.database)
    async with desk.database.system() as session:
        left = set(await session.scalars(select(EventRow.id)))
    assert left == {last.id, fresh.id}
    assert not left & (before | {first.id})
    (after,) = await desk.publish(told)
    assert after.sequence == 3


@pytest.fixture
async def call(desk: Desk) -> inbox.Conversation:
    """A call of two turns."""
    async with desk.database.team(desk.team) as session:
        made = await inbox.open_conversation(
            session,
            desk.team,
            channel=Channel.CALL,
            number_id="num_1",
            sender="+12025550123",
            contact_id=None,
            agent_id="agt_1",
            agent_version=1,
            call_id="call_1",
        )
        for speaker, text in ((Speaker.CALLER, "Zoë 🥐?"), (Speaker.AGENT, "Yes.")):
            await inbox.add_turn(session, desk.team, made.id, speaker=speaker, text=text)
    return made


def ready(desk: Desk, call: inbox.Conversation) -> TranscriptReady:
    return TranscriptReady(
        team_id=desk.team, conversation_id=call.id, call_id="call_1", number_id="num_1"
    )


async def test_what_was_said_goes_where_it_was_asked_for_and_nowhere_else_w12(
    desk: Desk, call: inbox.Conversation
) -> None:
    async with receiver() as thin, receiver() as full:
        _, one = await desk.endpoint(thin.url, events=["transcript.ready"])
        _, two = await desk.endpoint(full.url, events=["transcript.ready"], with_text=True)
        await desk.publish(ready(desk, call))
        await desk.dispatcher.run_due()
        (short,), (long,) = thin.received(one), full.received(two)
    assert short.id == long.id
    assert "turns" not in short.json["data"]
    said = [(turn["speaker"], turn["text"]) for turn in long.json["data"]["turns"]]
    assert said == [("caller", "Zoë 🥐?"), ("agent", "Yes.")]


async def test_an_erasure_takes_the_words_out_of_what_is_kept(
    desk: Desk, call: inbox.Conversation
) -> None:
    async with receiver() as full:
        _, secret = await desk.endpoint(full.url, events=["transcript.ready"], with_text=True)
        (event,) = await desk.publish(ready(desk, call))
        await desk.dispatcher.run_due()
        async with desk.database.team(desk.team) as session:
            assert await webhooks.forget_words(session, desk.team, [call.id]) == 1
            kept = await session.scalars(select(Body.body).where(Body.event_id == event.id))
            assert all("Zoë" not in json.dumps(json.loads(each)) for each in kept)
            for turn in await inbox.turns_of(session, desk.team, call.id):
                turn.text = ""
        (delivery,) = await desk.deliveries()
        async with desk.database.team(desk.team) as session:
            await replaying.delivery(session, desk.team, delivery.id)
        await desk.dispatcher.run_due()
        again = full.received(secret)[-1]
    assert "Zoë" not in again.body.decode()
