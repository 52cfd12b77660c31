"""What sweeps up: threads without a job, threads that have gone quiet; texts by hand over REST."""

from sqlalchemy import text

from message_fixtures import ANN, Shop
from offhook import inbox
from offhook.inbox import State
from offhook.messages.jobs import close_threads, sweep


async def test_a_thread_that_lost_its_job_gets_another_and_only_then(shop: Shop) -> None:
    await shop.text(ANN, "hello")
    await sweep(shop.database)  # young, and its job is there
    async with shop.database.system() as session:
        await session.execute(
            text("UPDATE messages SET created_at = created_at - interval '2 minutes'")
        )
        await session.execute(text("DELETE FROM procrastinate_jobs"))
    await sweep(shop.database)
    await sweep(shop.database)  # the first sweep's job waits: no second one
    async with shop.database.system() as session:
        assert await session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 1
    await shop.work()
    assert await shop.sent_to(ANN) == ["Re: hello"]


async def test_a_quiet_thread_closes_and_the_next_text_goes_on_in_it(shop: Shop) -> None:
    """S8"""
    await shop.text(ANN, "hello")
    await shop.work()
    async with shop.database.system() as session:
        await session.execute(
            text(
                "UPDATE conversations SET last_activity_at = last_activity_at - interval '25 hours'"
            )
        )
    await close_threads(shop.settings, shop.database)
    thread = (await shop.messages())[0].conversation_id
    async with shop.database.team(shop.team) as session:
        assert (await inbox.get(session, shop.team, thread)).state is State.CLOSED
    await shop.text(ANN, "me again")
    await shop.work()
    assert {each.conversation_id for each in await shop.messages()} == {thread}
    assert shop.model.briefings[-1].history[0].text == "hello"
