"""A conversation that ended has a title and a summary, from a worker (I4)."""

from offhook import inbox
from offhook.db import Database, Jobs
from offhook.inbox import Speaker
from offhook.settings import Settings
from web_fixtures import Person


async def test_a_closed_thread_is_summed_up_and_an_erased_one_stays_empty(
    database: Database, settings: Settings, owner: Person
) -> None:
    team = owner.team_id
    threads: list[str] = []
    for sender in ("+14155550111", "+14155550112"):
        async with database.team(team) as session:
            thread = await inbox.open_thread(session, team, number_id="num_a", sender=sender)
            for speaker, text in (
                (Speaker.CALLER, "Hello. Are you open on Sunday?"),
                (Speaker.AGENT, "From nine."),
                (Speaker.NOTICE, "Note: regular"),
            ):
                await inbox.add_turn(session, team, thread.id, speaker=speaker, text=text)
            await inbox.close(session, team, thread.id, reason="quiet")
            threads.append(thread.id)
    async with database.team(team) as session:
        (await inbox.get(session, team, threads[1], lock=True)).reason = "erased"
    jobs = Jobs(database)
    inbox.register_jobs(jobs, settings, database)
    await jobs.run_due()
    async with database.team(team) as session:
        done = await inbox.get(session, team, threads[0])
        assert (done.title, done.summary_by) == ("Are you open on Sunday?", "")
        assert done.summary == "Asked: “Are you open on Sunday?”\nLast answer: “From nine.”"
        assert (await inbox.get(session, team, threads[1])).title == ""
