"""How long the inbox takes on few and on many conversations.

    PYTHONPATH=src python bench/inbox.py [--sizes 1000,100000,1000000] [--turns 4]

A PostgreSQL of its own with one team per size, each with so many conversations of so many turns.
Words are of Zipf's kind, as in a language: some stand in half of all conversations, some in two.
What a page asks is read as the page reads it (rows, contacts, unread, found passages). Prints
medians in milliseconds, and the largest team beside the smallest whose page has as many rows.
Where a page shows what was found at once and asks for the rest, that is a line of its own.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from _database import new_database, postgres
from offhook.db import Database, random_id
from offhook.inbox import view
from offhook.inbox.view import Wanted
from offhook.teams import Actor, Role, create_team

TIMES = 15
BEFORE = 6
"""Asked before: from the sixth time on PostgreSQL may take a plan made for any values."""
LOADING = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "8GB",
    "maintenance_work_mem": "512MB",
}
"""Nothing here outlives the run."""
REBUILT = "DROP INDEX ix_turn_words", "CREATE INDEX ix_turn_words ON turn_words USING gin (words)"
"""Twenty times faster than word by word."""
FILL = {
    "conversations": (
        "INSERT INTO conversations (id, team_id, channel, number_id, sender, state, reason,"
        " agent_id, opened_at, closed_at, last_activity_at, last_heard_at, person_needed, preview,"
        " last_sequence, labels, assignee_id) "
        "SELECT :team || '_c' || n, :team, CASE WHEN n % 3 = 0 THEN 'call' ELSE 'sms' END,"
        " :team || '_n' || n % 10, '+1415' || (2000000 + n),"
        " CASE WHEN n % 50 = 0 THEN 'open' WHEN n % 50 = 1 THEN 'not_answered' ELSE 'closed' END,"
        " '', :team || '_a', at, at, at, at,"
        " CASE WHEN n % 2000 = 7 THEN 'Wants a refund.' ELSE '' END, 'Hello there', :turns,"
        " CASE WHEN n % 20 = 3 THEN ARRAY['often'] WHEN n % 40 = 5"
        "  THEN ARRAY['label' || n / 40 % 20] ELSE '{}'::text[] END,"
        " CASE WHEN n % 20 = 5 THEN :member END "
        "FROM generate_series(1, :many) AS n,"
        " LATERAL (SELECT now() - n * interval '7 seconds' AS at) AS moment"
    ),
    "turns": (
        "INSERT INTO turns (id, team_id, conversation_id, sequence, speaker, text, started_at,"
        " status, note, citations, media) "
        "SELECT :team || 't' || (n * 10 + s), :team, :team || '_c' || n, s,"
        " CASE WHEN s % 2 = 1 THEN 'caller' ELSE 'agent' END,"
        " 'word1 ' || (SELECT string_agg('word' || floor(exp(random() * ln(50000)))::int, ' ')"
        "  FROM generate_series(1, 12 + n * 0 + s * 0))"
        " || CASE WHEN s = 1 AND n % (:many / 20) = 0 THEN ' needle' ELSE '' END"
        " || CASE WHEN s % 2 = 1 THEN ' left' ELSE ' right' END,"
        " now() - n * interval '7 seconds', '', '', '[]', '[]' "
        "FROM generate_series(1, :many) AS n, generate_series(1, :turns) AS s"
    ),
    "turn_words": (
        "INSERT INTO turn_words (turn_id, conversation_id, words) "
        "SELECT id, conversation_id, to_tsvector('simple', text)"
        " || array_to_tsvector(ARRAY['@' || team_id]) FROM turns WHERE team_id = :team"
    ),
    "inbox_labels": (
        "INSERT INTO inbox_labels (team_id, name) "
        "SELECT :team, 'label' || n FROM generate_series(0, 19) AS n"
    ),
    "inbox_readers": (
        "INSERT INTO inbox_readers (team_id, reader, all_read_at) "
        "VALUES (:team, :member, now() - interval '1 hour')"
    ),
    "inbox_labelled": (
        "INSERT INTO inbox_labelled (team_id, label, conversation_id, last_activity_at) "
        "SELECT team_id, labels[1], id, last_activity_at FROM conversations"
        " WHERE team_id = :team AND labels <> '{}'"
    ),
}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--sizes", default="1000,100000,1000000")
    arguments.add_argument("--turns", type=int, default=4, choices=range(1, 10))
    asked = arguments.parse_args()
    sizes = [int(size) for size in asked.sizes.split(",")]
    with postgres(LOADING) as server:
        url = new_database(server)
        server.sql(REBUILT[0], "bench")
        actors = asyncio.run(fill_all(url, sizes, asked.turns))
        began = time.perf_counter()
        server.sql(REBUILT[1], "bench")
        server.sql("VACUUM ANALYZE", "bench")
        print(f"index and statistics in {time.perf_counter() - began:.0f} s", flush=True)
        asyncio.run(compare(url, sizes, actors))


async def fill_all(url: str, sizes: Sequence[int], turns: int) -> list[Actor]:
    database = Database(url)
    actors = [await fill(database, size, turns) for size in sizes]
    await database.close()
    return actors


async def compare(url: str, sizes: Sequence[int], actors: Sequence[Actor]) -> None:
    database = Database(url)
    heads = "".join(f"{size:>12,}" for size in sizes)
    print(f"{'':32}{heads}   largest / smallest")
    for name, wanted in PAGES.items():
        tell(name, await measured(database, actors, wanted, first_look=True))
        if not await is_whole(database, actors[-1], wanted):
            tell("  all of it", await measured(database, actors, wanted, first_look=False))
    await database.close()


def tell(name: str, seen: Sequence[tuple[float, int]]) -> None:
    """`seen`: milliseconds and rows of each size."""
    figures = "".join(f"{spent:>10.1f}ms" for spent, _ in seen)
    largest, rows = seen[-1]
    alike = next(spent for spent, shown in seen if shown == rows)
    print(f"{name:32}{figures}   {largest / alike:.1f}  ({rows} rows)", flush=True)


async def fill(database: Database, many: int, turns: int) -> Actor:
    began = time.perf_counter()
    async with database.system() as session:
        team, user = await create_team(
            session, name="Bench", email=f"b{many}@example.com", password=random_id("pwd")
        )
    member = user.id
    given = {"team": team.id, "many": many, "turns": turns, "member": member}
    for statement in FILL.values():
        async with database.team(team.id) as session:
            used = {name: value for name, value in given.items() if f":{name}" in statement}
            await session.execute(text(statement), used)
    print(f"{many:,} conversations in {time.perf_counter() - began:.0f} s", flush=True)
    return Actor(member, team.id, Role.OWNER, user.email, team.name, "UTC", "US")


async def measured(
    database: Database, actors: Sequence[Actor], wanted: Wanted, *, first_look: bool
) -> list[tuple[float, int]]:
    """The median of a page that has been asked for before, for each team, and its rows. They take
    turns, so that a noisy neighbour meets all.
    """
    spent: list[list[float]] = [[] for _ in actors]
    rows = [0 for _ in actors]
    for _ in range(TIMES + BEFORE):
        for index, actor in enumerate(actors):
            start = time.perf_counter()
            async with database.team(actor.team_id) as session:
                page = await view.of_list(session, actor, of(actor, wanted), first_look=first_look)
                await view.of_filters(session, actor, wanted)
            spent[index].append(1000 * (time.perf_counter() - start))
            rows[index] = len(page["conversations"])
            assert rows[index] or wanted.q == NOWHERE, wanted
    medians = [statistics.median(times[BEFORE:]) for times in spent]
    return list(zip(medians, rows, strict=True))


async def is_whole(database: Database, actor: Actor, wanted: Wanted) -> bool:
    async with database.team(actor.team_id) as session:
        page = await view.of_list(session, actor, of(actor, wanted), first_look=True)
    return page["is_whole"]


def of(actor: Actor, wanted: Wanted) -> Wanted:
    """Its number is this team's."""
    number = f"{actor.team_id}{wanted.number}" if wanted.number else ""
    values = {name: getattr(wanted, name) for name in Wanted.__dataclass_fields__}
    return Wanted(**(values | {"number": number}))


NOWHERE = "left right"
"""Each in half of all turns, and never both."""
DAY = (datetime.now(UTC) - timedelta(minutes=90)).date().isoformat()
PAGES = {
    "newest": Wanted(),
    "one number": Wanted(number="_n3"),
    "calls": Wanted(channel="call"),
    "open": Wanted(state="open"),
    "mine": Wanted(assignee="me"),
    "unread": Wanted(unread="1"),
    "a label of 1 in 20": Wanted(label="often"),
    "a label of 1 in 800": Wanted(label="label7"),
    "since a day": Wanted(since=DAY),
    "search: in every turn": Wanted(q="word1"),
    "search: in 1 of 5": Wanted(q="word20"),
    "search: in 1 of 50": Wanted(q="word200"),
    "search: in 1 of 500": Wanted(q="word2000"),
    "search: in 20 of all": Wanted(q="needle"),
    "search: beginnings": Wanted(q="needl"),
    "search: in 1 of 5 and in 20": Wanted(q="word20 needle"),
    "search: in all and in 20": Wanted(q="word1 needle"),
    "search: in all and in 1 of 5": Wanted(q="word1 word20"),
    "search: in 1 of 50 and of 8": Wanted(q="word200 word30"),
    "search: never together": Wanted(q=NOWHERE),
    "search and filter": Wanted(q="word20", number="_n3"),
}

if __name__ == "__main__":
    main()
