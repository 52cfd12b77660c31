"""An agent's tests: kept, held by a worker with the draft, judged, shown, erased with a person."""

from datetime import UTC, datetime, time, timedelta
from html import unescape

import httpx
import pytest
from sqlalchemy import func, select

from offhook import agents, bookings, contacts, knowledge, tasks
from offhook.agents import Brain, Channel, Done, Past, Speaker, Spoke, Tests, Trial
from offhook.agents.offline import OfflineBrain
from offhook.agents.trials import rules, service
from offhook.agents.trials.rules import State, TooManyTests
from offhook.agents.trials.running import Stage
from offhook.contacts import Person as Erased
from offhook.db import Jobs
from offhook.knowledge import service as sources
from offhook.tasks import service as task_service
from offhook.tasks.models import TaskRun
from task_fixtures import Receiver, booking, new_task, receiver, runner, task_settings
from web_fixtures import Person, Site, new_owner

__all__ = ["receiver", "runner", "task_settings"]
BEGAN = datetime(2026, 5, 14, 9, tzinfo=UTC)
PRICES = "The rye sourdough costs 4.20 euros. The seed loaf costs 5.10 euros."
QUESTION = "How much is the rye sourdough?"
PARTY = [{"name": "party", "type": "integer", "question": "For how many people?"}]


@pytest.fixture
def rooms() -> tuple[str, ...]:
    return ("web", "teams", "contacts", "knowledge", "tasks", "agents")


class Desk:
    """One agent with prices and a task, and a worker that holds its tests."""

    def __init__(self, site: Site, owner: Person, runner: tasks.Runner) -> None:
        self.site, self.owner, self.runner = site, owner, runner
        self.database, self.team = site.database, owner.team_id
        self.agent = self.task = self.source = ""

    async def open(self, receiver: Receiver) -> None:
        async with self.database.team(self.team) as session:
            self.agent = (await agents.create(session, self.team, "Front desk")).id
            added = await knowledge.add_text(session, self.team, "Prices", PRICES, [self.agent])
            self.source = added.id
        await self.work()
        books = booking(receiver, body={"people": "{{party}}"}, answer="Booked.")
        task = await new_task(
            self.database, self.team, books, title="Book a table", inputs=PARTY,
            agent_id=self.agent, phrases=["book a table"],
        )  # fmt: skip
        self.task = task.id

    async def keep(self, *turns: tuple[Speaker, str], done: dict[int, Done] | None = None) -> Trial:
        """A call with a turn every ten seconds; `done`: what was done after which turn."""
        spoken = [
            Spoke(speaker=speaker, text=text, at=BEGAN + timedelta(seconds=10 * at))
            for at, (speaker, text) in enumerate(turns)
        ]
        did = [(spoken[at].at + timedelta(seconds=3), each) for at, each in (done or {}).items()]
        async with self.database.team(self.team) as session:
            past = Past("cnv_1", Channel.CALL, "A table and a loaf", "con_1", spoken, did)
            return await agents.keep_test(session, self.team, self.agent, past, by="usr_1")

    async def held(self, test_id: str, brain: Brain | None = None) -> Trial:
        """The test, after a worker's turn."""
        async with self.database.team(self.team) as session:
            await agents.ask_test(session, self.team, self.agent, test_id)
            await agents.ask_test(session, self.team, self.agent, test_id)  # twice is once
        await self.work(brain)
        async with self.database.team(self.team) as session:
            return await service.get(session, self.team, self.agent, test_id)

    async def work(self, brain: Brain | None = None) -> None:
        jobs = Jobs(self.database)
        agents.register_jobs(jobs, self.database, brain or OfflineBrain(), self.runner)
        knowledge.register_jobs(jobs, self.site.app.state.web.settings, self.database)
        await jobs.run_due()


@pytest.fixture
async def desk(site: Site, owner: Person, runner: tasks.Runner, receiver: Receiver) -> Desk:
    desk = Desk(site, owner, runner)
    await desk.open(receiver)
    return desk


CALL = (
    (Speaker.AGENT, "Good morning, this is the bakery."),
    (Speaker.CALLER, QUESTION),
    (Speaker.AGENT, "The rye sourdough costs 4.20 euros."),
    (Speaker.CALLER, "Book a table for four people, please."),
    (Speaker.AGENT, "Book a table. Party: 4. Shall I do that?"),
    (Speaker.CALLER, "Yes, please."),
    (Speaker.AGENT, "Booked. Is there anything else?"),
    (Speaker.PERSON, "Anna here, let me take this."),
    (Speaker.CALLER, "No, thank you."),
)


def booked(desk: Desk, party: int = 4) -> Done:
    return Done(task_id=desk.task, title="Book a table", inputs={"party": party})


async def test_a_call_is_held_again_with_the_draft_and_what_differs_is_shown_turn_by_turn(
    desk: Desk, receiver: Receiver
) -> None:
    kept = await desk.keep(*CALL, done={5: booked(desk)})
    assert (await desk.keep(*CALL)).id == kept.id  # a call is one test
    trial = await desk.held(kept.id)
    turns = service.side_by_side(trial)
    assert [turn.is_judged for turn in turns] == [
        False, False, True, False, True, False, True, False, False,
    ]  # fmt: skip
    price, readback, done = (turn.now for turn in turns if turn.now is not None)
    assert (price.faults, readback.faults, done.faults) == ([], [], [])
    assert trial.state is State.PASSED
    assert price.sources == ["Prices"]
    assert done.tasks == [booked(desk)]
    assert receiver.requests == []  # shown, not done

    async with desk.database.team(desk.team) as session:
        dearer = PRICES.replace("4.20", "4.40")
        await sources.replace_source(session, desk.team, desk.source, content=dearer)
    await desk.work()
    trial = await desk.held(kept.id)
    faults = [answer.faults for answer in service.answers_of(trial)]
    assert trial.state is State.FAILED
    assert faults == [["It no longer says 4.20."], [], []]

    async with desk.database.team(desk.team) as session:
        await task_service.delete(session, desk.team, desk.task)
        assert await session.scalar(select(func.count()).select_from(TaskRun)) == 0
    trial = await desk.held(kept.id)
    assert "It no longer does “Book a table”." in service.answers_of(trial)[2].faults


TABLES = bookings.Definition(
    "Tables", "UTC", bookings.Hours(((bookings.Span(time(8), time(22)),),) * 7),
    slot_minutes=120, places=4, counts_people=True, step_minutes=30,
)  # fmt: skip
READBACK = "I would book for 4 people on Friday, 15 May at 19:00 under the name Ann Lee. Right?"
BOOKED = (
    (Speaker.CALLER, "I'd like to book a table for four on 15 May at seven"),
    (Speaker.AGENT, "Sure. What name shall I put it under?"),
    (Speaker.CALLER, "Ann Lee"),
    (Speaker.AGENT, READBACK),
    (Speaker.CALLER, "Yes, that's right"),
    (Speaker.AGENT, "You are booked for Friday, 15 May at 19:00."),
)


async def test_a_table_is_booked_again_by_the_clock_of_then(desk: Desk) -> None:
    """Its day is long past, and it has all places of that evening itself."""
    async with desk.database.team(desk.team) as session:
        calendar = await bookings.create_calendar(session, desk.team, TABLES)
    config = {"calendar_id": calendar.id, "action": "book", "party": True}
    task = await new_task(
        desk.database, desk.team, config, title="Reserve", kind="booking", inputs=[],
        agent_id=desk.agent, phrases=["book a table"],
    )  # fmt: skip
    async with desk.database.at(BEGAN + timedelta(minutes=1)).team(desk.team) as session:
        start = datetime(2026, 5, 15, 19, tzinfo=UTC)
        wish = bookings.Wish(calendar.id, start, bookings.Guest("Ann Lee"), party_size=4)
        await bookings.book(session, desk.team, wish)
    async with desk.database.team(desk.team) as session:
        await task_service.delete(session, desk.team, desk.task)
    inputs = {"date": "2026-05-15", "time": "19:00", "party_size": 4, "name": "Ann Lee"}
    done = Done(task_id=task.id, title="Reserve", inputs=inputs)
    trial = await desk.held((await desk.keep(*BOOKED, done={4: done})).id)
    shown = [(answer.text, answer.faults) for answer in service.answers_of(trial)]
    assert trial.state is State.PASSED, shown


async def test_a_test_that_cannot_be_held_says_so_and_an_agent_has_so_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await desk.keep(*CALL)
    stage = Stage(desk.database, OfflineBrain(), desk.runner)
    await stage.gave_up(desk.team, desk.agent, kept.id)
    async with desk.database.team(desk.team) as session:
        trial = await service.get(session, desk.team, desk.agent, kept.id)
        assert (trial.state, trial.answers) == (State.BROKEN, [])
        monkeypatch.setattr(rules, "MAX_TESTS", 1)
        past = Past("cnv_2", Channel.CALL, "", None, service.turns_of(trial))
        with pytest.raises(TooManyTests):
            await agents.keep_test(session, desk.team, desk.agent, past, by="usr_1")


async def test_tests_are_read_run_and_deleted_by_their_team_alone(
    desk: Desk, client: httpx.AsyncClient
) -> None:
    """REST and pages; SEC7."""
    kept = await desk.keep(*CALL, done={5: booked(desk)})
    program = desk.site.program(await desk.site.key(desk.owner))
    here = f"/api/v1/agents/{desk.agent}/tests"
    section = (await client.get(f"/agents/{desk.agent}/tests")).text
    assert "0 of 1 test passed" in section
    assert (await client.post(f"/agents/{desk.agent}/tests/run")).status_code in {200, 204, 303}
    await desk.work()
    (listed,) = (await program.get(here)).json()
    assert (listed["name"], listed["state"]) == ("A table and a loaf", "passed")
    shown = (await program.get(f"{here}/{kept.id}")).json()
    assert [turn["now"] is not None for turn in shown["turns"]].count(True) == 3
    page = unescape((await client.get(f"/agents/{desk.agent}/tests/{kept.id}")).text)
    assert "All 3 answers are as they were." in page
    assert "The rye sourdough costs 4.20 euros." in page
    assert "before the draft’s last change" not in page
    await program.patch(f"/api/v1/agents/{desk.agent}", json={"greeting": "Hello."})
    body = unescape((await client.get(f"/agents/{desk.agent}/tests/{kept.id}/body")).text)
    assert "before the draft’s last change" in body

    stranger = desk.site.program(await desk.site.key(await new_owner(desk.database)))
    for method, path in (
        ("GET", here), ("POST", f"{here}/run"), ("GET", f"{here}/{kept.id}"),
        ("POST", f"{here}/{kept.id}/run"), ("DELETE", f"{here}/{kept.id}"),
    ):  # fmt: skip
        assert (await stranger.request(method, path)).status_code == 404, path
    assert (await program.post(f"{here}/{kept.id}/run")).status_code == 202
    assert (await program.delete(f"{here}/{kept.id}")).status_code == 204
    await desk.work()  # what was asked for is no longer there
    assert (await program.get(here)).json() == []


async def test_a_test_goes_with_the_person_who_is_heard_in_it(desk: Desk) -> None:
    """P7: told, moved, erased."""
    await desk.keep(*CALL)
    keeper: contacts.Keeper = Tests()
    ann, merged = Erased(("con_1",), ()), Erased(("con_2",), ())
    async with desk.database.team(desk.team) as session:
        told = await keeper.told(session, desk.team, ann)
        assert told["agent_tests"][0]["turns"][1]["text"] == QUESTION
        await keeper.moved(session, desk.team, "con_1", "con_2")
        assert await keeper.erased(session, desk.team, ann) == {"agent_tests": 0}
        assert await keeper.erased(session, desk.team, merged) == {"agent_tests": 1}
        assert await service.listed(session, desk.team, desk.agent) == []
