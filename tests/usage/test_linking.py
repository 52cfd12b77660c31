"""What rooms above tell the ledger's pages: the call, the thread, and the limit of then."""

from datetime import datetime, timedelta

import pytest
from usage_desk import Clock

from number_fixtures import BY, make_number, make_team
from offhook import calls, messages, numbers
from offhook.calls.models import Call
from offhook.calls.rules import CallState
from offhook.db import Database, now
from offhook.inbox.models import Channel, Conversation, State
from offhook.messages.models import Direction, Message
from offhook.messages.rules import State as MessageState
from offhook.numbers import limits
from offhook.usage import LimitThen, Service


def thread(team: str, number: str, channel: Channel, at: datetime) -> Conversation:
    return Conversation(
        team_id=team,
        channel=channel,
        number_id=number,
        sender="+16502530000",
        state=State.CLOSED,
        opened_at=at,
        last_activity_at=at,
    )


@pytest.mark.parametrize(
    ("caller", "text"), [("+16502530000", "Call from (650) 253-0000"), ("", "hidden number")]
)
async def test_a_call_is_named_by_who_rang(clocked: Database, caller: str, text: str) -> None:
    team, rivals = await make_team(clocked, "Bakery"), await make_team(clocked, "Rivals")
    number = await make_number(clocked, team)
    async with clocked.team(team) as session:
        at = await now(session)
        conversation = thread(team, number, Channel.CALL, at)
        session.add(conversation)
        await session.flush()
        call = Call(
            team_id=team,
            conversation_id=conversation.id,
            number_id=number,
            carrier_call_id="CA1",
            caller=caller,
            state=CallState.ENDED,
            agent={},
            answered_at=at,
            heartbeat_at=at,
        )
        session.add(call)
        await session.flush()
        found = await calls.links(session, team, Service.CALLS, [call.id, "other"])
        assert found[call.id].href == f"/calls/{call.id}"
        assert text in found[call.id].text
        assert len(found) == 1
        assert await calls.links(session, team, Service.SMS, [call.id]) == {}
    async with clocked.team(rivals) as session:
        assert await calls.links(session, rivals, Service.CALLS, [call.id]) == {}


async def test_a_message_leads_to_its_thread(clocked: Database) -> None:
    team = await make_team(clocked, "Bakery")
    number = await make_number(clocked, team)
    async with clocked.team(team) as session:
        at = await now(session)
        conversation = thread(team, number, Channel.SMS, at)
        session.add(conversation)
        await session.flush()
        message = Message(
            team_id=team,
            number_id=number,
            conversation_id=conversation.id,
            direction=Direction.OUTBOUND,
            carrier_account="AC1",
            ours="+14155550100",
            remote="+16502530000",
            state=MessageState.SENT,
            created_at=at,
        )
        session.add(message)
        await session.flush()
        found = await messages.links(session, team, Service.SMS, [message.id])
    assert found[message.id].text == "Message to (650) 253-0000"
    assert found[message.id].href == f"/inbox/{conversation.id}"


async def test_the_limit_of_then_is_read_from_the_activity(clocked: Database, clock: Clock) -> None:
    team = await make_team(clocked, "Bakery")
    number = await make_number(clocked, team)
    start = clock.instant
    for hours, limit in ((1, 300), (2, None), (3, 50)):
        clock.instant = start + timedelta(hours=hours)
        async with clocked.team(team) as session:
            await limits.set_limit(session, team, number, BY, Service.CALLS, limit)
    async with clocked.team(team) as session:
        said = [
            await numbers.limit_then(
                session, team, number, Service.CALLS, start + timedelta(hours=hours)
            )
            for hours in (0.5, 1.5, 2.5, 3.5)
        ]
        never = await numbers.limit_then(session, team, number, Service.SMS, start)
    assert said == [LimitThen(None), LimitThen(300), LimitThen(None), LimitThen(50)]
    assert never == LimitThen(None)
