"""What a voice says of a written reply (K3, HS2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.speech import Sentences, speakable
from offhook.speech.sentences import LONGEST, pieces


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("**Open** daily:\n- Mon 9-17", "Open daily: Monday 9 to 17."),
        ("[menu](https://x.example/a?b=1)", "menu"),
        ("😀", None),
        ("   \n", None),
        ("", None),
        ("...", None),
        ("Call +1 650 253 0000", "Call plus 1, 6 5 0, 2 5 3, 0 0 0 0"),
        ("Call (650) 253-0000 now.", "Call 6 5 0, 2 5 3, 0 0 0 0 now."),
        ("$1,234.50 on 03/04", "1234 dollars and 50 cents on March 4"),
        ("10.000,00 €", "10000 euro"),
        ("Krapfen 2,80 €", "Krapfen 2 euro 80"),
        ("9–17 Uhr", "9 to 17 o'clock"),
        ("<speak>hi</speak>", "hi"),
        ("我们星期天开门", None),
        ("a" * 400, "a" * 40),
        ("Order 123456789 is 4-2-1-9.", "Order 1 2 3 4 5 6 7 8 9 is 4 2 1 9."),
        ("9am-5pm, Mon-Fri, Sat 9-12", "9 AM to 5 PM, Monday to Friday, Saturday 9 to 12"),
        ("At 17:05.", "At 5 oh 5 PM."),
        ("20°C & 50% off", "20 degrees Celsius and 50 percent off"),
        ("See https://www.bakery.com/menu?x=1.", "See bakery dot com."),
        ("Mail info@bakery.com!", "Mail info at bakery dot com!"),
        ("$5-10, $0.99, £1", "5 to 10 dollars, 99 cents, 1 pound"),
        ("24/7", "24 7"),
        ("Due 2026-03-04", "Due March 4, 2026"),
        ("The carrot cake costs 4.10.", "The carrot cake costs 4.10."),
        ("Closed on 3.4. for a day", "Closed on April 3 for a day"),
    ],
)
def test_reply_is_spoken_as_people_say_it(text: str, spoken: str | None) -> None:
    assert speakable(text) == spoken


def test_german_reply_is_spoken_in_german_words() -> None:
    text = "Am 04.03.2026 um 9:30 Uhr, Krapfen 2,80 €"
    assert speakable(text, "de") == "Am 4. März 2026 um 9 Uhr 30, Krapfen 2 Euro 80"


@given(st.text(max_size=200))
def test_anything_gives_clean_text_or_none(text: str) -> None:
    spoken = speakable(text)
    assert spoken is None or (any(map(str.isalnum, spoken)) and not set(spoken) & set("*_#<>[]`|~"))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("We open at 9 a.m. on Monday. Bread is 3.50. And", 3),
        ("See e.g. Dr. Smith. It is 5 p.m. We close.", 3),
        ("1. Bread\n2. Rolls", 2),
        ("你好。我们", 2),
    ],
)
def test_sentences_are_given_when_certain(text: str, sentences: int) -> None:
    cutter = Sentences()
    found = [s for letter in text for s in cutter.feed(letter)] + cutter.flush()
    assert len(found) == sentences
    assert "".join(found).replace(" ", "") == text.replace(" ", "").replace("\n", "")


@given(st.text(max_size=900), st.integers(1, 40))
def test_no_letter_is_lost_and_no_sentence_is_endless(text: str, size: int) -> None:
    cutter = Sentences()
    found = [s for i in range(0, len(text), size) for s in cutter.feed(text[i : i + size])]
    found += cutter.flush()
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(len(sentence) <= LONGEST + size for sentence in found)


def test_900_words_without_a_full_stop_are_spoken_piece_by_piece() -> None:
    spoken = list(pieces("word " * 900))
    assert len(" ".join(spoken).split()) == 900
    assert max(map(len, spoken)) <= 200
