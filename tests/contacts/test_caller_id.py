"""Names looked up at the carrier: what an entry says, and where it is kept (P2)."""

import pytest

from offhook.carriers import CallerName
from offhook.contacts.caller_id import read


@pytest.mark.parametrize(
    ("entry", "values"),
    [
        (CallerName("BAKER,ANN"), {"name": "Ann Baker"}),
        (CallerName("Ann O'Neill"), {"name": "Ann O'Neill"}),
        (CallerName("GARCIA LUCIA"), {"name": "Garcia Lucia"}),
        (
            CallerName("SMITH, JONES INC", business=True),
            {"name": "Smith, Jones Inc", "company": "Smith, Jones Inc"},
        ),
        (CallerName("WIRELESS CALLER"), {}),
        (CallerName("Unavailable"), {}),
        (CallerName("CHICAGO      IL"), {}),
        (CallerName("4155550111"), {}),
        (CallerName("  \x00 "), {}),
        (None, {}),
    ],
)
def test_an_entry_that_names_nobody_gives_nothing(
    entry: CallerName | None, values: dict[str, str]
) -> None:
    assert read(entry) == values
