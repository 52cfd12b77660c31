"""Tasks without a key: every missing input is asked for, read back, run once, told (T1, T3)."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from memory_toolbox import BOOK, CALLBACK, STATUS, MemoryToolbox

from offhook.agents import Briefing, Channel, NeedsPerson, Part, Said, Snapshot, Speaker, Text
from offhook.agents.brain import Earlier, Fillable, Learned, Told
from offhook.agents.offline import OfflineBrain
from offhook.knowledge import Hit, Kind

PARKING = Hit("psg_1", "src_1", "Page", Kind.PAIR, "You can park behind the house.", (), (), 0.9,
              answerable=True)  # fmt: skip
WEDNESDAY = datetime(2026, 5, 13, 10, 0, tzinfo=ZoneInfo("Europe/Berlin"))


async def search(question: str) -> Sequence[Hit]:
    return [PARKING] if "park" in question.lower() else []


async def booked(inputs: Mapping[str, Any]) -> str:
    if inputs.get("party_size", 0) > 20:
        raise LookupError("We have no table for that many people.")
    return "It is done."


class Dialogue:
    """A conversation with the offline answerer; what it said is what was heard."""

    def __init__(self, *offers: Any, channel: Channel = Channel.CALL) -> None:
        self.tools = MemoryToolbox(offers or (BOOK, STATUS, CALLBACK), booked)
        self.said: list[Said] = []
        self.parts: list[Part] = []
        self.channel = channel

    async def says(self, text: str, **more: Any) -> str:
        self.tools.hears(text)
        self.said.append(Said(Speaker.CALLER, text))
        briefing = Briefing(
            "team_1", Snapshot("agt_1", 1, "Baker"), self.channel, list(self.said), search,
            now=WEDNESDAY, tools=self.tools, **more,
        )  # fmt: skip
        self.parts = [part async for part in OfflineBrain().reply(briefing)]
        answer = "".join(part.delta for part in self.parts if isinstance(part, Text))
        self.said.append(Said(Speaker.AGENT, answer))
        await self.tools.told([part.run_id for part in self.parts if isinstance(part, Told)])
        return answer


@pytest.mark.parametrize("channel", list(Channel))
async def test_each_missing_input_is_asked_for_read_back_and_run_after_a_yes(
    channel: Channel,
) -> None:
    talk = Dialogue(channel=channel)
    assert await talk.says("Hi, I'd like to book a table.") == "Sure. For which day?"
    assert await talk.says("Friday") == "At what time?"
    assert await talk.says("seven thirty") == "For how many people?"
    readback = await talk.says("four")
    assert readback.endswith("Is that right?")
    assert talk.tools.calls == []
    assert (await talk.says("Yes please")).startswith("It is done.")
    wanted = {"date": "2026-05-15", "time": "19:30", "party_size": 4}
    assert talk.tools.calls == [("book_table", wanted)]
    assert [part for part in talk.parts if isinstance(part, Told)] == [Told("run_1")]


@pytest.mark.parametrize(
    ("turns", "inputs"),
    [
        (
            ["Can I book a table for two tomorrow at half past six under the name Smith?", "yes"],
            {"date": "2026-05-14", "time": "18:30", "party_size": 2, "name": "Smith"},
        ),
        (
            ["I want to reserve a table for four on Friday at seven", "no, six people", "right"],
            {"date": "2026-05-15", "time": "19:00", "party_size": 6},
        ),
        (
            ["book a table on the 20th at 8 pm for 3", "no", "the time", "nine", "that's right"],
            {"date": "2026-05-20", "time": "21:00", "party_size": 3},
        ),
        (
            ["book a table on Friday at six, no, seven, for two", "yes but make it eight",
             "perfect"],
            {"date": "2026-05-15", "time": "20:00", "party_size": 2},
        ),
        (
            ["I'd like a table for Friday, please book a table", "31st of June", "Saturday then",
             "at noon, there are two adults and three kids", "sure"],
            {"date": "2026-05-16", "time": "12:00", "party_size": 5},
        ),
    ],
)  # fmt: skip
async def test_several_inputs_corrections_and_changes_end_in_what_was_meant(
    turns: list[str], inputs: dict[str, Any]
) -> None:
    talk = Dialogue()
    for turn in turns:
        await talk.says(turn)
    assert talk.tools.calls == [("book_table", inputs)]


async def test_a_day_that_does_not_exist_is_said_and_asked_again() -> None:
    talk = Dialogue()
    await talk.says("book a table")
    assert await talk.says("the 31st of June") == "June has only 30 days. For which day?"
    answer = await talk.says("Friday the 16th of May")
    assert answer == "16 May is a Saturday, not a Friday. For which day?"


async def test_a_question_in_between_is_answered_and_then_the_input_asked_again() -> None:
    talk = Dialogue()
    await talk.says("I'd like to make a reservation for four")
    answer = await talk.says("Is there parking?")
    assert answer == "You can park behind the house. For which day?"
    assert await talk.says("Saturday") == "At what time?"
    await talk.says("at 8")
    answer = await talk.says("Where can I park?")
    assert answer.endswith("Is that right?")
    await talk.says("yes")
    assert talk.tools.calls == [
        ("book_table", {"party_size": 4, "date": "2026-05-16", "time": "20:00"})
    ]


@pytest.mark.parametrize("turn", ["never mind", "No, forget it.", "I changed my mind"])
async def test_what_is_no_longer_wanted_is_dropped_and_not_run(turn: str) -> None:
    talk = Dialogue()
    await talk.says("book a table for two tomorrow at 8")
    assert "left it" in await talk.says(turn)
    assert "done" not in await talk.says("yes")
    assert talk.tools.calls == []


async def test_say_that_again_repeats_the_question_and_the_read_back() -> None:
    talk = Dialogue()
    await talk.says("book a table for two")
    assert await talk.says("Sorry?") == "For which day?"
    readback = await talk.says("tomorrow at 8")
    assert await talk.says("Say that again, please") == readback


async def test_a_question_is_asked_three_times_then_a_person_is_offered() -> None:
    talk = Dialogue()
    await talk.says("book a table")
    answers = [await talk.says("purple monkey") for _ in range(3)]
    assert answers[0] == answers[1] == "Sorry, I did not get that. For which day?"
    assert answers[2].endswith("Shall I have somebody get back to you?")
    assert any(isinstance(part, NeedsPerson) for part in talk.parts)
    assert "noted" in await talk.says("Yes please")


async def test_a_task_that_only_looks_up_runs_when_it_is_complete() -> None:
    talk = Dialogue()
    assert await talk.says("Could you tell me where my order is, order status please") == (
        "Sure. What is the order number?"
    )
    assert (await talk.says("four four two one")).startswith("It is done.")
    assert talk.tools.calls == [("order_status", {"order_number": 4421})]


async def test_a_failed_task_is_told_as_failed_and_a_person_offered_t3() -> None:
    talk = Dialogue()
    await talk.says("book a table for 30 people tomorrow at 8")
    answer = await talk.says("yes")
    assert answer == (
        "We have no table for that many people. Shall I have somebody get back to you?"
    )
    assert "noted" in await talk.says("yes")


async def test_another_wish_replaces_the_one_under_way() -> None:
    talk = Dialogue()
    await talk.says("book a table")
    assert await talk.says("Actually I'd like to leave a message") == (
        "Sure. What should I pass on?"
    )
    assert "e-mail" in await talk.says("Is it possible to bring a cake on Sunday?")
    assert "john.smith@example.com" in await talk.says("john dot smith at example dot com")
    await talk.says("yes")
    assert talk.tools.calls == [
        (
            "leave_message",
            {
                "message": "Is it possible to bring a cake on Sunday?",
                "email": "john.smith@example.com",
            },
        )
    ]


async def test_a_wish_in_other_words_is_understood_by_its_meaning() -> None:
    talk = Dialogue(BOOK, STATUS)
    assert await talk.says("Do you have a free table tonight?") == "Sure. At what time?"


@pytest.mark.parametrize(
    "question", ["Do you take reservations?", "How do I book a table?", "Is there parking?"]
)
async def test_what_only_asks_about_a_thing_begins_no_task(question: str) -> None:
    talk = Dialogue()
    await talk.says(question)
    assert await talk.tools.current() is None


async def test_what_is_said_of_oneself_is_learned_for_the_attributes_of_the_agent_p3() -> None:
    fillable = (
        Fillable("first_name", "First name"), Fillable("last_name", "Last name"),
        Fillable("email", "Email"), Fillable("company", "Company"),
        Fillable("diet", "Diet", "choice", ("Vegan", "Gluten-free")),
    )  # fmt: skip
    talk = Dialogue()
    await talk.says(
        "Hello, this is Ann Lee calling from Acme. My diet is vegan.", fillable=fillable
    )
    assert [part for part in talk.parts if isinstance(part, Learned)] == [
        Learned("first_name", "Ann"),
        Learned("last_name", "Lee"),
        Learned("company", "Acme"),
        Learned("diet", "Vegan"),
    ]
    answer = await talk.says("my email is ann at acme dot com", fillable=fillable)
    assert Learned("email", "ann@acme.com") in talk.parts
    assert "noted" in answer
    await talk.says("Book a table under the name Smith", fillable=fillable)
    assert not [part for part in talk.parts if isinstance(part, Learned)]


async def test_a_question_goes_on_from_another_conversation_of_the_contact_p4() -> None:
    asked: list[str] = []

    async def listening(question: str) -> Sequence[Hit]:
        asked.append(question)
        return []

    briefing = Briefing(
        "team_1", Snapshot("agt_1", 1, "Baker"), Channel.SMS,
        [Said(Speaker.CALLER, "and on Sunday?")], listening, now=WEDNESDAY,
        earlier=[Earlier(Channel.CALL, WEDNESDAY, [
            Said(Speaker.CALLER, "When are you open on Saturday?"),
            Said(Speaker.AGENT, "From 7 to 4."),
        ])],
    )  # fmt: skip
    [part async for part in OfflineBrain().reply(briefing)]
    assert asked == ["When are you open on Sunday?"]


async def test_a_turn_that_began_a_task_is_not_taken_up_again_after_an_interruption() -> None:
    """The reply that began the run was cut off; the caller said one thing more (CM5)."""
    began, going = asyncio.Event(), asyncio.Event()

    async def slow(inputs: Mapping[str, Any]) -> str:
        began.set()
        await going.wait()
        return "It is on its way."

    talk = Dialogue(STATUS)
    talk.tools = MemoryToolbox([STATUS], slow)
    cut_off = asyncio.create_task(talk.says("Please track my order 4421"))
    await began.wait()
    cut_off.cancel()
    assert await talk.says("uh, thanks") == "I am still on it, one moment."
    going.set()
    await asyncio.wait(talk.tools.under_way)
    del talk.said[-1]  # nothing of it was heard
    assert await talk.says("Are you there?") == "It is on its way."
    assert len(talk.tools.calls) == 1
