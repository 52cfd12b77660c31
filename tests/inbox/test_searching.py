"""How a search finds its page: both ways find the same, and the shorter one is taken (I3)."""

import random
from collections.abc import Sequence

import pytest
from sqlalchemy import text

from number_fixtures import make_team
from offhook import inbox
from offhook.db import Database, Expected, Session
from offhook.inbox import Filter, Speaker, searching
from offhook.inbox.listing import ReadBy, listed
from offhook.inbox.searching import FIRST, Search, among_newest, by_index, further, leading, walk
from offhook.inbox.words import asked
from offhook.web import Paging

NUMBER = "num_a"
# Common and rare words, some that never stand together, some that begin with others.
WORDS = ("bread", "breakfast", "sunday", "sun", "rye", "oven")
SEARCHES = (
    "bread", "brea", "sun", '"sun"', "bread sunday", "rye oven", "br su", "croissant",
    "bread -sunday", '"bread sunday"', "nothing", "bread nothing", "crois bread",
)  # fmt: skip
TALKS = 60
PAGE = 7


@pytest.mark.parametrize(
    ("team", "found", "steps"),
    [
        (4_000_000, 4_000_000, FIRST),  # in every turn: the page is full at once
        (4_000_000, 80_000, 4_000),
        (4_000_000, 4_000, FIRST),  # one of 1,000: its list is shorter than the walk
        (4_000_000, 1, FIRST),
        (1, 1, FIRST),
    ],
)
def test_the_newest_are_looked_through_where_that_is_shorter(
    team: int, found: int, steps: int
) -> None:
    assert walk(Expected(team, [found], found), 40) == steps


@pytest.mark.parametrize(
    ("found", "steps", "then"),
    [
        (0, FIRST, 0),  # never together, or rare
        (2, FIRST, 0),
        (20, FIRST, 8_000),  # what the statistics held for rare: the page is soon full
        (39, FIRST, 4_102),
        (39, 8_000, 16_410),
    ],
)
def test_a_walk_goes_on_where_it_found_enough(found: int, steps: int, then: int) -> None:
    assert further(found, steps, Expected(4_000_000, [9], 9), 40) == then


def test_the_index_is_asked_for_the_rarest_and_what_is_hardly_commoner() -> None:
    phrases = asked('refund inv "the" -paid')
    rare = Expected(1_000_000, [900, 15_000, 900_000, 10], 30)  # of turns; the last is absent
    assert leading(phrases, rare) == [phrases[0], phrases[1], phrases[2]]
    rarer = Expected(1_000_000, [20, 15_000, 900_000, 10], 2)
    assert leading(phrases, rarer) == [phrases[0], phrases[2]]  # a whole word costs nothing more
    small = Expected(10, [900, 40_000, 900_000, 10], 2)
    assert leading(phrases, small) == [phrases[2]]  # its own turns are fewer than others' lists


async def furnish(database: Database, team: str) -> dict[str, list[str]]:
    """Threads of one to three turns, the newest last: from their ids to what was said."""
    dice = random.Random(3)
    said: dict[str, list[str]] = {}
    async with database.team(team) as session:
        for index in range(TALKS):
            remote = f"+1415555{1000 + index}"
            thread = await inbox.open_thread(session, team, number_id=NUMBER, sender=remote)
            said[thread.id] = []
            for nth in range(dice.randrange(1, 4)):
                words = dice.sample(WORDS, dice.randrange(1, 4))
                rare = [] if index or nth else ["croissant"]
                said[thread.id].append(" ".join([*words, *rare]))
                await inbox.add_turn(
                    session,
                    team,
                    thread.id,
                    speaker=Speaker.CALLER,
                    text=said[thread.id][-1],
                )
    return said


def meant(said: Sequence[str], typed: str) -> bool:
    """What a search means, told without an index."""
    return any(
        all(
            _stands(turn.split(), phrase.words, begins=phrase.begins) is not phrase.absent
            for phrase in asked(typed)
        )
        for turn in said
    )


def _stands(turn: Sequence[str], words: Sequence[str], *, begins: bool) -> bool:
    return any(
        all(
            word.startswith(wanted) if begins else word == wanted
            for word, wanted in zip(turn[at : at + len(words)], words, strict=True)
        )
        for at in range(len(turn) - len(words) + 1)
    )


async def every_page(session: Session, search: Search, way: str) -> list[str]:
    """All pages of one way to search, by their cursors."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        one = Search(search.team_id, search.query, search.phrases, Paging(PAGE, cursor))
        if way == "newest":
            shown, is_whole = await among_newest(session, one, TALKS + 1)
            assert is_whole
        else:
            first = one.phrases[: {"index": None, "first": 1, "team": 0}[way]]
            shown = await by_index(session, one, [each for each in first if not each.absent])
        found += [row.id for row in shown[0]]
        cursor = shown[1]
    return found


async def test_every_way_finds_what_a_search_means_newest_first(database: Database) -> None:
    """I3: a walk, the index for all the words, for one, for the team; page by page."""
    team, other = await make_team(database, "Bakery"), await make_team(database, "Other")
    said = await furnish(database, team)
    await furnish(database, other)
    async with database.team(team) as session:
        await session.execute(text("ANALYZE turn_words"))
        by = ReadBy("usr_1")
        for typed in SEARCHES:
            wanted = [key for key, turns in reversed(said.items()) if meant(turns, typed)]
            search = Search(team, listed(team, Filter(), by), asked(typed), Paging(PAGE))
            for way in ("newest", "index", "first", "team"):
                assert await every_page(session, search, way) == wanted, (typed, way)
            shown, _ = await searching.page(session, team, Filter(words=typed), by, Paging(TALKS))
            assert [row.id for row in shown] == wanted, typed


async def test_a_walk_says_whether_it_has_seen_all(
    database: Database,
) -> None:
    team = await make_team(database, "Bakery")
    await furnish(database, team)
    async with database.team(team) as session:
        query = listed(team, Filter(), ReadBy("usr_1"))
        search = Search(team, query, asked("croissant"), Paging(PAGE))
        assert await among_newest(session, search, TALKS - 1) == (([], None), False)
        (found, after), is_whole = await among_newest(session, search, TALKS + 1)
        assert (len(found), after, is_whole) == (1, None, True)
