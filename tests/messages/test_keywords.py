"""Keywords and wishes: what opts out, what is help, what goes to the agent (S4, SM2, SEC18)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.messages.keywords import HELP, STOP, Keyword, keyword, wishes_to_stop


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


@pytest.mark.parametrize(
    "text",
    [
        "Please stop texting me",
        "stop texting",
        "Stop messaging me!!",
        "stop contacting me please",
        "could you stop sending me these",
        "stop sending messages",
        "please stop these messages",
        "Stop all the texts",
        "don't text me again",
        "Don’t text me anymore",
        "do not contact me",
        "dont text this number",
        "never text me again",
        "don't send me any more",
        "no more texts please",
        "No more marketing messages",
        "take me off your list",
        "Take my number off this list",
        "remove me from the list",
        "get me off this list",
        "remove my number",
        "unsubscribe me",
        "I want to unsubscribe",
        "please unsubscribe",
        "I would like to be unsubscribed",
        "I want to opt out",
        "please opt out",
        "opt me out",
        "I'd like to opt-out",
        "leave me alone",
        "Lose my number",
        "quit texting me",
        "I revoke my consent",
        "I withdraw consent",
        "ＳＴＯＰ texting me",
        "stop spamming me",
        "don't bother me",
    ],
)
def test_a_polite_stop_is_noticed(text: str) -> None:
    """SM2, SEC18: any reasonable means"""
    assert wishes_to_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "Count me in, this noise must stop",
        "I need to cancel my 3pm",
        "STOP 4711",
        "Does the bus stop here?",
        "Don't stop the music",
        "Can I text you tomorrow?",
        "please remove the onions from my order",
        "When does the sale end?",
        "Can you send me the menu?",
        "I did not get your message",
        "They must stop shouting",
        "no more croissants left?",
        "Yes",
        "What are your opening hours",
        "don't forget the candles",
        "I will contact you",
        "Is it the last stop?",
    ],
)
def test_an_ordinary_sentence_is_none(text: str) -> None:
    """SM2"""
    assert not wishes_to_stop(text)


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
    wishes_to_stop(text)
