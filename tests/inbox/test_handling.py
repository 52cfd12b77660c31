"""What members do about conversations, on a real database (I6, S7, S8)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from offhook import inbox
from offhook.db import Database, now
from offhook.errors import Problem
from offhook.inbox import Filter, Speaker, State, acts, handling
from offhook.inbox.acts import Act, Wish
from offhook.teams import Role
from web_fixtures import Person, new_member

ANN, BOB = "+14155550111", "+14155550112"


async def a_thread(database: Database, team: str, text: str, sender: str = ANN) -> str:
    async with database.team(team) as session:
        thread = await inbox.open_thread(session, team, number_id="num_a", sender=sender)
        await inbox.add_turn(session, team, thread.id, speaker=Speaker.CALLER, text=text)
        return thread.id


async def ids(database: Database, team: str, wanted: Filter, reader: str = "") -> list[str]:
    async with database.team(team) as session:
        by = await inbox.read_by(session, team, reader)
        query = inbox.listed(team, wanted, by)
        rows = await session.scalars(query.order_by(inbox.Conversation.last_activity_at))
        return [row.id for row in rows]


UNREAD = Filter(unread=True)


async def test_each_member_has_their_own_unread(database: Database, owner: Person) -> None:
    """I6: read by one, not by the other; who joins later has read what was said before."""
    team = owner.team_id
    first = await a_thread(database, team, "hello")
    ben = await new_member(database, team, Role.MEMBER)
    second = await a_thread(database, team, "hello", BOB)
    assert await ids(database, team, UNREAD, owner.user_id) == [first, second]
    assert await ids(database, team, UNREAD, ben.user_id) == [second]
    async with database.team(team) as session:
        await inbox.mark_read(session, team, second, owner.user_id)
    assert await ids(database, team, UNREAD, owner.user_id) == [first]
    assert await ids(database, team, UNREAD, ben.user_id) == [second]
    async with database.team(team) as session:
        await handling.mark_all_read(session, team, ben.user_id)
        await inbox.mark_unread(session, team, first, ben.user_id)
    assert await ids(database, team, UNREAD, ben.user_id) == [first]
    assert await ids(database, team, Filter(unread=False), ben.user_id) == [second]
    async with database.team(team) as session:
        await inbox.add_turn(session, team, second, speaker=Speaker.AGENT, text="Hi.")
    assert await ids(database, team, UNREAD, ben.user_id) == [first]
    await a_thread(database, team, "again", BOB)
    assert await ids(database, team, UNREAD, ben.user_id) == [first, second]
    assert await ids(database, team, UNREAD, owner.user_id) == [first, second]


async def test_what_is_snoozed_returns_at_its_time_or_with_the_next_text(
    database: Database, owner: Person
) -> None:
    """I6"""
    team, me = owner.team_id, owner.user_id
    timed, texted = (
        await a_thread(database, team, "later"),
        await a_thread(database, team, "x", BOB),
    )
    async with database.team(team) as session:
        soon = await now(session) + timedelta(hours=1)
        for each in (timed, texted):
            await inbox.mark_read(session, team, each, me)
            await inbox.snooze(session, team, each, soon, me)
    assert await ids(database, team, Filter()) == []
    assert set(await ids(database, team, Filter(snoozed=True))) == {timed, texted}
    await a_thread(database, team, "me again", BOB)
    assert await ids(database, team, Filter()) == [texted]
    async with database.team(team) as session:
        assert await inbox.wake_due(session) == 0
        past = await now(session) - timedelta(seconds=1)
        (await inbox.get(session, team, timed, lock=True)).snoozed_until = past
    async with database.system() as session:
        assert await inbox.wake_due(session) == 1
        assert await inbox.wake_due(session) == 0
    assert await ids(database, team, Filter()) == [texted, timed]
    assert timed in await ids(database, team, UNREAD, me)


async def test_a_thread_that_closes_meanwhile_comes_back_all_the_same(
    database: Database, owner: Person
) -> None:
    """I6, S8: whoever wants to see it on Monday sees it; closed by hand it is done with."""
    team, me = owner.team_id, owner.user_id
    quiet, closed = await a_thread(database, team, "x"), await a_thread(database, team, "y", BOB)
    async with database.team(team) as session:
        soon = await now(session) + timedelta(days=3)
        for each in (quiet, closed):
            await inbox.snooze(session, team, each, soon, me)
        await inbox.close_by_hand(session, team, closed)
    async with database.system() as session:
        later = await now(session) + timedelta(days=1)
        assert await inbox.close_idle_threads(session, before=later) == 1
    async with database.at(soon).system() as session:
        assert await inbox.wake_due(session) == 1
    async with database.team(team) as session:
        thread = await inbox.get(session, team, quiet)
        assert (thread.state, thread.snoozed_until) == (State.CLOSED, None)
        assert (await inbox.get(session, team, closed)).snoozed_until is None
    assert quiet in await ids(database, team, UNREAD, me)


async def test_labels_are_found_offered_and_forgotten(database: Database, owner: Person) -> None:
    """I3, I6"""
    team = owner.team_id
    thread = await a_thread(database, team, "hello")
    async with database.team(team) as session:
        await handling.set_labels(session, team, thread, ["vip", "vip", " late  order "])
        await inbox.add_label(session, team, thread, "vip")
    assert await ids(database, team, Filter(label="late order")) == [thread]
    async with database.team(team) as session:
        await inbox.remove_label(session, team, thread, "late order")
        assert (await inbox.get(session, team, thread)).labels == ["vip"]
        assert await inbox.labels(session, team) == ["late order", "vip"]
    assert await ids(database, team, Filter(label="late order")) == []
    async with database.team(team) as session:
        assert await handling.forget_label(session, team, "vip") == 1
        assert await inbox.labels(session, team) == ["late order"]
    assert await ids(database, team, Filter(label="vip")) == []


REFUSED = (
    (Act.ASSIGN, "usr_nobody", "assignee_unknown"),
    (Act.SNOOZE, "tomorrow", "moment_invalid"),
    (Act.SNOOZE, "2026-01-01T09:00:00", "moment_invalid"),
    (Act.SNOOZE, "2020-01-01T09:00:00+00:00", "snooze_invalid"),
    (Act.SNOOZE, "9999-12-31T23:59:59+00:00", "snooze_invalid"),
    (Act.LABEL, "x" * 31, "label_invalid"),
    (Act.LABEL, " ", "label_invalid"),
)


async def test_what_cannot_be_done_is_refused_and_changes_nothing(
    database: Database, owner: Person
) -> None:
    team = owner.team_id
    thread = await a_thread(database, team, "hello")
    async with database.team(team) as session:
        for act, value, seen in REFUSED:
            with pytest.raises(Problem) as refused:
                await acts.one(session, thread, Wish(team, owner.user_id, act, value))
            assert refused.value.code == seen, value
        kept = await inbox.get(session, team, thread)
        assert (kept.assignee_id, kept.snoozed_until, kept.labels) == (None, None, [])


async def test_many_are_done_each_by_itself(database: Database, owner: Person) -> None:
    """I6: one that is refused or another team's keeps nobody else from being done (SEC7)."""
    team = owner.team_id
    threads = [await a_thread(database, team, "x", sender) for sender in (ANN, BOB)]
    async with database.team(team) as session:
        live = await inbox.open_conversation(
            session, team, channel=inbox.Channel.CALL, number_id="num_a", sender=ANN
        )
    async with database.team(team) as session:
        wish = Wish(team, owner.user_id, Act.CLOSE)
        result = await acts.many(session, [*threads, *threads, live.id, "cnv_other"], wish)
        refused: Mapping[str, str] = {
            each.conversation_id: each.problem.code for each in result.refused
        }
    assert sorted(result.done) == sorted(threads)
    assert refused == {live.id: "call_is_live", "cnv_other": "conversation_not_found"}
    assert await ids(database, team, Filter(state=inbox.State.CLOSED)) == threads


async def test_closing_gives_a_thread_back_to_the_agent(database: Database, owner: Person) -> None:
    """S7, S8: a thread that nobody handed back is not silent for ever."""
    team = owner.team_id
    thread = await a_thread(database, team, "hello")
    async with database.team(team) as session:
        await inbox.take_over(session, team, thread, owner.user_id, "Ana")
        taken = await inbox.get(session, team, thread)
        assert (taken.taken_over_by, taken.assignee_id) == (owner.user_id, owner.user_id)
        with pytest.raises(handling.TakenOver):
            await inbox.take_over(session, team, thread, "usr_2", "Ben")
        await inbox.close(session, team, thread)
        assert not await inbox.is_taken_over(session, team, thread)
