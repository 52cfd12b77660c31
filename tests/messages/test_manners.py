"""A number's manners by text at work: brakes hold replies and units back, and people hear of it."""

import asyncio

import pytest
from sqlalchemy import select, text

from message_fixtures import ANN, BOB, Shop
from number_fixtures import BY
from offhook import inbox, messages, numbers
from offhook.db import EventRow
from offhook.messages.manners import braking, service
from offhook.messages.manners.rules import Manners, MannersInvalid
from offhook.messages.rules import NOTES, Kind, Outcome, Why
from offhook.messages.wording import ENGLISH
from offhook.numbers.problems import NumberGone
from offhook.phone import E164

MEXICO = "+525587654321"


async def notes(shop: Shop, remote: str) -> list[str]:
    return [note for _, _, note in await shop.said(remote)]


async def needed(shop: Shop) -> list[str]:
    """Why a person is needed, over all threads."""
    async with shop.database.team(shop.team) as session:
        asked = inbox.Filter(person_needed=True)
        return [
            each.person_needed for each in await session.scalars(inbox.listed(shop.team, asked))
        ]


async def test_a_sender_gets_so_many_replies_an_hour_and_what_is_held_back_costs_nothing(
    shop: Shop,
) -> None:
    """SEC11"""
    await shop.manners(replies_per_hour=2)
    for count in range(4):
        await shop.text(ANN, f"question {count}")
        await shop.work()
    assert await shop.sent_to(ANN) == ["Re: question 0", "Re: question 1"]
    assert await shop.used() == (4, 0)
    assert (await notes(shop, ANN))[-2:] == [NOTES[Why.SENDER_BRAKE]] * 2
    assert await needed(shop) == [
        "This sender texts more than the number answers in an hour or a day."
    ]
    await shop.text(BOB, "hello")
    await shop.work()
    assert await shop.sent_to(BOB) == ["Re: hello"]
    await shop.older(3_600)
    await shop.text(ANN, "now?")
    await shop.work()
    assert (await shop.sent_to(ANN))[-1] == "Re: now?"


async def test_a_brake_also_holds_what_came_before_it_closed(shop: Shop) -> None:
    """SEC11: texts that wait when the last reply goes out; their unit was taken in good faith."""
    await shop.manners(replies_per_hour=1)
    shop.model.gate.clear()
    await shop.text(ANN, "first")
    await shop.older(30)  # an endless burst: answered all the same
    working = asyncio.create_task(shop.work())
    await shop.model.asked.wait()
    await shop.text(ANN, "second")
    shop.model.gate.set()
    await working
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: first"]
    assert (await notes(shop, ANN))[1:2] == [NOTES[Why.SENDER_BRAKE]]


async def test_two_machines_are_parted_and_a_person_hears_of_it(shop: Shop) -> None:
    """SEC11: a bot pair; cost is bounded, and a person's word lets them talk again."""
    shop.model.says = lambda _: "Thanks for your text! How can we help you today?"
    for _ in range(12):
        await shop.text(BOB, "This is an automated reply. We are closed until Monday.")
        await shop.work()
    assert len(await shop.sent_to(BOB)) == 4
    assert (await notes(shop, BOB))[-1] == NOTES[Why.LOOP]
    assert await shop.used() == (8, 0)
    assert len(await needed(shop)) == 1
    async with shop.database.team(shop.team) as session:
        await messages.send_by_hand(
            session, shop.team, number_id=shop.number, to=BOB, body="Bo here, can I help?",
            country="US", account_id=shop.account.sid, author="ana@example.com",
        )  # fmt: skip
    await shop.text(BOB, "Yes, do you have rye bread?")
    await shop.work()
    assert len(await shop.sent_to(BOB)) == 6


async def test_of_a_flood_the_first_senders_are_answered_and_of_the_others_nothing_is_counted(
    shop: Shop,
) -> None:
    """SEC11: one of the others is raised to the team."""
    await shop.manners(new_senders_per_hour=3)
    for last in range(8):
        await shop.text(f"+1628555{last:04}", "Call me back")
    await shop.text("+16285560000", "Do you have rye?")
    await shop.work()
    assert await shop.used() == (8, 0)
    kept = [each for each in await shop.messages() if each.outcome is Outcome.KEPT]
    assert [each.why for each in kept] == [Why.BLOCK_BRAKE] * 5
    assert await needed(shop) == ["Many unknown senders of one block of numbers text at once."]
    assert await shop.sent_to("+16285560000") == ["Re: Do you have rye?"]
    # Somebody of the block who is known already is served.
    await shop.text("+16285550001", "Are you there?")
    await shop.work()
    assert (await shop.sent_to("+16285550001"))[-1] == "Re: Are you there?"
    await shop.older(3_600)
    await shop.text("+16285550007", "hello")
    await shop.work()
    assert await shop.sent_to("+16285550007") == ["Re: hello"]


FLOOD = """
    INSERT INTO conversations (id, team_id, channel, number_id, sender, state, reason, opened_at,
        last_activity_at, person_needed, preview, last_sequence)
    SELECT 'cnv_' || n, :team, 'sms', :number, '+1628555' || lpad((n * 7919 % 10000)::text, 4, '0'),
        'open', '', moment.at, moment.at, '', 'Call me back', 1
    FROM generate_series(0, 9999) AS n,
        LATERAL (SELECT now() - interval '59 minutes' + n * interval '0.3 seconds' AS at) AS moment
"""


READ = """
    SELECT sum(seq_tup_read + idx_tup_fetch)::int FROM pg_stat_xact_user_tables
    WHERE relname IN ('conversations', 'messages')
"""
"""Rows that this transaction has read."""


async def test_ten_thousand_senders_of_one_block_cost_what_the_first_hundred_do(
    shop: Shop,
) -> None:
    """SEC11: every number of the block has texted within the hour, in no order of the numbers. The
    brake lets the first hundred through, whoever asks and whenever; one who texts again costs
    nothing either.
    """
    usual = Manners()
    async with shop.database.team(shop.team) as session:
        await session.execute(text(FLOOD), {"team": shop.team, "number": shop.number})
        number = await numbers.get(session, shop.team, shop.number)
        threads = list(
            await session.scalars(
                select(inbox.Conversation)
                .where(inbox.Conversation.team_id == shop.team)
                .order_by(inbox.Conversation.opened_at)
            )
        )
        assert len(threads) == 10_000
        judged = [*range(150), *range(150, 10_000, 197)]
        let_through = [
            place
            for place in judged
            if braking.held_back(
                number,
                threads[place],
                await braking.lately(session, number, threads[place], threads[place].opened_at),
                threads[place].opened_at,
            )
            is None
        ]
    assert let_through == list(range(usual.new_senders_per_hour))
    await shop.text(threads[5_000].sender, "Call me back")
    await shop.work()
    assert await shop.used() == (0, 0)
    assert [each.why for each in await shop.messages()] == [Why.BLOCK_BRAKE]


async def test_the_brakes_read_one_block_and_one_thread_whatever_the_server_knows_of_its_tables(
    shop: Shop,
) -> None:
    """SEC11: a flood from elsewhere makes nobody's text dearer, not before it is in the statistics
    of the server, either.
    """
    async with shop.database.team(shop.team) as session:
        await session.execute(text(FLOOD), {"team": shop.team, "number": shop.number})
    await shop.text(ANN, "Do you have rye?")
    for _ in range(2):
        async with shop.database.team(shop.team) as session:
            number = await numbers.get(session, shop.team, shop.number)
            asked = inbox.Conversation.sender == ANN
            thread = await session.scalar(select(inbox.Conversation).where(asked))
            assert thread
            await session.execute(text("DISCARD PLANS"))  # from tests whose tables were empty
            read = await session.scalar(text(READ))
            await braking.lately(session, number, thread, thread.last_activity_at)
            await braking.alarm(session, thread)
            read = await session.scalar(text(READ)) - read
            assert 0 < read <= braking.ALARM + 10, read
        async with shop.database.system() as session:
            await session.execute(text("ANALYZE conversations, messages"))


async def test_a_flood_of_new_senders_is_told_to_the_team_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SEC11: the alarm; all of them are answered."""
    monkeypatch.setattr(braking, "ALARM", 3)
    for area in (206, 303, 415, 503, 617):
        await shop.text(f"+1{area}5550123", "hello")
    await shop.work()
    assert await needed(shop) == [braking.ALARMED]
    assert await shop.used() == (10, 0)


async def test_texts_from_abroad_are_kept_unless_the_owner_wants_them(shop: Shop) -> None:
    """SEC11; a STOP from abroad is a STOP."""
    await shop.text(MEXICO, "hola")
    await shop.text(MEXICO, "STOP")
    await shop.text(MEXICO, "START")
    await shop.work()
    assert (await notes(shop, MEXICO))[0] == NOTES[Why.COUNTRY]
    assert await shop.used() == (2, 0)  # the two keywords
    await shop.manners(countries=("MX", "US"))
    await shop.text(MEXICO, "hola?")
    await shop.work()
    assert (await shop.sent_to(MEXICO))[-1] == "Re: hola?"


async def test_a_burst_settles_as_long_as_the_number_says(shop: Shop) -> None:
    """S3: the job of each text waits, and no longer than is left of the 20 s."""
    await shop.manners(settle_ms=15_000)
    await shop.text(ANN, "one")
    await shop.older(12)
    await shop.text(ANN, "two")
    await shop.work()
    assert await shop.sent_to(ANN) == []
    async with shop.database.system() as session:
        rows = await session.execute(
            text(
                "SELECT extract(epoch FROM scheduled_at - now()) AS wait_s FROM procrastinate_jobs"
                " WHERE task_name = 'messages.answer' ORDER BY id"
            )
        )
        waits = [float(row.wait_s) for row in rows]
    assert waits[0] == pytest.approx(15, abs=5)
    assert waits[1] == pytest.approx(8, abs=5)


async def test_a_change_is_told_and_bounded_and_ends_with_the_number(shop: Shop) -> None:
    """SEC21, N10"""
    with pytest.raises(MannersInvalid):
        await shop.manners(replies_per_hour=0)
    assert (await shop.manners(settle_ms=500)).settle_ms == 500
    async with shop.database.team(shop.team) as session:
        assert await service.of(session, shop.team, shop.number) == Manners(settle_ms=500)
        assert await service.of(session, "tem_other", shop.number) == Manners()
        seen = await session.scalars(
            select(EventRow.name).where(EventRow.name == "conversation.human_required")
        )
        assert list(seen) == []
        activity = await session.scalar(
            text("SELECT after FROM number_activity WHERE action = 'configured' ORDER BY position "
                 "DESC LIMIT 1")
        )  # fmt: skip
        assert activity == {"settle_ms": 500}
        await numbers.disable(session, shop.team, shop.number, BY)
        await numbers.delete(session, shop.team, shop.number, BY, confirmation=E164(shop.e164))
    with pytest.raises(NumberGone):
        await shop.manners(settle_ms=100)


async def test_two_who_set_the_manners_first_both_do(shop: Shop) -> None:
    """SEC23"""
    await asyncio.gather(*(shop.manners(settle_ms=each) for each in range(100, 600, 100)))
    async with shop.database.team(shop.team) as session:
        assert (await service.of(session, shop.team, shop.number)).settle_ms in range(100, 600, 100)


async def test_a_machine_that_asks_for_help_without_end_is_answered_as_often_as_others(
    shop: Shop,
) -> None:
    """SEC11: what answers a keyword counts nothing (UT9), and costs all the same."""
    await shop.manners(replies_per_hour=2)
    for _ in range(4):
        await shop.text(ANN, "HELP")
    await shop.work()
    assert await shop.sent_to(ANN) == [ENGLISH.help] * 2
    await shop.text(ANN, "STOP")  # is obeyed all the same
    await shop.work()
    assert len(await shop.sent_to(ANN)) == 2
    assert [turn.note for turn in await shop.turns(ANN)][-1] == "Opted out"
    await shop.older(3_601)
    await shop.text(ANN, "HELP")
    await shop.work()
    assert await shop.sent_to(ANN) == [ENGLISH.help] * 3


async def test_replies_by_hand_are_no_replies_of_the_agent(shop: Shop) -> None:
    """SEC11: the brake counts what the agent sent."""
    await shop.manners(replies_per_hour=1)
    async with shop.database.team(shop.team) as session:
        await messages.send_by_hand(
            session, shop.team, number_id=shop.number, to=ANN, body="Your cake is ready",
            country="US", account_id=shop.account.sid, author="ana@example.com",
        )  # fmt: skip
    await shop.text(ANN, "thanks!")
    await shop.work()
    assert [each.kind for each in await shop.messages() if each.kind] == [Kind.BY_HAND, Kind.REPLY]
