"""An SMS turn: stored once, answered once, counted right, honest about what is not answered."""

import asyncio
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, update
from sqlalchemy import text as sql

from message_fixtures import ANN, BOB, Shop
from number_fixtures import BY, make_agent, make_enabled, make_team
from offhook import costs, messages, numbers, webhooks
from offhook.db import when_published
from offhook.messages.rules import Outcome, State
from offhook.phone import E164
from offhook.teams import service as teams_service

WAITING = sql(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


async def test_a_text_is_answered_in_its_thread(shop: Shop) -> None:
    """S1, I1: end to end over the simulated carrier."""
    await shop.text(ANN, "Open on Sunday?")
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: Open on Sunday?"]
    assert [(who, text) for who, text, _ in await shop.said(ANN)] == [
        ("caller", "Open on Sunday?"),
        ("agent", "Re: Open on Sunday?"),
    ]
    assert await shop.used() == (2, 0)


async def test_a_replys_use_of_the_model_is_on_the_threads_cost(shop: Shop) -> None:
    """Written in the transaction of the reply; a text that is not answered costs nothing."""
    shop.model.used = (costs.Used(costs.Kind.TOKENS_OUT, "openai", "m", 7),)
    for text in ("one", "two"):
        await shop.text(ANN, text)
        await shop.work()
    await shop.limit(4)
    await shop.text(ANN, "three")
    await shop.work()
    thread = (await shop.turns(ANN))[0].conversation_id
    async with shop.database.team(shop.team) as session:
        found = await costs.of_conversation(session, shop.team, thread)
    assert [line.what for line in found.lines] == ["14 tokens written"]


async def test_a_team_that_hides_card_numbers_sends_them_and_keeps_none(shop: Shop) -> None:
    """SEC20: the agent's own words too, once the carrier has them."""
    async with shop.database.team(shop.team) as session:
        await teams_service.change_team(session, shop.team, mask_numbers=True)
    shop.model.says = lambda _: "Was it 4242 4242 4242 4242?"
    await shop.text(ANN, "My card is 4000 0566 5566 5556")
    await shop.work()
    assert await shop.sent_to(ANN) == ["Was it 4242 4242 4242 4242?"]
    kept = [message.body for message in await shop.messages()]
    kept += [turn.text for turn in await shop.turns(ANN)]
    assert sorted(kept) == sorted(["My card is •••• 5556", "Was it •••• 4242?"] * 2)


async def test_the_threads_memory_goes_along(shop: Shop) -> None:
    """S1, S8"""
    for text in ("I am Ann", "Who am I?"):
        await shop.text(ANN, text)
        await shop.work()
    history = [said.text for said in shop.model.briefings[-1].history]
    assert history == ["I am Ann", "Re: I am Ann", "Who am I?"]
    assert shop.model.briefings[-1].unanswered == ["Who am I?"]


async def test_a_text_told_twice_is_stored_answered_and_counted_once(shop: Shop) -> None:
    """S2, UT12, SEC2, faults a2"""
    sms = shop.sms(ANN, "hello")
    ids = await asyncio.gather(*(shop.take(sms) for _ in range(8)))
    await shop.work()
    ids += [await shop.take(sms)]
    await shop.work()
    assert len(set(ids)) == 1
    assert await shop.sent_to(ANN) == ["Re: hello"]
    assert await shop.used() == (2, 0)
    assert len(await shop.turns(ANN)) == 2


async def test_a_text_told_again_when_the_number_has_come_to_others_is_not_theirs(
    shop: Shop,
) -> None:
    """S2, N10: a carrier may repeat itself for two days."""
    sms = shop.sms(ANN, "hello")
    known = await shop.take(sms)
    await shop.disable()
    async with shop.database.team(shop.team) as session:
        await numbers.delete(session, shop.team, shop.number, BY, confirmation=E164(shop.e164))
        await session.execute(
            update(numbers.Number)
            .where(numbers.Number.id == shop.number)
            .values(status=numbers.NumberStatus.RELEASED, released_at=func.now())
        )
    others = await make_team(shop.database, "Others")
    theirs = await make_enabled(shop.database, others, await make_agent(shop.database, others))
    async with shop.database.team(others) as session:
        await session.execute(
            update(numbers.Number).where(numbers.Number.id == theirs).values(e164=shop.e164)
        )
    assert await shop.take(sms) == known
    async with shop.database.team(others) as session:
        assert list(await session.scalars(select(messages.Message.id))) == []


async def test_the_text_that_takes_the_last_unit_gets_no_reply(shop: Shop) -> None:
    """UT3, U5"""
    await shop.limit(1)
    await shop.text(ANN, "hello")
    await shop.work()
    assert await shop.sent_to(ANN) == []
    assert shop.model.briefings == []
    assert await shop.used() == (1, 0)
    assert await shop.said(ANN) == [("caller", "hello", "Limit reached, not answered")]


async def test_at_the_spend_cap_a_text_is_kept_with_the_reason_and_the_model_is_not_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message is free: the text takes it, its reply would cost, the next text too."""
    monkeypatch.setattr("offhook.usage.rules.FREE_MESSAGES", 1)
    await shop.cap("0")
    for body in ("Open on Sunday?", "Hello?"):
        await shop.text(ANN, body)
        await shop.work()
    assert await shop.sent_to(ANN) == []
    assert shop.model.briefings == []
    assert await shop.used() == (1, 0)
    notes = [note for _, _, note in await shop.said(ANN)]
    assert notes == ["Spend cap reached, not answered"] * 2


async def test_a_text_over_the_limit_is_kept_and_not_counted(shop: Shop) -> None:
    """UT4: neither counted nor answered later, when the limit is raised."""
    await shop.limit(2)
    await shop.text(ANN, "one")
    await shop.work()
    await shop.text(ANN, "two")
    await shop.work()
    await shop.limit(None)
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: one"]
    assert await shop.used() == (2, 0)
    assert (await shop.said(ANN))[-1] == ("caller", "two", "Limit reached, not answered")


async def test_a_text_to_a_disabled_number_is_kept_never_counted_never_answered_later(
    shop: Shop,
) -> None:
    """N9, UN2"""
    await shop.disable()
    await shop.text(ANN, "hello?")
    await shop.enable()
    await shop.work()
    assert await shop.sent_to(ANN) == []
    assert await shop.used() == (0, 0)
    assert await shop.said(ANN) == [("caller", "hello?", "Received while disabled")]
    await shop.text(ANN, "now?")
    await shop.work()
    assert len(await shop.sent_to(ANN)) == 1


async def test_a_number_disabled_while_the_model_thinks_sends_nothing(shop: Shop) -> None:
    """N9: the reply's unit is free again; the text itself stays counted."""
    shop.model.gate.clear()
    await shop.text(ANN, "hello?")
    working = asyncio.create_task(shop.work())
    await shop.model.asked.wait()
    assert await shop.used() == (1, 1)  # the reply's unit is taken before the model is asked (U5)
    await shop.disable()
    assert await shop.used() == (1, 0)
    shop.model.gate.set()
    await working
    assert await shop.sent_to(ANN) == []
    assert await shop.used() == (1, 0)


async def test_a_reply_queued_before_the_number_was_disabled_is_withdrawn(shop: Shop) -> None:
    """N9, UN1"""
    shop.model.gate.clear()
    await shop.text(ANN, "hello?")
    working = asyncio.create_task(shop.work())
    await shop.model.asked.wait()
    shop.model.gate.set()
    await shop.disable()
    await working
    assert await shop.used() in {(1, 0), (2, 0)}  # withdrawn, or handed over just before
    assert len(await shop.sent_to(ANN)) == (await shop.used())[0] - 1


async def test_several_texts_are_answered_by_one_reply(shop: Shop) -> None:
    """S3, SM7"""
    burst = [shop.sms(ANN, body) for body in ("I want to book", "Friday", "for 4")]
    for sms in (*burst, burst[1]):
        await shop.take(sms)
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: I want to book | Friday | for 4"]
    assert await shop.used() == (4, 0)


async def test_a_text_that_comes_while_the_model_thinks_supersedes_the_reply(shop: Shop) -> None:
    """SM7: one reply that knows all four; five units, no more."""
    shop.model.gate.clear()
    for body in ("I want to book", "Friday", "for 4"):
        await shop.text(ANN, body)
    working = asyncio.create_task(shop.work())
    await shop.model.asked.wait()
    await shop.text(ANN, "no, 6 people")
    shop.model.gate.set()
    await working
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: I want to book | Friday | for 4 | no, 6 people"]
    assert await shop.used() == (5, 0)
    assert len([each for each in await shop.messages() if each.outcome is Outcome.ANSWERED]) == 4


async def test_an_endless_burst_is_answered_and_the_second_reply_knows_both(shop: Shop) -> None:
    """S3"""
    shop.model.gate.clear()
    first = await shop.text(ANN, "first")
    async with shop.database.system() as session:
        message = await session.get_one(type((await shop.messages())[0]), first)
        message.created_at = message.created_at.replace(year=message.created_at.year - 1)
    working = asyncio.create_task(shop.work())
    await shop.model.asked.wait()
    await shop.text(ANN, "second")
    shop.model.gate.set()
    await working
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: first", "Re: second"]
    assert [said.text for said in shop.model.briefings[-1].history] == [
        "first",
        "Re: first",
        "second",
    ]


async def test_two_texts_that_take_the_last_two_units_get_no_reply(shop: Shop) -> None:
    """LB1, UT5: limit 2, two people at once, also as the first units of a month."""
    await shop.limit(2)
    await asyncio.gather(shop.text(ANN, "hello"), shop.text(BOB, "hello"))
    await shop.work()
    sent = await shop.sent_to(ANN) + await shop.sent_to(BOB)
    assert sent == []  # both texts are counted; no unit is left for a reply
    assert await shop.used() == (2, 0)
    notes = [(await shop.said(who))[-1][2] for who in (ANN, BOB)]
    assert notes == ["Limit reached, not answered"] * 2


async def test_with_one_unit_left_one_of_two_is_answered_while_limits_are_edited(
    shop: Shop,
) -> None:
    """LB1, UT5, UI1: the unit is taken before the slow model is asked."""
    await shop.limit(3)
    await asyncio.gather(shop.text(ANN, "hello"), shop.text(BOB, "hello"))

    async def edit(value: int) -> None:
        await shop.limit(value)

    jobs = (shop.jobs(), shop.jobs())
    edits = [edit(2 + index % 2) for index in range(30)]
    await asyncio.gather(*(each.run_due() for each in jobs), *edits)
    await shop.work()
    sent = await shop.sent_to(ANN) + await shop.sent_to(BOB)
    posted, held = await shop.used()
    assert len(sent) <= 1
    assert posted + held == 2 + len(sent) <= 3


async def test_hidden_texters_share_nothing(shop: Shop) -> None:
    """CI2, P5"""
    await shop.text("+266696687", "I am Ann, 5 High St")
    await shop.text("anonymous", "what do you know about me?")
    found = {each.conversation_id for each in await shop.messages()}
    assert len(found) == 2


async def test_a_long_reply_with_markup_goes_out_plain_and_short(shop: Shop) -> None:
    """S5, HS2, UT1: three segments, one unit."""
    shop.model.says = lambda _: "**Menu** [here](https://x.example/m)\n" + "bread and butter " * 60
    await shop.text(ANN, "menu?")
    await shop.work()
    [sent] = await shop.sent_to(ANN)
    assert sent.startswith("Menu here: https://x.example/m")
    assert sent.endswith(" ...")
    reply = (await shop.messages())[-1]
    assert (reply.segments, reply.encoding) == (3, "GSM-7")
    assert await shop.used() == (2, 0)


async def test_a_polite_stop_is_asked_about_not_ignored(shop: Shop) -> None:
    """SM2, SEC18"""
    await shop.text(ANN, "Please stop texting me")
    await shop.work()
    [sent] = await shop.sent_to(ANN)
    assert "STOP" in sent
    assert shop.model.briefings == []
    assert (await shop.said(ANN))[0][2] == "Wishes to stop"


async def test_a_text_for_a_number_that_nobody_holds_is_no_error(shop: Shop) -> None:
    from offhook import messages

    sms = shop.sms(ANN, "hello", to="+12025550177")
    assert (
        await messages.receive(shop.database, sms, account_id=shop.account.sid, settle_ms=0) is None
    )


async def test_news_after_the_reply_move_its_state(shop: Shop) -> None:
    """S6"""
    await shop.text(ANN, "hello")
    await shop.work()
    reply = (await shop.messages())[-1]
    assert reply.state in {State.SENDING, State.SENT, State.DELIVERED}
    assert reply.carrier_id is not None


@pytest.mark.parametrize(("earlier", "most"), [(0, 26), (1, 20)], ids=["new", "known"])
async def test_a_text_is_stored_in_few_statements(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, earlier: int, most: int
) -> None:
    """Of a sender who is new, and of one who has texted before; each is a wait for the server.
    Events are told to webhooks, as in an installation.
    """
    when_published(webhooks.fan_out)
    await shop.text(BOB, "hello")  # the month is there
    for _ in range(earlier):
        await shop.text(ANN, "hello")
    said: list[object] = []
    execute = psycopg.AsyncCursor[Any].execute

    async def counted(cursor: psycopg.AsyncCursor[Any], query: Any, *given: Any, **how: Any) -> Any:
        said.append(query)
        return await execute(cursor, query, *given, **how)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counted)
    await shop.text(ANN, "Do you have rye?")
    assert 15 < len(said) <= most, (len(said), said)


async def test_a_number_that_is_disabled_just_when_a_reply_is_begun_holds_no_unit(
    shop: Shop,
) -> None:
    """N9, U8: the reply's row was not there yet when those of the number were withdrawn."""

    async def waits() -> bool:
        async with shop.database.system() as session:
            return bool(await session.scalar(WAITING))

    await shop.text(ANN, "hello")
    async with shop.database.system() as elsewhere:
        await elsewhere.execute(sql("SELECT FROM usage_counters FOR UPDATE"))
        working = asyncio.create_task(shop.work())
        for _ in range(1_000):
            if await waits():
                break
            await asyncio.sleep(0.01)
        await shop.disable()
    await working
    assert await shop.sent_to(ANN) == []
    assert await shop.used() == (1, 0)
