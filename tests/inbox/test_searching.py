"""How a search finds its page: both ways find the same, and the shorter one is taken (I3)."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import text

from number_fixtures import make_team
from offhook import inbox
from offhook.db import Database, Expected, Session
from offhook.inbox import Filter, Speaker, searching
from offhook.inbox.listing import ReadBy, listed
from offhook.inbox.searching import (
    FIRST,
    MARGIN,
    STRIDE,
    TRUST,
    Lead,
    Odds,
    Search,
    among_newest,
    by_index,
    look,
)
from offhook.inbox.words import Phrase, asked
from offhook.web import Paging, encode_cursor

NUMBER = "num_a"
# Common and rare words, some that never stand together, some that begin with others.
WORDS = ("bread", "breakfast", "sunday", "sun", "rye", "oven")
SEARCHES = (
    "bread", "brea", "sun", '"sun"', "bread sunday", "rye oven", "br su", "croissant",
    "bread -sunday", '"bread sunday"', "nothing", "bread nothing", "crois bread",
)  # fmt: skip
LEADS: dict[str, Callable[[list[Phrase]], Lead]] = {
    "all": lambda phrases: Lead(phrases, 0, 0, by_team=True),
    "words": lambda phrases: Lead(phrases, 0, 0, by_team=False),
    "first": lambda phrases: Lead(phrases[:1], 0, 0, by_team=False),
    "team": lambda _: Lead([], 0, 0, by_team=True),
    "passed": lambda phrases: Lead(phrases, 0, 0, by_team=False),
}
TALKS = 60
PAGE = 7
TEAM = 4_000_000
"""Turns."""


def odds(here: int, steps: float, walked: int = 0, found: int = 0) -> Odds:
    """Of a search whose words stand in so many turns, and whose lists take so many steps."""
    return Odds(
        41,
        Expected(TEAM, TEAM, [], here, here),
        Lead([], steps, here, by_team=False),
        walked,
        found,
    )


@pytest.mark.parametrize(
    ("known", "way"),
    [
        (odds(TEAM, 40_000), "walk"),  # in every turn: the page is full at once
        (odds(9, 1), "walk"),  # the newest are looked through in any case
        (odds(9, 1, FIRST, 0), "index"),  # rare
        (odds(80_000, 4_000, FIRST, 20), "walk"),
        (odds(9, 1, FIRST, 20), "walk"),  # what the statistics held for rare is not
        (odds(TEAM // 4, 40_000, 100 * FIRST, 0), "index"),  # never together, whatever they hold
        (odds(4_000, 200, FIRST, 0), "index"),  # its list is shorter than the walk
        (odds(4_000, 80_000, FIRST, 1), "walk"),  # its list is longer
        (odds(400, 20_000, FIRST, 0), "walk"),  # too little was seen for what the lists take
        (odds(400, 20_000, 4 * FIRST, 0), "index"),
    ],
)
def test_the_newest_are_looked_through_for_as_long_as_that_is_shorter(
    known: Odds, way: str
) -> None:
    assert ("walk" if known.steps else "index") == way


@pytest.mark.parametrize(
    ("known", "steps"),
    [
        (odds(9, 9), FIRST),
        (odds(9, 9, FIRST, 40), round(MARGIN * (FIRST + TRUST) / 40)),  # one more is wanted
        (odds(TEAM // 90, 90_000, FIRST, 0), STRIDE * FIRST),  # it might promise too much
    ],
)
def test_a_walk_goes_as_far_as_the_page_should_need(known: Odds, steps: int) -> None:
    assert known.steps == steps


def test_few_that_the_index_finds_are_looked_up_and_many_are_waited_for() -> None:
    assert odds(20, 1, FIRST, 0).by_look_up
    assert not odds(9_000, 400, FIRST, 2).by_look_up


def test_the_index_is_asked_for_the_rarest_and_what_is_hardly_commoner() -> None:
    phrases = asked('refund inv "the" -paid')
    lead = Lead.of(phrases, Expected(TEAM, TEAM, [900, 15_000, 900_000, 10], 30, 29))
    assert (lead.phrases, lead.by_team, lead.turns) == (phrases[:2], False, 30)
    lead = Lead.of(phrases, Expected(TEAM, TEAM, [20, 15_000, 900_000, 10], 2, 2))
    assert lead.phrases == phrases[:1]


def test_the_index_is_asked_for_the_team_where_the_words_are_others() -> None:
    phrases = asked("refund inv")
    lead = Lead.of(phrases, Expected(TEAM, 1_000, [9_000, 90_000], 8_000, 20))
    assert (lead.phrases, lead.by_team, lead.turns) == (phrases[:1], True, 20)
    lead = Lead.of(phrases, Expected(TEAM, 10, [9_000, 90_000], 8_000, 2))
    assert (lead.phrases, lead.by_team) == ([], True)


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
    cursor = ""
    while True:
        one = replace(search, wanted=PAGE, cursor=cursor)
        if way == "newest":
            rows, looked_to = await among_newest(session, one, TALKS + 1)
            assert looked_to is None
        else:
            there = [each for each in one.phrases if not each.absent]
            lead = LEADS[way](there)
            rows = await by_index(session, one, lead, by_look_up=way != "passed")
        found += [row.id for row in rows]
        if len(rows) < PAGE:
            return found
        cursor = encode_cursor([rows[-1].last_activity_at, rows[-1].id])


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
            search = Search(team, listed(team, Filter(), by), asked(typed), PAGE)
            for way in ("newest", *LEADS):
                assert await every_page(session, search, way) == wanted, (typed, way)
            found = await searching.page(session, team, Filter(words=typed), by, Paging(TALKS))
            assert [row.id for row in found.shown] == wanted, typed


async def test_looks_that_end_early_go_on_where_they_ended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MEANWHILE", 7)
    team = await make_team(database, "Bakery")
    said = await furnish(database, team)
    async with database.team(team) as session:
        for typed in SEARCHES:
            rest = Search(team, listed(team, Filter(), ReadBy("usr_1")), asked(typed), TALKS)
            found: list[str] = []
            looked_to: str | None = ""
            while looked_to is not None:
                rest = replace(rest, cursor=looked_to)
                rows, looked_to = await look(session, rest, at_once=0)
                found += [row.id for row in rows]
            assert found == [key for key, turns in reversed(said.items()) if meant(turns, typed)]
