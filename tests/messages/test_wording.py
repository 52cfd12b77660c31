"""A reply as a text: no markup, short, never empty (HS2, S5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.messages import wording
from offhook.messages.segments import size


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("**Open** daily:\n- Mon 9-17", "Open daily:\n- Mon 9-17"),
        ("[menu](https://x.example/a?b=1)", "menu: https://x.example/a?b=1"),
        ("<https://x.example/a>", "https://x.example/a"),
        ("😀", "😀"),
        ("   \n", wording.EMPTY_REPLY),
        ("", wording.EMPTY_REPLY),
        ("...", "..."),
        ("Call +1 650 253 0000", "Call +1 650 253 0000"),
        ("$1,234.50 on 03/04", "$1,234.50 on 03/04"),
        ("10.000,00 €", "10.000,00 €"),
        ("<speak>hi</speak>", "hi"),
        ("# Hours\n\nWe *are* open", "Hours\n\nWe are open"),
        ("* one\n* two", "- one\n- two"),
        ("2 * 3 * 4 = 24", "2 * 3 * 4 = 24"),
        ("a_b_c and `code`", "a_b_c and code"),
        ("```\nhello\n```", "hello"),
        ("It’s “on”", 'It\'s "on"'),
        ("I <3 bread, 4 > 3", "I <3 bread, 4 > 3"),
    ],
)
def test_markup_goes_and_words_stay(reply: str, text: str) -> None:
    """HS2"""
    assert wording.as_text(reply, segments=3) == text


@given(st.text(max_size=2_000))
def test_every_reply_is_a_text_that_a_carrier_takes(reply: str) -> None:
    text = wording.as_text(reply, segments=3)
    assert text
    assert size(text).segments <= 3


@pytest.mark.parametrize(
    "sentence",
    [
        wording.STOP_CONFIRMED,
        wording.START_CONFIRMED,
        wording.HELP_ANSWER,
        wording.ASK_TO_STOP,
        wording.EMPTY_REPLY,
    ],
)
def test_fixed_sentences_fit_one_segment(sentence: str) -> None:
    assert size(sentence).segments == 1
