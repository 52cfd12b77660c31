"""What a test of an agent is made of, and what of an answer has to be there again."""

from datetime import UTC, datetime, timedelta

import pytest

from offhook.agents import Channel, Done, NothingToTest, Past, Speaker, Spoke
from offhook.agents.trials import rules
from offhook.agents.trials.rules import Answer, State

BEGAN = datetime(2026, 5, 14, 9, tzinfo=UTC)
CALLER, AGENT, PERSON = Speaker.CALLER, Speaker.AGENT, Speaker.PERSON
TABLE = Done(task_id="tsk_1", title="Book a table", inputs={"day": "2026-05-15", "people": 4})


def at(second: float) -> datetime:
    return BEGAN + timedelta(seconds=second)


def past(*turns: tuple[Speaker, str], done: tuple[float, Done] | None = None) -> Past:
    """A call with a turn every ten seconds."""
    spoken = [
        Spoke(speaker=speaker, text=text, at=at(10 * n)) for n, (speaker, text) in enumerate(turns)
    ]
    did = [(at(done[0]), done[1])] if done else []
    return Past("cnv_1", Channel.CALL, "A table", None, spoken, did)


def test_what_the_agent_said_in_a_row_is_one_answer_that_knows_what_it_did() -> None:
    told = rules.as_test(
        past(
            (AGENT, "Good morning."), (CALLER, "A table, please."), (AGENT, "For Friday, four?"),
            (CALLER, "Yes."), (AGENT, "One moment."), (AGENT, "It is booked."), (PERSON, "Anna."),
            (CALLER, "Thanks."), (AGENT, "You're welcome."),
            done=(33, TABLE),
        )
    )  # fmt: skip
    assert [turn.text for turn in told][4] == "One moment. It is booked."
    assert [turn.tasks for turn in told if turn.tasks] == [[TABLE]]
    assert told[4].tasks == [TABLE]
    assert rules.judged(told) == [2, 4, 7]  # neither the greeting nor a colleague's words
    assert [said.text for said in rules.history(told, 2)] == ["Good morning.", "A table, please."]


@pytest.mark.parametrize(
    "turns",
    [[], [(AGENT, "Good morning.")], [(AGENT, "Hi."), (CALLER, "Hello"), (PERSON, "Anna here.")]],
)
def test_where_the_agent_answered_nobody_there_is_nothing_to_test(
    turns: list[tuple[Speaker, str]],
) -> None:
    with pytest.raises(NothingToTest):
        rules.as_test(past(*turns))


@pytest.mark.parametrize(
    ("then", "now", "lost"),
    [
        ("Rye is 4.20.", "The rye costs $4.2 a loaf.", ""),
        ("Rye is 4.20.", "The rye costs 4.40.", "4.20"),
        ("Rye is 4,20 €.", "It is 4.20 euros.", ""),
        ("From 7 a.m.", "We open at 7:00.", ""),
        ("From 7 a.m.", "We open at seven.", ""),
        ("Until 6 p.m.", "Until 18:00.", ""),
        ("Until 6 p.m.", "Until 6:00.", "6 p.m."),
        ("Tuesday to Thursday.", "We are open Tue-Thu.", ""),
        ("Tuesday to Thursday.", "On Tuesday and Thursday.", "Wednesday"),
        ("It is 1,250.00 in all.", "All of it is 1250.", ""),
        ("Call +1 650-253-0000.", "The number is +16502530000.", ""),
        ("Mail Shop@Example.com.", "Write to shop@example.com!", ""),
        ("See https://example.com/a.", "See our page.", "https://example.com/a."),
        ("At noon, for 4.", "At 12:00 for four people.", ""),
        ("It costs 5.", "It costs 5, or 6 with seeds.", ""),
    ],
)
def test_facts_must_be_there_again_in_whatever_way_they_are_written(
    then: str, now: str, lost: str
) -> None:
    found = rules.faults(spoke(then), Answer(turn=1, text=now), alike=0)
    assert found == ([f"It no longer says {lost}."] if lost else [])


def spoke(text: str, *done: Done) -> Spoke:
    return Spoke(speaker=AGENT, text=text, at=BEGAN, tasks=list(done))


def test_an_answer_without_facts_must_mean_the_same() -> None:
    then, now = spoke("You are welcome."), Answer(turn=1, text="My pleasure.")
    assert rules.faults(then, now, alike=0.5) == []
    assert rules.faults(then, now, alike=0.49) == ["It says something else: 49% alike."]


def test_tasks_must_run_with_the_same_inputs_and_no_other() -> None:
    later = TABLE.model_copy(update={"inputs": {"day": "2026-05-16", "people": 4}})
    other = Done(task_id="tsk_2", title="Refund")

    def faults(then: list[Done], now: list[Done]) -> list[str]:
        return rules.faults(spoke("Done.", *then), Answer(turn=1, text="Done.", tasks=now), alike=1)

    assert faults([TABLE], [TABLE]) == []
    assert faults([TABLE], []) == ["It no longer does “Book a table”."]
    assert faults([TABLE], [later]) == [
        "“Book a table” has other inputs: day is 2026-05-16, was 2026-05-15."
    ]
    assert faults([TABLE], [TABLE, TABLE]) == ["It does “Book a table”, which it did not."]
    assert faults([], [other]) == ["It does “Refund”, which it did not."]


def test_one_answer_that_differs_fails_the_test() -> None:
    same, differs = Answer(turn=1, text="a"), Answer(turn=3, text="b", faults=["It says more."])
    assert rules.verdict([same]) is State.PASSED
    assert rules.verdict([same, differs]) is State.FAILED
