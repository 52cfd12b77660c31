"""How the search reads what was said, in many languages (I3)."""

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.inbox.words import Piece, asked, folded, marked, passage, tsquery, words_of

TEXTS = st.text(max_size=200) | st.text(alphabet="aé ß.-'東京ไทกิ가ॉ\u0301\"", max_size=60)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Open on Sunday?", "open on sunday"),
        ("2.80 EUR, +1 (415) 555-0199", "2 80 eur 1 415 555 0199"),
        ("Crème brûlée, Größe Ø", "creme brulee grosse ø"),
        ("Привет, ёлка", "привет елка"),
        ("ΑΘΗΝΑ ή Αθήνα", "αθηνα η αθηνα"),
        ("東京で予約abc", "東 京 で 予 約 abc"),  # か with its mark stays one sign
        ("ก็ดี", "ก็ ดี"),
        ("مُحَمَّد", "محمد"),
        ("हिन्दी में", "हिन्दी में"),
        ("\x00 \u200b…", ""),
        ("0⼀", "0 一"),  # a radical, which stands for the sign itself
        ("㋀㍿オフ㈱", "1 月 株 式 会 社 オ フ 株"),
    ],
)
def test_words_are_read_without_case_accents_and_marks(said: str, read: str) -> None:
    assert folded(said) == unicodedata.normalize("NFKD", read)


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("croissants sunday", "'croissants':* & 'sunday':*"),
        ('"on sunday" x', "'on sunday' & 'x'"),
        ("sunday -monday", "'sunday':* & !'monday':*"),
        ("-monday", "'monday':*"),
        ("'); drop table", "'drop':* & 'table':*"),
        ("555-0199", "'555 0199':*"),
        ("予約", "'予 約':*"),
        ('"', ""),
        ("& | ! <-> :*", ""),
    ],
)
def test_a_search_is_words_phrases_and_what_must_be_absent(typed: str, query: str) -> None:
    assert tsquery(asked(typed)) == query


def found(text: str, typed: str) -> list[str]:
    return [piece.text for piece in marked(text, asked(typed)) if piece.found]


def test_what_was_found_is_marked_where_it_stands() -> None:
    assert found("Crème brûlée? Creme!", "creme") == ["Crème", "Creme"]
    assert found("Call 415-555-0199 now", "555 0199") == ["555", "0199"]
    assert found("Call 415-555-0199 now", '"555 0199"') == ["555-0199"]
    assert found("明日の予約です", "予約") == ["予約"]
    assert found("begins, begin", "begin") == ["begins", "begin"]
    assert found("one two", "-two one") == ["one"]
    assert found("㋀の予約", "1月") == ["㋀"]
    assert marked("nothing", asked("else")) == [Piece("nothing")]


def test_a_passage_is_one_line_around_the_first_place() -> None:
    text = "word " * 60 + "needle\nhay " + "word " * 60
    pieces = passage(text, asked("needle"))
    line = "".join(piece.text for piece in pieces)
    assert [piece.text for piece in pieces if piece.found] == ["needle"]
    assert line.startswith("…word")
    assert line.endswith("…")
    assert len(line) < 150


@given(TEXTS, TEXTS)
def test_pieces_join_to_the_text_and_words_stand_in_it(text: str, typed: str) -> None:
    assert "".join(piece.text for piece in marked(text, asked(typed))) == text
    words = words_of(text)
    assert all(0 <= word.start < word.end <= len(text) for word in words)
    assert all(one.end - 1 <= two.start for one, two in pairwise(words))
    assert all(not word.text.isspace() and "'" not in word.text for word in words)


@given(st.text(min_size=1, max_size=40))
def test_a_text_finds_itself(text: str) -> None:
    if words_of(text):
        phrase = " ".join(word.text for word in words_of(text))
        assert "".join(found(text, f'"{phrase}"'))
