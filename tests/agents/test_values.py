"""Values out of what people say at a telephone, or write: days, times, counts, addresses, names."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_toolbox import BOOK

from offhook.agents.clocks import times
from offhook.agents.dates import MONTHS, WEEK, days
from offhook.agents.filling import fill
from offhook.agents.numerals import alone, digits
from offhook.agents.values import counts, own_name
from offhook.tasks import Input, InputType, Offer

WEDNESDAY = date(2026, 5, 13)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Seven thirty on the twenty-first", "7 30 on the 21st"),
        ("double five oh one", "5 5 01"),
        ("oh double oh seven", "0007"),
        ("seven o'clock", "7 o'clock"),
        ("oh, I see", "oh, i see"),
        ("two thousand and twenty six", "2026"),
        ("There will be for of us.", "there will be 4 of us."),
        ("just the to of us", "just the 2 of us"),
        ("a table for us", "a table for us"),
    ],
)
def test_numbers_in_words_become_digits(said: str, read: str) -> None:
    assert digits(said) == read


@pytest.mark.parametrize(
    ("said", "count"),
    [("For.", 4), ("Too, please.", 2), ("for people", 4), ("For my mother", None), ("to", 2)],
)
def test_a_word_that_sounds_like_a_number_is_one_where_a_number_was_asked_for(
    said: str, count: int | None
) -> None:
    assert [each.value for each in counts(alone(said))] == ([count] if count else [])


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("today", "2026-05-13"),
        ("tonight", "2026-05-13"),
        ("tomorrow", "2026-05-14"),
        ("the day after tomorrow", "2026-05-15"),
        ("Friday", "2026-05-15"),
        ("this coming Tuesday", "2026-05-19"),
        ("next Friday", "2026-05-22"),
        ("next Monday", "2026-05-18"),
        ("next week Wednesday", "2026-05-20"),
        ("Friday week", "2026-05-22"),
        ("a week from Friday", "2026-05-22"),
        ("Wednesday", "2026-05-20"),
        ("in three days", "2026-05-16"),
        ("in a week", "2026-05-20"),
        ("two weeks from now", "2026-05-27"),
        ("the fifteenth", "2026-05-15"),
        ("the twelfth", "2026-06-12"),
        ("the thirty first", "2026-05-31"),
        ("15 May", "2026-05-15"),
        ("the third of June", "2026-06-03"),
        ("May the first", "2027-05-01"),
        ("Sunday, May 17th, 2026", "2026-05-17"),
        ("February 29", "2028-02-29"),
        ("5/20", "2026-05-20"),
        ("20.5. please", "2026-05-20"),
        ("2026-12-24", "2026-12-24"),
        ("Friday the fifteenth", "2026-05-15"),
    ],
)
def test_days_are_found_as_people_say_them(said: str, day: str) -> None:
    assert [each.value for each in days(digits(said), WEDNESDAY)] == [day]


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("the thirty first of June", "June has only 30 days."),
        ("February 30", "February has only 29 days."),
        ("Friday the sixteenth of May", "16 May is a Saturday, not a Friday."),
        ("13/13", "There is no day 13/13."),
        ("the 32nd", "No month has a day 32."),
        ("on the 0th", "No month has a day 0."),
        ("0000-01-01", "There is no year 0."),
        ("1 May 0000", "There is no year 0."),
    ],
)
def test_a_day_that_does_not_exist_is_found_with_the_reason(said: str, sentence: str) -> None:
    assert [each.problem for each in days(digits(said), WEDNESDAY)] == [sentence]


@pytest.mark.parametrize("said", ["May I come?", "it costs 4.80", "one time", "at 10 30", "mayor"])
def test_what_is_no_day_is_none(said: str) -> None:
    assert days(digits(said), WEDNESDAY) == []


@given(st.dates(date(2026, 1, 1), date(2030, 12, 31)), st.integers(0, 360))
def test_a_day_named_by_its_date_is_that_day_whenever_it_is_said(today: date, ahead: int) -> None:
    day = today + timedelta(days=ahead)
    for said in (f"{day.day} {MONTHS[day.month - 1]}", day.isoformat(),
                 f"{WEEK[day.weekday()]} {MONTHS[day.month - 1]} {day.day}"):  # fmt: skip
        assert [each.value for each in days(said, today)] == [day.isoformat()]


@pytest.mark.parametrize(
    ("said", "time"),
    [
        ("seven pm", "19:00"),
        ("7.30 p.m.", "19:30"),
        ("at seven thirty", "19:30"),
        ("seven oh five pm", "19:05"),
        ("half past six", "18:30"),
        ("half past six in the morning", "06:30"),
        ("quarter to eight in the evening", "19:45"),
        ("twenty to nine", "08:40"),
        ("a quarter to noon", "11:45"),
        ("five to midnight", "23:55"),
        ("noon", "12:00"),
        ("at nine", "09:00"),
        ("at twelve thirty", "12:30"),
        ("19:45", "19:45"),
        ("eight o'clock", "08:00"),
        ("tonight at eight", "20:00"),
        ("around 7ish", "19:00"),
    ],
)
def test_times_are_found_as_people_say_them(said: str, time: str) -> None:
    assert [each.value for each in times(digits(said))] == [time]


@given(st.integers(0, 23), st.integers(0, 59))
def test_a_time_by_the_clock_is_that_time(hour: int, minute: int) -> None:
    assert [each.value for each in times(f"{hour:02}:{minute:02}")] == [f"{hour:02}:{minute:02}"]
    half = "am" if hour < 12 else "pm"
    said = f"{hour % 12 or 12}:{minute:02} {half}"
    assert [each.value for each in times(said)] == [f"{hour:02}:{minute:02}"]


ORDER = Offer(
    "tsk_order", "order", "Order", "", (),
    (
        Input("email", InputType.EMAIL), Input("callback_number", InputType.PHONE),
        Input("size", InputType.CHOICE, choices=("Small", "Medium", "Extra large")),
        Input("adults", InputType.INTEGER), Input("children", InputType.INTEGER),
        Input("budget", InputType.NUMBER), Input("delivery", InputType.BOOLEAN),
        Input("notes", InputType.TEXT), Input("last_name", InputType.TEXT),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "said", "values"),
    [
        ("", "my email is john dot smith at example dot com", {"email": "john.smith@example.com"}),
        ("email", "j o h n underscore two at gmail dot com", {"email": "john_2@gmail.com"}),
        ("email", "john at g mail dot co dot uk", {"email": "john@gmail.co.uk"}),
        ("email", "Ann@Example.com.", {"email": "ann@example.com"}),
        ("callback_number", "six five oh, two five three, double oh double oh",
         {"callback_number": "6502530000"}),
        ("callback_number", "+1 (650) 253-0000", {"callback_number": "+16502530000"}),
        ("size", "the extra large one", {"size": "Extra large"}),
        ("size", "mediun", {"size": "Medium"}),
        ("size", "the second one", {"size": "Medium"}),
        ("", "two adults and three children", {"adults": 2, "children": 3}),
        ("adults", "just two", {"adults": 2}),
        ("delivery", "yes please", {"delivery": True}),
        ("delivery", "no thanks", {"delivery": False}),
        ("budget", "about 12.50", {"budget": 12.5}),
        ("budget", "1,200", {"budget": 1200}),
        ("notes", "leave it at the door", {"notes": "leave it at the door"}),
        ("last_name", "It's O'Neill, please", {"last_name": "O'Neill"}),
        ("last_name", "o'neill-smith", {"last_name": "O'Neill-Smith"}),
        ("", "hello there", {}),
    ],
)  # fmt: skip
def test_each_type_of_input_is_read(asked: str, said: str, values: dict[str, Any]) -> None:
    wanted = next((each for each in ORDER.inputs if each.name == asked), None)
    assert fill(ORDER, said, today=WEDNESDAY, asked=wanted).values == values


@pytest.mark.parametrize(
    ("said", "values"),
    [
        ("a table for four on Friday at seven pm",
         {"date": "2026-05-15", "time": "19:00", "party_size": 4}),
        ("on May 20 at 8 for 12 guests", {"date": "2026-05-20", "time": "20:00", "party_size": 12}),
        ("the 15th for 4 at 7", {"date": "2026-05-15", "time": "19:00", "party_size": 4}),
        ("there are five of us, my name is Ann Lee", {"party_size": 5, "name": "Ann Lee"}),
        ("this is Peter Brown calling, for tomorrow", {"date": "2026-05-14",
                                                       "name": "Peter Brown"}),
        ("two adults and three kids at half past six", {"party_size": 5, "time": "18:30"}),
        ("just me", {"party_size": 1}),
        ("at six, no, seven", {"time": "19:00"}),
        ("I'm looking for a table", {}),
    ],
)  # fmt: skip
def test_several_inputs_in_one_sentence(said: str, values: dict[str, Any]) -> None:
    assert fill(BOOK, said, today=WEDNESDAY).values == values


@given(st.text(max_size=200), st.sampled_from([*BOOK.inputs, *ORDER.inputs, None]))
def test_any_text_is_read_without_an_error(text: str, asked: Input | None) -> None:
    for offer in (BOOK, ORDER):
        fill(offer, text, today=WEDNESDAY, asked=asked)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("My name is Ann Lee.", "Ann Lee"),
        ("this is peter calling", "Peter"),
        ("I'm Peter", "Peter"),
        ("under the name of smith, please", "Smith"),
        ("I'm looking for bread", ""),
        ("This is about my order", ""),
    ],
)
def test_a_name_is_taken_only_where_one_is_given(said: str, name: str) -> None:
    assert own_name(said) == name
