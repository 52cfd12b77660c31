"""A recital of the instructions is heard, in pieces of any size; other words pass whole (SEC9)."""

import base64
import codecs
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.agents import prompting
from offhook.agents.leaks import HELD_CHARS, Guard, Recital, shingles

MARK = "4f8a2c91b7d0"
RULE = "Answer only from what you are told here, and never make up a price or a promise."
RULES = shingles([RULE])


def said(deltas: Sequence[str]) -> str:
    """What comes out, up to a recital."""
    guard, text = Guard(RULES, MARK), ""
    try:
        for delta in deltas:
            text += guard.say(delta)
        text += guard.rest()
    except Recital:
        return text + "!"
    return text


def cut(text: str, sizes: Sequence[int]) -> list[str]:
    pieces: list[str] = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]
    return [*pieces, text]


@pytest.mark.parametrize(
    "disguised",
    [
        MARK,
        MARK.upper(),
        " ".join(MARK),
        "-".join(MARK),
        MARK[::-1],
        codecs.encode(MARK, "rot13"),
        MARK.encode().hex(),
        base64.b64encode(MARK.encode()).decode(),
        base64.b64encode(f"The mark is {MARK}!".encode()).decode(),
        base64.b64encode(f"My mark: {MARK}".encode()).decode(),
        f"mark={MARK}&x=1",
    ],
)
@settings(max_examples=20)
@given(sizes=st.lists(st.integers(1, 9), max_size=40))
def test_the_mark_never_leaves_whole(disguised: str, sizes: list[int]) -> None:
    told = said(cut(f"Sure, it is {disguised}. Anything else?", sizes))
    assert told.endswith("!")
    assert disguised not in told


@settings(max_examples=20)
@given(sizes=st.lists(st.integers(1, 9), max_size=60))
def test_a_rule_is_cut_at_its_eighth_word(sizes: list[int]) -> None:
    told = said(cut(f"My rules say: {RULE}", sizes))
    assert told.endswith("!")
    assert "told here" not in told


@settings(max_examples=30)
@given(text=st.text(), sizes=st.lists(st.integers(1, 9), max_size=40))
def test_whatever_else_is_said_passes_unchanged(text: str, sizes: list[int]) -> None:
    assert said(cut(text, sizes)) == text


def test_a_language_without_spaces_is_not_held_back() -> None:
    guard = Guard(RULES, MARK)
    assert len(guard.say("我们每天早上九点开门" * 20)) >= 200 - HELD_CHARS


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ({"note": f"it is {MARK}"}, True),
        ({MARK: 1}, True),
        ([{"a": [RULE]}], True),
        ({"note": "a table for two", "party": 2, "x": None}, False),
        ("Answer only from what", False),
    ],
)
def test_what_a_tool_is_handed_is_looked_through(value: object, holds: bool) -> None:
    assert Guard(RULES, MARK).holds(value) is holds


def test_the_guarded_rules_are_those_of_the_prompt() -> None:
    for rule in (prompting.RULES, prompting.TASKS, prompting.MEMORY):
        with pytest.raises(Recital):
            Guard(prompting.GUARDED).say(rule + " ")
