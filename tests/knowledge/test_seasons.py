"""Months by their names, as spans and as seasons."""

import pytest

from offhook.knowledge.seasons import months_in


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("in January", [1]),
        ("from May to September", [5, 6, 7, 8, 9]),
        ("Nov – Feb", [11, 12, 1, 2]),
        ("Mar. to Oct", list(range(3, 11))),
        ("during the winter months", [12, 1, 2]),
        ("in summertime", [6, 7, 8]),
        ("in the fall", [9, 10, 11]),
        ("on 3 May", [5]),
        ("May 3", [5]),
        ("May I bring my dog?", []),
        ("You may until noon", []),
        ("Fall is steep there", []),
    ],
)
def test_months_are_named_in_many_ways(text: str, months: list[int]) -> None:
    assert sorted(months_in(text)) == sorted(months)
