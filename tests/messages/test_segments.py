"""Encoding and segments as carriers count them, against smsutil; shortening (S5, SM5)."""

import importlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import segment_texts
from offhook.messages import segments
from offhook.messages.segments import Encoding, fold, shorten, size

SMILE = "😎"
smsutil: Any = importlib.import_module("smsutil")  # it has no types


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 160, 1),
        ("a" * 159 + "€", 2),
        ("]" * 153, 3),
        ("a" * 152 + "[" + "a" * 152, 3),
        ("]" * 68 + SMILE, 1),
        ("a" * 69 + "’", 1),
        ("a" * 70 + "’", 2),
        ("a" * 66 + SMILE + "a" * 66, 3),
        (SMILE * 36, 2),
        (("a" * 152 + "€") * 3, 4),
        ("", 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("ж" * 70, 1),
        ("ж" * 71, 2),
        ("ж" * 134, 2),
        ("ж" * 135, 3),
    ],
)
def test_segments_are_counted_as_listed(text: str, expected: int) -> None:
    """SM5"""
    assert size(text).segments == expected


GSM = st.sampled_from(sorted(segments.BASIC | segments.EXTENSION))
SHIFT = "\x1b"  # smsutil takes the shift to the extension table for a character of the alphabet
ANY = st.characters(codec="utf-8", exclude_characters=SHIFT)
MIXED = st.one_of(GSM, st.sampled_from("😎👍🏽’жé漢\u200d"), ANY)


@given(st.one_of(st.text(GSM, min_size=1, max_size=500), st.text(MIXED, min_size=1)))
def test_segments_agree_with_smsutil(text: str) -> None:
    """An independent implementation: same encoding, same cuts."""
    ours = size(text)
    theirs = smsutil.split(text)
    assert (ours.encoding is Encoding.GSM7) is smsutil.is_valid_gsm(text)
    assert ours.segments == max(1, len(theirs.parts))


def test_the_shift_to_the_extension_table_is_no_character() -> None:
    """3GPP TS 23.038, 6.2.1.1: what follows it would be another character."""
    assert size(f"a{SHIFT}(").encoding is Encoding.UCS2


def test_segments_agree_with_both_calculators_on_four_thousand_texts() -> None:
    """S5: with what sms-segments-calculator (npm) counted, and with smsutil."""
    texts = list(segment_texts.texts())
    theirs = segment_texts.counted()
    assert len(texts) == len(theirs) == 4_000
    ours = [size(each) for each in texts]
    assert [(each.encoding[0], each.segments) for each in ours] == theirs
    assert [each.segments for each in ours] == [len(smsutil.split(each).parts) for each in texts]


@given(st.text(MIXED, max_size=600), st.integers(1, 3))
def test_a_shortened_text_fits_and_is_a_beginning(text: str, cap: int) -> None:
    """S5: never more than the cap, nothing invented but the mark."""
    short = shorten(text, segments=cap)
    assert size(short).segments <= cap
    assert short == text or (
        short.endswith("...") and text.startswith(short.removesuffix("...").rstrip())
    )


@given(st.lists(st.sampled_from(["bread", "croissant", "€5", SMILE, "l’été"]), max_size=400))
def test_words_are_never_cut(words: list[str]) -> None:
    text = " ".join(words)
    kept = shorten(text, segments=3).removesuffix("...").split()
    assert kept == words[: len(kept)]


@pytest.mark.parametrize("before", range(300, 460, 7))
def test_a_url_is_kept_whole_or_left_out(before: int) -> None:
    """SM5"""
    url = "https://example.com/menu?day=sunday&lang=en#bread"
    text = "word " * (before // 5) + url + " and then some more words" * 20
    short = shorten(text, segments=3)
    assert url in short or "http" not in short


def test_a_url_longer_than_the_cap_is_left_out() -> None:
    url = "https://example.com/" + "x" * 600
    assert shorten(f"See {url}", segments=3) == "See ..."
    assert shorten(url, segments=3) == "..."


@pytest.mark.parametrize("unit", [SMILE, "👍🏽", "e\u0301", "👩\u200d🚀"])
def test_a_single_long_word_is_cut_between_characters(unit: str) -> None:
    """SM5: never inside a pair; nor between a letter and its accent."""
    short = shorten(unit * 400, segments=3)
    kept = short.removesuffix("...").strip()
    assert kept == unit * (len(kept) // len(unit))
    assert len(kept) > 30


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("It’s “fresh” – today…", 'It\'s "fresh" - today...'),
        ("9–17\u202fUhr", "9-17 Uhr"),
        ("• one\n• two", "- one\n- two"),
        ("He said “да”", "He said “да”"),
        ("so\u00adft hy\u200bphen", "soft hyphen"),
        ("plain", "plain"),
    ],
)
def test_typographic_characters_are_folded_where_the_text_then_is_gsm7(
    text: str, folded: str
) -> None:
    """K3, SM5"""
    assert fold(text) == folded
