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


@pytest.mark.parametrize("language", wording.FIXED)
def test_fixed_sentences_fit_one_segment_of_gsm_and_name_the_word(language: str) -> None:
    """S5, SEC18"""
    said = wording.FIXED[language]
    for sentence in (said.stopped, said.started, said.help, said.ask, wording.EMPTY_REPLY):
        assert (size(sentence).encoding, size(sentence).segments) == ("GSM-7", 1)
    assert "START" in said.stopped
    assert all("STOP" in each for each in (said.started, said.help, said.ask))
    assert wording.asked_in(said.ask) == language


@pytest.mark.parametrize(
    ("language", "expected"), [("de-AT", "de"), ("PT", "pt"), ("ja", "en"), ("", "en")]
)
def test_a_language_without_sentences_of_its_own_gets_english(language: str, expected: str) -> None:
    assert wording.fixed(language) is wording.FIXED[expected]
