"""How long the passages of an answer are looked for, among few and many.

    PYTHONPATH=src python bench/passages.py [--sizes 1000,10000,100000]

A PostgreSQL of its own with one team per size. Words are of Zipf's kind, as in a language, and the
meanings lie around five hundred points. Prints medians in milliseconds of what a search asks the
database, by words and by meaning, how long comparing every passage would take and how many of those
that it gives are found by the index, and whether words were found by theirs.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import Select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from _database import new_database
from _database import postgres as postgres_server
from offhook.db import Database
from offhook.knowledge.embedding import DIMENSIONS
from offhook.knowledge.models import Passage
from offhook.knowledge.searching import Scope, by_meaning, by_words, plan, scope_of
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
        "SELECT :team || '_s' || n, :team, 'text', 'Guide', '', 'ready', '', 1, 1000, 1, now() "
        "FROM generate_series(0, :many / 1000) AS n"
    ),
    (
        "INSERT INTO knowledge_passages (id, team_id, source_id, position, kind, headings, heading,"
        " text, cells, meaning, own_meaning) "
        "SELECT :team || 'p' || n, :team, :team || '_s' || n / 1000, n % 1000, 'text',"
        " ARRAY['Heading'], 'Heading',"
        " (SELECT string_agg('word' || floor(exp(random() * ln(20000)))::int, ' ')"
        "  FROM generate_series(1, 40 + n * 0)), '[]', point, point "
        "FROM (SELECT n, (SELECT array_agg(sin((n % 500 + 1) * d) + random() - 0.5)"
        "  FROM generate_series(1, :dimensions + n * 0) AS d)::vector::halfvec AS point"
        " FROM generate_series(1, :many) AS n) AS points"
    ),
    (
        "INSERT INTO knowledge_words (passage_id, words) "
        "SELECT id, to_tsvector('english', text) || array_to_tsvector(ARRAY['@' || team_id]) "
        "FROM knowledge_passages WHERE team_id = :team"
    ),
)
MEANINGS = [
    index
    for index in Passage.metadata.tables[Passage.__tablename__].indexes
    if index.dialect_options["postgresql"]["using"] == "hnsw"
]
"""Made after the rows: one by one they would take as long as the vectors' own making."""
QUESTIONS = {"a rare word": "word15000", "a word": "word500", "a common word": "word1 word3000"}


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--sizes", default="1000,10000,100000")
    sizes = [int(size) for size in arguments.parse_args().sizes.split(",")]
    with postgres_server(LOADING) as server:
        asyncio.run(measure(server, new_database(server), sizes))


async def measure(server: EmbeddedPostgres, url: str, sizes: Sequence[int]) -> None:
    database = Database(url)
    for index in MEANINGS:
        server.sql(f"DROP INDEX {index.name}", "bench")
    teams = [await fill(database, size) for size in sizes]
    for index in MEANINGS:
        server.sql(str(CreateIndex(index).compile(dialect=postgresql.dialect())), "bench")
    server.sql("VACUUM ANALYZE", "bench")
    print(f"{'':28}{''.join(f'{size:>12,}' for size in sizes)}")
    scopes: list[Scope] = []
    for team in teams:
        async with database.team(team) as session:
            scopes.append(await scope_of(session, team, None))
    noise = np.random.default_rng(1).random(DIMENSIONS) - 0.5
    vector = (np.sin(7 * np.arange(1, DIMENSIONS + 1)) + noise).tolist()
    for name, question in QUESTIONS.items():
        spent = [await median(database, each, by_words(each, question)) for each in scopes]
        print(f"{name:28}{''.join(f'{each:>10.1f}ms' for each in spent)}")
    for number, name in enumerate(("meaning under its heading", "meaning alone")):
        spent = [await median(database, each, by_meaning(each, vector)[number]) for each in scopes]
        print(f"{name:28}{''.join(f'{each:>10.1f}ms' for each in spent)}")
    whole = [replace(scope, passages=0) for scope in scopes]
    spent = [await median(database, each, by_meaning(each, vector)[0]) for each in whole]
    print(f"{'  every passage compared':28}{''.join(f'{each:>10.1f}ms' for each in spent)}")
    shares = [await share(database, *pair, vector) for pair in zip(scopes, whole, strict=True)]
    print(f"{'  of those, found':28}{''.join(f'{each:>12.0%}' for each in shares)}")
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


async def share(database: Database, scope: Scope, whole: Scope, vector: Sequence[float]) -> float:
    async with database.team(scope.team_id) as session:
        await plan(session)
        found, wanted = [
            set(await session.scalars(by_meaning(each, vector)[0])) for each in (scope, whole)
        ]
    return len(found & wanted) / len(wanted)


async def median(database: Database, scope: Scope, wanted: Select[str]) -> float:
    spent: list[float] = []
    for _ in range(TIMES + 1):
        async with database.team(scope.team_id) as session:
            await plan(session)
            start = time.perf_counter()
            await session.execute(wanted)
            spent.append(1000 * (time.perf_counter() - start))
    return statistics.median(spent[1:])


if __name__ == "__main__":
    main()
