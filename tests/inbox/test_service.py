"""Conversations and turns on a real database: gapless under load, one thread, one timeline."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from offhook import contacts, inbox
from offhook.db import Database, EventRow
from offhook.inbox import Channel, Filter, Speaker, State, Told, Turn, looks
from offhook.inbox.listing import NOBODY, passages
from offhook.inbox.reading import TIMELINE_CONVERSATIONS
from offhook.phone import E164
from offhook.teams.models import Team

ANN = E164("+14155550111")
NUMBER = "num_a"


async def make_team(database: Database) -> str:
    async with database.system() as session:
        team = Team(name="Daily Bread", created_at=datetime.now(UTC))
        session.add(team)
        await session.flush()
        return team.id


async def a_call(database: Database, team: str, sender: str = ANN, refused: str = "") -> str:
    async with database.team(team) as session:
        made = await inbox.open_conversation(
            session,
            team,
            channel=Channel.CALL,
            number_id=NUMBER,
            sender=sender,
            refused=refused,
        )
        return made.id


async def a_text(database: Database, team: str, text: str, sender: str = ANN) -> str:
    async with database.team(team) as session:
        thread = await inbox.open_thread(session, team, number_id=NUMBER, sender=sender)
        await inbox.add_turn(session, team, thread.id, speaker=Speaker.CALLER, text=text)
        return thread.id


async def events(database: Database, team: str) -> list[str]:
    async with database.team(team) as session:
        rows = select(EventRow.name).where(EventRow.team_id == team).order_by(EventRow.position)
        return list(await session.scalars(rows))


async def test_turns_are_gapless_and_in_order_under_concurrency(database: Database) -> None:
    """I5"""
    team = await make_team(database)
    call = await a_call(database, team)

    async def speak(index: int) -> None:
        async with database.team(team) as session:
            await inbox.add_turn(session, team, call, speaker=Speaker.CALLER, text=f"word {index}")

    await asyncio.gather(*(speak(index) for index in range(30)))
    async with database.team(team) as session:
        turns = await inbox.turns_of(session, team, call)
        assert [turn.sequence for turn in turns] == list(range(1, 31))
        assert len(await inbox.turns_of(session, team, call, after=28)) == 2


async def test_first_texts_at_once_open_one_thread(database: Database) -> None:
    """S2, S8"""
    team = await make_team(database)
    found = await asyncio.gather(*(a_text(database, team, f"{n}") for n in range(10)))
    assert len(set(found)) == 1
    assert (await events(database, team)).count("conversation.started") == 1


async def test_a_closed_thread_is_reopened_by_the_next_text(database: Database) -> None:
    """S8: same identity and memory."""
    team = await make_team(database)
    thread = await a_text(database, team, "hello")
    async with database.team(team) as session:
        await inbox.close(session, team, thread, reason="quiet")
        await inbox.close(session, team, thread, reason="by_hand")  # has ended already
    assert await a_text(database, team, "me again") == thread
    async with database.team(team) as session:
        conversation = await inbox.get(session, team, thread)
        assert (conversation.state, conversation.reason) == (State.OPEN, "")
        assert len(await inbox.turns_of(session, team, thread)) == 2
    assert [name for name in await events(database, team) if name.startswith("conv")] == [
        "conversation.started",
        "conversation.ended",
        "conversation.started",
    ]


async def test_idle_threads_close_and_busy_ones_stay(database: Database) -> None:
    """S8"""
    team = await make_team(database)
    idle = await a_text(database, team, "hello")
    async with database.system() as session:
        (await inbox.get(session, team, idle)).last_activity_at -= timedelta(hours=25)
    busy = await a_text(database, team, "hello", sender="+14155550112")
    async with database.system() as session:
        before = datetime.now(UTC) - timedelta(hours=24)
        assert await inbox.close_idle_threads(session, before=before) == 1
        assert (await inbox.get(session, team, idle)).state is State.CLOSED
        assert (await inbox.get(session, team, busy)).state is State.OPEN


async def test_hidden_senders_share_no_thread_and_no_timeline(database: Database) -> None:
    """P5, CI2"""
    team = await make_team(database)
    first = await a_text(database, team, "who am I", sender="")
    second = await a_text(database, team, "what do you know about me?", sender="")
    assert first != second
    async with database.team(team) as session:
        told = await inbox.timeline(session, team, await inbox.get(session, team, second))
        assert [each.conversation.id for each in told] == [second]


async def test_calls_and_texts_of_one_number_and_sender_are_one_timeline(
    database: Database,
) -> None:
    """I2"""
    team = await make_team(database)
    thread = await a_text(database, team, "hello")
    call = await a_call(database, team)
    await a_call(database, team, refused="limit_reached")
    await a_text(database, team, "somebody else", sender="+14155550112")
    async with database.team(team) as session:
        told = await inbox.timeline(session, team, await inbox.get(session, team, call))
        assert [each.conversation.id for each in told] == [thread, call]


async def test_a_timeline_is_one_persons_and_keeps_what_is_looked_at(database: Database) -> None:
    """I2: their other number is theirs too; no number of calls pushes the thread out."""
    team = await make_team(database)
    async with database.team(team) as session:
        contact = (await contacts.on_contact(session, team, ANN)).id
        thread = await inbox.open_thread(
            session, team, number_id=NUMBER, sender=ANN, contact_id=contact
        )
        other = await inbox.open_thread(
            session, team, number_id=NUMBER, sender="+14155550112", contact_id=contact
        )
        await inbox.open_thread(session, team, number_id="num_b", sender=ANN, contact_id=contact)
        told = await inbox.timeline(session, team, thread)
        assert [each.conversation.id for each in told] == [thread.id, other.id]
        entries = looks.timeline(
            [Told(other, [Turn(id="trn_1", started_at=thread.opened_at)])], thread, UTC
        )
        assert [each.other for each in entries] == ["", "(415) 555-0112"]
        for _ in range(TIMELINE_CONVERSATIONS + 1):
            await inbox.open_conversation(
                session, team, channel=Channel.CALL, number_id=NUMBER, sender=ANN
            )
        told = await inbox.timeline(session, team, thread)
        assert len(told) == TIMELINE_CONVERSATIONS + 1
        assert told[0].conversation.id == thread.id


async def test_the_name_of_whoever_writes_is_kept_as_far_as_it_fits(database: Database) -> None:
    """An address has up to 254 characters."""
    team = await make_team(database)
    thread = await a_text(database, team, "hello")
    async with database.team(team) as session:
        turn = await inbox.add_turn(
            session, team, thread, speaker=Speaker.PERSON, text="Hi", author="a" * 254
        )
        assert turn.author == "a" * 200


async def test_what_did_not_reach_them_is_not_remembered_as_said(database: Database) -> None:
    """P4, S6"""
    team = await make_team(database)
    async with database.team(team) as session:
        contact = (await contacts.on_contact(session, team, ANN)).id
        thread = await inbox.open_thread(
            session, team, number_id=NUMBER, sender=ANN, contact_id=contact
        )
        for speaker, text, status in (
            (Speaker.CALLER, "Is it open?", "received"),
            (Speaker.AGENT, "Yes.", "delivered"),
            (Speaker.AGENT, "Come at nine.", "undelivered"),
            (Speaker.AGENT, "It is paid.", "withdrawn"),
            (Speaker.PERSON, "Hello?", "failed"),
        ):
            await inbox.add_turn(
                session, team, thread.id, speaker=speaker, text=text, status=status
            )
        [earlier] = (await inbox.remembered(session, team, "cnv_other", contact)).earlier
        assert [said.text for said in earlier.said] == ["Is it open?", "Yes."]


async def test_refused_calls_are_hidden_unless_filtered_for_and_never_unread(
    database: Database,
) -> None:
    """C1"""
    team = await make_team(database)
    refused = await a_call(database, team, refused="limit_reached")
    async with database.team(team) as session:
        assert list(await session.scalars(inbox.listed(team, Filter()))) == []
        wanted = Filter(state=State.NOT_ANSWERED)
        [found] = await session.scalars(inbox.listed(team, wanted))
        assert (found.id, found.last_heard_at, found.reason) == (refused, None, "limit_reached")
    assert await events(database, team) == []


FOUND = (
    (Filter(), {"call", "ann", "bob"}),
    (Filter(channel=Channel.CALL), {"call"}),
    (Filter(channel=Channel.SMS), {"ann", "bob"}),
    (Filter(number_id="num_other"), set[str]()),
    (Filter(unread=True), {"ann", "bob"}),
    (Filter(unread=False), {"call"}),
    (Filter(state=State.OPEN), {"ann", "bob"}),
    (Filter(assignee=NOBODY), {"call", "ann", "bob"}),
    (Filter(assignee="usr_1"), set[str]()),
    (Filter(since=datetime(2026, 1, 1, tzinfo=UTC), until=None), {"call", "ann", "bob"}),
    (Filter(until=datetime(2026, 1, 1, tzinfo=UTC)), set[str]()),
    (Filter(words="croissants sunday"), {"ann"}),
    (Filter(words='"on sunday"'), {"ann"}),
    (Filter(words="sunday -croissants"), set[str]()),
    (Filter(words="CROISS"), {"ann"}),
    (Filter(words="oiss"), set[str]()),
    (Filter(words="...!"), set[str]()),
    (Filter(words="'); drop table"), set[str]()),
    (Filter(words="crème"), {"bob"}),
    (Filter(words="CREME BRULEE"), {"bob"}),
    (Filter(words="予約"), {"bob"}),
    (Filter(words="明日 予"), {"bob"}),
    (Filter(words="予明"), set[str]()),
)


async def test_the_list_is_filtered_and_searched(database: Database) -> None:
    """I3"""
    team = await make_team(database)
    other = await make_team(database)
    await a_text(database, other, "Croissants on Sunday? Crème 予約")
    bobs = "Two loaves, a crème brûlée; 明日の予約です"
    ids = {
        await a_call(database, team): "call",
        await a_text(database, team, "Croissants on Sunday?"): "ann",
        await a_text(database, team, bobs, sender="+14155550112"): "bob",
    }
    async with database.team(team) as session:
        by = await inbox.read_by(session, team, "usr_1")
        for wanted, found in FOUND:
            rows = (await session.scalars(inbox.listed(team, wanted, by))).all()
            assert {ids[row.id] for row in rows} == found, wanted
            shown = await passages(session, team, wanted.words, rows)
            assert set(shown) == ({row.id for row in rows} if wanted.words else set[str]())


async def test_a_turn_is_changed_only_where_told(database: Database) -> None:
    team = await make_team(database)
    call = await a_call(database, team)
    async with database.team(team) as session:
        turn = await inbox.add_turn(
            session, team, call, speaker=Speaker.AGENT, text="We open at nine", status="speaking"
        )
        await inbox.update_turn(session, team, turn.id, text="We open", status="interrupted")
    async with database.team(team) as session:
        [kept] = await inbox.turns_of(session, team, call)
        assert (kept.text, kept.status, kept.note) == ("We open", "interrupted", "")


async def test_a_live_call_is_not_closed_by_hand(database: Database) -> None:
    team = await make_team(database)
    call = await a_call(database, team)
    async with database.team(team) as session:
        with pytest.raises(inbox.CallIsLive):
            await inbox.close_by_hand(session, team, call)


async def test_another_team_finds_nothing(database: Database) -> None:
    """SEC7"""
    ours, theirs = await make_team(database), await make_team(database)
    thread = await a_text(database, ours, "hello")
    async with database.team(theirs) as session:
        with pytest.raises(inbox.ConversationNotFound):
            await inbox.get(session, theirs, thread)
        assert await inbox.turns_of(session, theirs, thread) == []


async def test_a_thread_names_its_contact(database: Database) -> None:
    """P1: the number links to the record."""
    team = await make_team(database)
    async with database.team(team) as session:
        contact = await contacts.on_contact(session, team, ANN)
        thread = await inbox.open_thread(
            session, team, number_id=NUMBER, sender=ANN, contact_id=contact.id
        )
        assert thread.contact_id == contact.id


async def test_a_person_is_announced_once_until_somebody_has_seen_to_it(
    database: Database,
) -> None:
    """I6"""
    team = await make_team(database)
    thread = await a_text(database, team, "I want my money back")
    wanted = "conversation.human_required"
    async with database.team(team) as session:
        for reason in ("Wants a refund.", "Is angry.", ""):
            kept = await inbox.need_person(session, team, thread, reason)
        assert kept.person_needed == "A person is needed."
    assert (await events(database, team)).count(wanted) == 1
    async with database.team(team) as session:
        await inbox.seen_to(session, team, thread)
        await inbox.need_person(session, team, thread, "Calls again.")
    assert (await events(database, team)).count(wanted) == 2
