"""What words mean for turn-taking: C4's murmurs and refusals, finished and unfinished sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.media.words import Shape, Verdict, judge, shape


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", Verdict.NOTHING),
        ("  \n", Verdict.NOTHING),
        ("...", Verdict.NOTHING),
        ("[BLANK_AUDIO]", Verdict.NOTHING),
        ("(coughs)", Verdict.NOTHING),
        ("*sighs*", Verdict.NOTHING),
        ("Mhm.", Verdict.MURMUR),
        ("Mm-hmm.", Verdict.MURMUR),
        ("Uh-huh.", Verdict.MURMUR),
        ("yeah yeah", Verdict.MURMUR),
        ("Yes.", Verdict.MURMUR),
        ("Okay, right.", Verdict.MURMUR),
        ("I see.", Verdict.MURMUR),
        ("Got it.", Verdict.MURMUR),
        ("I", Verdict.INTERRUPTION),
        ("No.", Verdict.INTERRUPTION),
        ("stop", Verdict.INTERRUPTION),
        ("Wait!", Verdict.INTERRUPTION),
        ("No, stop.", Verdict.INTERRUPTION),
        ("yeah but", Verdict.INTERRUPTION),
        ("okay okay okay okay", Verdict.INTERRUPTION),
        ("Halt", Verdict.INTERRUPTION),
        ("停", Verdict.INTERRUPTION),
    ],
)
def test_judges_words_over_the_agents_speech(text: str, verdict: Verdict) -> None:
    assert judge(text) is verdict


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Shape.UNKNOWN),
        ("Are you open on Sunday?", Shape.COMPLETE),
        ("I would like to book a table.", Shape.COMPLETE),
        ("Two.", Shape.COMPLETE),
        ("At 10:30.", Shape.COMPLETE),
        ("It was $4.50.", Shape.COMPLETE),
        ("are you open on sunday", Shape.UNKNOWN),
        ("My number is", Shape.INCOMPLETE),
        ("My number is.", Shape.INCOMPLETE),
        ("I would like to", Shape.INCOMPLETE),
        ("Well, um...", Shape.INCOMPLETE),
        ("On Sunday, or Monday,", Shape.INCOMPLETE),
        ("It is 650", Shape.INCOMPLETE),
        ("It is 650-253.", Shape.INCOMPLETE),
        ("six five zero", Shape.INCOMPLETE),
        ("650-253-0000", Shape.UNKNOWN),
        ("650 253 0000.", Shape.COMPLETE),
        ("営業していますか？", Shape.COMPLETE),
    ],
)
def test_tells_a_finished_sentence_from_one_that_breaks_off(text: str, expected: Shape) -> None:
    assert shape(text) is expected


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert judge(text) in Verdict
    assert shape(text) in Shape
