"""What of a text is kept, and which conversations end and go on again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.inbox import rules
from offhook.inbox.models import Channel, State


@given(st.text(st.characters(codec=None)))
def test_kept_text_is_always_storable_and_at_most_4_kb(text: str) -> None:
    """SM8, SEC26"""
    kept = rules.storable(text)
    assert "\x00" not in kept
    assert len(kept.encode()) <= rules.MAX_TURN_BYTES


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=1000))
def test_text_within_bounds_is_kept_as_it_is(text: str) -> None:
    assert rules.storable(text) == text


def test_a_cut_never_leaves_half_a_character() -> None:
    assert rules.storable("x" * 4095 + "é") == "x" * 4095


@pytest.mark.parametrize(
    ("text", "media", "line"),
    [
        ("Hello\n  there", 0, "Hello there"),
        ("", 1, "Picture"),
        ("", 3, "3 pictures"),
        ("", 0, ""),
        ("x" * 140, 0, "x" * 140),
        ("x" * 141, 0, "x" * 139 + "…"),
    ],
)
def test_the_preview_is_one_line(text: str, media: int, line: str) -> None:
    assert rules.preview(text, media=media) == line


def test_only_a_thread_is_reopened_and_a_refused_call_has_no_life() -> None:
    """S8, C1"""
    assert (Channel.SMS, State.CLOSED) in rules.REOPENS
    assert (Channel.CALL, State.CLOSED) not in rules.REOPENS
    assert State.NOT_ANSWERED not in rules.CLOSES
