"""What is a yes to what was read back (T1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.tasks.consent import affirms, was_said

READBACK = "Book a table. Party: 4. Day: Friday, 15 May. Time: 19:00. Is that right?"
YES = [
    "Yes.", "yes please", "Yeah, that's right.", "Yep", "Sure, go ahead", "OK", "okay do it",
    "Sounds good", "Correct!", "Perfect, thanks", "Absolutely", "Of course", "Why not?",
    "No problem, book it", "Yes, four people on Friday", "Yes at seven", "yes, 4", "👍",
    "Yes. Please do.", "That works", "For sure", "I do", "Exactly.", "mm yes", "Uh, yes",
]  # fmt: skip
NO = [
    "No.", "nope", "Not really", "No, six people", "Yes, but for six", "Yes for six people",
    "Yes, on Saturday", "yes at eight", "Wait", "Stop", "Hold on", "Cancel that",
    "Actually make it five",
    "What does it cost?", "Is that right?", "I don't know", "maybe", "Don't do it",
    "do not book it",
    "That's wrong", "Hmm", "", "Never mind", "yes no", "👎", "Change the day", "Let me think",
    "yes I wanted to ask you something about the parking that you have there and whether it costs",
]  # fmt: skip
OTHERS = [
    ("de", "Ja, gerne", True), ("de", "Passt", True), ("de-DE", "Genau", True),
    ("de", "Nein", False), ("de", "Ja, aber später", False), ("de", "lieber nicht", False),
    ("es", "Sí, por favor", True), ("es", "Vale", True), ("es", "no, gracias", False),
    ("fr", "Oui", True), ("fr", "D'accord", True), ("fr", "Non merci", False),
    ("fr", "oui mais pas", False),
    ("it", "Va bene", True), ("pt", "Sim", True), ("pt", "não", False), ("nl", "Klopt", True),
    ("ja", "yes", True), ("ja", "hai", False),
]  # fmt: skip


@pytest.mark.parametrize("text", YES)
def test_a_yes(text: str) -> None:
    assert affirms(text, "en", READBACK)


@pytest.mark.parametrize("text", NO)
def test_no_yes(text: str) -> None:
    assert not affirms(text, "en", READBACK)


@pytest.mark.parametrize(("language", "text", "yes"), OTHERS)
def test_other_languages(language: str, text: str, yes: bool) -> None:
    assert affirms(text, language) is yes


@given(st.text())
def test_any_text_is_understood_or_not(text: str) -> None:
    affirms(text, "en", READBACK)
    assert not affirms(f"{text} no", "en")


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ([READBACK], True),
        (["Book a table. Party: four. Day: Friday the fifteenth of May. Time: seven"], True),
        (["Book a table. Party: 2. Day: Friday, 15 May. Time: 19:00. Is that right?"], False),
        (["Book a table. Party: 4. Day: Friday, 15 May."], False),
        (["Book a table, party four, day Friday, 15 May, time 19:00"], True),
        (["Book a table. Party: 4. Day:", "Friday, 15 May. Time: 19:00."], True),
        (["Do you like cats?"], False),
        ([], False),
    ],
)
def test_a_read_back_counts_when_it_was_heard(heard: list[str], said: bool) -> None:
    assert was_said(READBACK, heard) is said
