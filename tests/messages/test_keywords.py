"""Keywords and wishes: what opts out, what is help, what goes to the agent (S4, SM2, SEC18)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.messages.keywords import HELP, STOP, Keyword, keyword
from offhook.messages.wishes import wish_to_stop


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Stop.", Keyword.STOP),
        ("stop!!", Keyword.STOP),
        ('"STOP"', Keyword.STOP),
        ("STOP\n\nSent from my phone", Keyword.STOP),
        ("Ｓｔｏｐ", Keyword.STOP),
        ("OPT-OUT", Keyword.STOP),
        ("opt out", Keyword.STOP),
        ("OptOut", Keyword.STOP),
        ("Revoke", Keyword.STOP),
        ("END", Keyword.STOP),
        ("stop\u200b", Keyword.STOP),
        ("\u200b\ufeffstop", Keyword.STOP),
        ("STOPALL", Keyword.STOP),
        ("stop all", Keyword.STOP),
        ("Unsubscribe", Keyword.STOP),
        ("cancel", Keyword.STOP),
        ("Quit 🛑", Keyword.STOP),
        ("\n\n  stop  ", Keyword.STOP),
        ("“Stop”", Keyword.STOP),
        ("𝗦𝗧𝗢𝗣", Keyword.STOP),
        ("Arrêt!", Keyword.STOP),
        ("HELP", Keyword.HELP),
        ("info?", Keyword.HELP),
        ("Please stop texting me", None),
        ("Count me in, this noise must stop", None),
        ("STOP 4711", None),
        ("I need to cancel my 3pm", None),
        ("Yes", None),
        ("start", None),
        ("help me", None),
        ("the end", None),
        ("stop it", None),
        ("non-stop", None),
        ("", None),
        ("!!!", None),
        ("Thanks\nSTOP", None),
    ],
)
def test_a_keyword_counts_only_alone_on_the_first_line(text: str, found: Keyword | None) -> None:
    """SM2"""
    assert keyword(text, opted_out=False) is found


@pytest.mark.parametrize("text", ["Yes", "START", "unstop!", "Yes\n-- \nAnn"])
def test_start_acts_only_on_somebody_opted_out(text: str) -> None:
    """S4"""
    assert keyword(text, opted_out=False) is None
    assert keyword(text, opted_out=True) is Keyword.START


def phrases() -> list[tuple[str, str]]:
    """Language and phrase; "-" stands for those that are no wish."""
    lines = Path(__file__).with_name("wishes.tsv").read_text("utf-8").splitlines()
    return [(language, text) for language, _, text in (line.partition("\t") for line in lines)]


def test_two_hundred_wishes_are_noticed_and_ordinary_sentences_are_none() -> None:
    """SM2, SEC18: any reasonable means, in the language of the message."""
    known = phrases()
    wrong = [text for language, text in known if wish_to_stop(text) != language.replace("-", "")]
    assert wrong == []
    assert sum(language != "-" for language, _ in known) >= 200


@given(
    st.sampled_from(sorted(STOP | HELP)),
    st.text("!?.,;:\"'()*-_ \t\u200b\ufeff…“”", max_size=5),
    st.text("!?.,;:\"'()*-_ \t\u200b\ufeff…“”", max_size=5),
)
def test_case_and_what_stands_around_it_do_not_matter(word: str, before: str, after: str) -> None:
    assert keyword(before + word.upper() + after, opted_out=False) is not None


@given(st.text(st.characters(codec=None)), st.booleans())
def test_whatever_is_sent_gets_a_verdict(text: str, opted_out: bool) -> None:
    keyword(text, opted_out=opted_out)
    wish_to_stop(text)
