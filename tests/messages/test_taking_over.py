"""A person takes a thread over, answers by hand, and hands it back (S7)."""

import asyncio

from message_fixtures import ANN, Shop
from offhook import inbox, messages, teams
from offhook.messages.rules import Outcome, State, Why
from offhook.messages.sending import send_by_hand
from offhook.teams import service
from web_fixtures import new_member


async def take(shop: Shop, by: str = "usr_1") -> str:
    thread = (await shop.turns(ANN))[0].conversation_id
    async with shop.database.team(shop.team) as session:
        await messages.take_over(session, shop.team, thread, by, "Ana")
    return thread


async def write(shop: Shop, body: str) -> None:
    async with shop.database.team(shop.team) as session:
        await send_by_hand(
            session,
            shop.team,
            number_id=shop.number,
            to=ANN,
            body=body,
            country="US",
            account_id=shop.account.sid,
            author="ana@example.com",
        )


async def back(shop: Shop, thread: str) -> None:
    async with shop.database.team(shop.team) as session:
        await messages.hand_back(session, shop.team, thread, "Ana")


async def test_while_a_person_answers_the_agent_is_silent_and_then_knows_it_all(
    shop: Shop,
) -> None:
    await shop.text(ANN, "hello")
    await shop.work()
    thread = await take(shop)
    await shop.text(ANN, "A refund, please")
    await shop.work()
    await write(shop, "It is on its way.")
    await shop.work()
    await shop.text(ANN, "And when?")
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: hello", "It is on its way."]
    assert len(shop.model.briefings) == 1
    await back(shop, thread)
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: hello", "It is on its way.", "Re: And when?"]
    assert [said.text for said in shop.model.briefings[-1].history] == [
        "hello",
        "Re: hello",
        "A refund, please",
        "It is on its way.",
        "And when?",
    ]
    assert await shop.used() == (6, 0)
    notices = [text for who, text, _ in await shop.said(ANN) if who == "notice"]
    assert notices == ["Ana took over", "Ana handed back to the agent"]
    authors = {turn.text: turn.author for turn in await shop.turns(ANN) if turn.author}
    assert authors == {"It is on its way.": "ana@example.com"}
    notes = {text: note for _, text, note in await shop.said(ANN)}
    assert (notes["A refund, please"], notes["And when?"]) == ("Left to a person", "")


async def test_the_threads_of_a_member_who_left_are_the_agents_again(shop: Shop) -> None:
    """I6, S7"""
    for hook in (inbox.when_member_removed, messages.when_member_removed):
        teams.on_member_removed(hook)
    member = await new_member(shop.database, shop.team)
    await shop.text(ANN, "hello")
    await shop.work()
    thread = await take(shop, member.user_id)
    await shop.text(ANN, "And when?")
    await shop.work()
    async with shop.database.team(shop.team) as session:
        assert (await inbox.get(session, shop.team, thread)).assignee_id == member.user_id
        await service.remove_member(session, shop.team, teams.Role.OWNER, member.user_id)
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: hello", "Re: And when?"]
    async with shop.database.team(shop.team) as session:
        assert (await inbox.get(session, shop.team, thread)).assignee_id is None
    assert f"{member.email} has left the team: the agent answers again" in {
        text for who, text, _ in await shop.said(ANN) if who == "notice"
    }


async def test_a_reply_that_is_being_thought_of_is_not_sent(shop: Shop) -> None:
    """Its unit is given back; a text that waited is the person's."""
    shop.model.gate.clear()
    await shop.text(ANN, "hello")
    working = asyncio.create_task(shop.work())
    await shop.model.asked.wait()
    await take(shop)
    shop.model.gate.set()
    await working
    assert await shop.sent_to(ANN) == []
    assert await shop.used() == (1, 0)
    inbound, draft = await shop.messages()
    assert (inbound.outcome, inbound.why) == (Outcome.KEPT, Why.TAKEN_OVER)
    assert draft.state is State.WITHDRAWN


async def test_a_reply_that_is_queued_is_withdrawn_and_says_so(shop: Shop) -> None:
    await shop.text(ANN, "hello")
    await shop.work()
    thread = (await shop.turns(ANN))[0].conversation_id
    async with shop.database.team(shop.team) as session:
        reply = next(each for each in await shop.messages() if each.reply_id is None and each.kind)
        row = await session.get_one(messages.Message, reply.id)
        row.state, row.carrier_id, row.accepted_at = State.QUEUED, None, None
    await take(shop)
    async with shop.database.team(shop.team) as session:
        [turn] = [
            each
            for each in await inbox.turns_of(session, shop.team, thread)
            if each.speaker is inbox.Speaker.AGENT
        ]
    assert (turn.status, turn.note) == ("withdrawn", "Not sent: a person took over")


async def test_keywords_are_honoured_all_the_same(shop: Shop) -> None:
    """S4"""
    await shop.text(ANN, "hello")
    await shop.work()
    await take(shop)
    await shop.text(ANN, "STOP")
    async with shop.database.team(shop.team) as session:
        assert await messages.is_opted_out(session, shop.team, ours=shop.e164, remote=ANN)
