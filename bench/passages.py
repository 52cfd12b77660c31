"""How long the passages of an answer are looked for, among few and many.

    PYTHONPATH=src python bench/passages.py [--sizes 1000,10000,100000]

A PostgreSQL of its own with one team per size. Words are of Zipf's kind, as in a language, and the
meanings are points in no order. Prints medians in milliseconds of what a search asks the database,
by words and by meaning, and whether words were found by their index.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Select, text

from _database import new_database, postgres
from offhook.db import Database, plan_by_values
from offhook.knowledge.embedding import DIMENSIONS
from offhook.knowledge.searching import by_meaning, by_words
from offhook.supervisor import EmbeddedPostgres
from offhook.teams import Team

TIMES = 9
LOADING = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "8GB",
}
"""Nothing here outlives the run."""
FILL = (
    (
        "INSERT INTO knowledge_sources (id, team_id, kind, title, content, state, error,"
        " size_bytes, passage_count, revision, created_at) "
        "SELECT :team || '_s' || n, :team, 'text', 'Guide', '', 'ready', '', 1, 1, 1, now() "
        "FROM generate_series(0, :many / 1000) AS n"
    ),
    (
        "INSERT INTO knowledge_passages (id, team_id, source_id, position, kind, headings, heading,"
        " text, cells, meaning, own_meaning) "
        "SELECT :team || 'p' || n, :team, :team || '_s' || n / 1000, n % 1000, 'text',"
        " ARRAY['Heading'], 'Heading',"
        " (SELECT string_agg('word' || floor(exp(random() * ln(20000)))::int, ' ')"
        "  FROM generate_series(1, 40 + n * 0)), '[]', point, point "
        "FROM (SELECT n, (SELECT array_agg(random() - 0.5)"
        "  FROM generate_series(1, :dimensions + n * 0))::vector AS point"
        " FROM generate_series(1, :many) AS n) AS points"
    ),
    (
        "INSERT INTO knowledge_words (passage_id, words) "
        "SELECT id, to_tsvector('english', text) || array_to_tsvector(ARRAY['@' || team_id]) "
        "FROM knowledge_passages WHERE team_id = :team"
    ),
)
QUESTIONS = {"a rare word": "word15000", "a word": "word500", "a common word": "word1 word3000"}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--sizes", default="1000,10000,100000")
    sizes = [int(size) for size in arguments.parse_args().sizes.split(",")]
    with postgres(LOADING) as server:
        asyncio.run(measure(server, new_database(server), sizes))


async def measure(server: EmbeddedPostgres, url: str, sizes: Sequence[int]) -> None:
    database = Database(url)
    teams = [await fill(database, size) for size in sizes]
    server.sql("VACUUM ANALYZE", "bench")
    print(f"{'':28}{''.join(f'{size:>12,}' for size in sizes)}")
    vector = (np.random.default_rng(1).random(DIMENSIONS) - 0.5).tolist()
    for name, question in QUESTIONS.items():
        spent = [await median(database, team, by_words(team, None, question)) for team in teams]
        print(f"{name:28}{''.join(f'{each:>10.1f}ms' for each in spent)}")
    for number, name in enumerate(("meaning under its heading", "meaning alone")):
        spent = [
            await median(database, team, by_meaning(team, None, vector)[number]) for team in teams
        ]
        print(f"{name:28}{''.join(f'{each:>10.1f}ms' for each in spent)}")
    async with database.system() as session:
        used = await session.scalar(
            text("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = :index"),
            {"index": "ix_knowledge_words"},
        )
    print(f"searches by the index of words: {used}")
    await database.close()


async def fill(database: Database, many: int) -> str:
    began = time.perf_counter()
    async with database.system() as session:
        team = Team(name="Bench", created_at=datetime.now(UTC))
        session.add(team)
    given = {"team": team.id, "many": many, "dimensions": DIMENSIONS}
    for statement in FILL:
        async with database.team(team.id) as session:
            used = {name: value for name, value in given.items() if f":{name}" in statement}
            await session.execute(text(statement), used)
    print(f"{many:,} passages in {time.perf_counter() - began:.0f} s", flush=True)
    return team.id


async def median(database: Database, team: str, wanted: Select[str]) -> float:
    spent: list[float] = []
    for _ in range(TIMES + 1):
        async with database.team(team) as session:
            await plan_by_values(session)
            start = time.perf_counter()
            await session.execute(wanted)
            spent.append(1000 * (time.perf_counter() - start))
    return statistics.median(spent[1:])


if __name__ == "__main__":
    main()
