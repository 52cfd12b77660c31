"""Card and social security numbers are hidden, and nothing else is (SEC20)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook import inbox
from offhook.db import Database
from offhook.inbox import Channel, Speaker
from offhook.masking import masked, masked_live, masked_within, passes_luhn
from offhook.teams import service
from web_fixtures import new_owner


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("My card is 4242 4242 4242 4242, thanks.", "My card is •••• 4242, thanks."),
        ("4242424242424242", "•••• 4242"),
        ("4242, 4242, 4242, 4242.", "•••• 4242."),
        ("5555-5555-5555-4444", "•••• 4444"),
        ("3782 822463 10005 exp 12/99", "•••• 0005 exp 12/99"),
        ("4242 4242 4242 4243", "4242 4242 4242 4243"),
        ("my social is 123-45-6789.", "my social is •••• ••••."),
        ("123 45 6789", "•••• ••••"),
        ("000-12-3456 666-12-3456 900-12-3456", "000-12-3456 666-12-3456 900-12-3456"),
        ("123-45 6789", "123-45 6789"),
        ("Call +1 (415) 555-0132 or +4930901820", "Call +1 (415) 555-0132 or +4930901820"),
        ("+49 4242 4242 4242 42", "+49 4242 4242 4242 42"),
        ("Order 100200300400500600700", "Order 100200300400500600700"),
        ("We open 2026-05-14 at 10", "We open 2026-05-14 at 10"),
        ("", ""),
    ],
)
def test_what_is_hidden(said: str, kept: str) -> None:
    assert masked(said) == kept


@pytest.mark.parametrize(
    "card", ["4242 4242 4242 4242", "378282246310005", "4242. 4242, 4242, 4242."]
)
def test_while_it_is_said_no_more_of_a_card_is_shown_than_is_kept_of_it(card: str) -> None:
    for end in range(len(card) + 1):
        shown = masked_live(f"It is {card[:end]}")
        assert sum(character.isdecimal() for character in shown) <= 4, shown


@given(st.text())
def test_hiding_twice_is_hiding_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [
        ({"card": "4242424242424242", "n": 2}, {"card": "•••• 4242", "n": 2}),
        ([4242424242424242, True, None, 1.5], ["•••• 4242", True, None, 1.5]),
        ({"a": [{"b": "123-45-6789"}]}, {"a": [{"b": "•••• ••••"}]}),
        (None, None),
    ],
)
def test_what_is_hidden_within_json(given_value: Any, kept: Any) -> None:
    assert masked_within(given_value) == kept


@given(st.integers(10**14, 10**15 - 1))
def test_a_check_digit_makes_a_number_pass_and_no_other_does(stem: int) -> None:
    passing = [digit for digit in range(10) if passes_luhn(f"{stem}{digit}")]
    assert len(passing) == 1


@pytest.mark.parametrize("asked", [True, False])
async def test_a_team_that_asks_for_it_keeps_no_card_number(
    database: Database, asked: bool
) -> None:
    person = await new_owner(database)
    said = "It is 4242 4242 4242 4242."
    async with database.team(person.team_id) as session:
        await service.change_team(session, person.team_id, mask_numbers=asked)
    async with database.team(person.team_id) as session:
        conversation = await inbox.open_conversation(
            session, person.team_id, channel=Channel.CALL, number_id="num_1", sender="+14155550132"
        )
        turn = await inbox.add_turn(
            session, person.team_id, conversation.id, speaker=Speaker.CALLER, text=said
        )
        await inbox.update_turn(session, person.team_id, turn.id, text=said)
        turns = await inbox.turns_of(session, person.team_id, conversation.id)
        await inbox.need_person(session, person.team_id, conversation.id, said)
        kept = turns[0].text, conversation.preview, conversation.person_needed
    assert kept == ("It is •••• 4242." if asked else said,) * 3
