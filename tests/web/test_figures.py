"""Numbers as people type them."""

import pytest

from offhook.web import figures
from offhook.web.figures import NumberInvalid


@pytest.mark.parametrize(
    ("typed", "value"),
    [("7", 7), (" 007 ", 7), ("999999999", 999_999_999), ("0", 0)],
)
def test_digits_are_a_whole_number(typed: str, value: int) -> None:
    assert figures.digits(typed) == figures.whole("lines", typed) == value
    assert figures.or_text(typed) == figures.or_zero(typed) == value


@pytest.mark.parametrize("typed", ["1e3", "1.0", "-1", "+1", "٣", "1 000", "1_000", "9999999999"])
def test_anything_else_is_refused_at_its_field_with_what_was_typed(typed: str) -> None:
    assert figures.digits(typed) is None
    assert (figures.or_text(typed), figures.or_zero(typed)) == (typed, 0)
    with pytest.raises(NumberInvalid) as refused:
        figures.whole_or_none("lines", typed)
    assert typed in refused.value.sentence
    assert refused.value.details["errors"][0]["field"] == "lines"


def test_nothing_is_none_where_that_is_allowed() -> None:
    assert figures.whole_or_none("lines", " ") is None
    with pytest.raises(NumberInvalid):
        figures.whole("lines", " ")
