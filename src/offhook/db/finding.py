"""Words that are searched, and the wall between teams.

Row-level security lets an index be used only by operators that cannot leak (`=`, `<`): with `@@`
all rows of the team are read. So what is searched by words keeps them in a table without a team,
where a word that nobody can say stands for it. Nothing but ids is read from such a table, and only
joined with rows that are behind the wall.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import cast, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql import ColumnElement

from offhook.db.engine import Session, fetch
from offhook.db.tables import Base

# Processes that help with one search take longer to start than it should last. A list of places in
# the index that does not fit into the memory forgets which rows it meant, and all are read.
PLANNED_BY_VALUES = """
SELECT set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('max_parallel_workers_per_gather', '0', true), set_config('work_mem', '32MB', true),
    set_config(
        'enable_seqscan', coalesce(%(whole_tables)s, current_setting('enable_seqscan')), true
    )
"""


def team_word(team_id: str) -> str:
    """The word that every row of the team has beside its own."""
    return f"@{team_id}"


def of_team(query: ColumnElement[Any] | None, team_id: str) -> ColumnElement[Any]:
    """What `query` (a tsquery) asks for, among the team's rows; without it all of them."""
    team = cast(f"'{team_word(team_id)}'", TSQUERY)
    return team if query is None else query.op("&&")(team)


async def plan_by_values(session: Session, *, whole_tables: bool = True) -> None:
    """Have what follows in this transaction planned for the words that are asked for: how rare they
    are decides where a search begins, which a plan made for any words cannot know. Without
    `whole_tables` none is read from end to end.
    """
    await fetch(session, PLANNED_BY_VALUES, {"whole_tables": None if whole_tables else "off"})


async def count_anew(session: Session, *tables: type[Base]) -> None:
    """Have the server look at tables that have just grown by much, which it does by itself only a
    minute later: until then it takes every value in them for common, and reads all of them for a
    few. What its role does not own it leaves as it is.
    """
    for name in sorted(each.__tablename__ for each in tables):
        await session.execute(text(f"ANALYZE {name}"))


@dataclass(frozen=True, slots=True)
class Expected:
    """Rows that the server expects: all there are, the team's, with each query in all teams, with
    all queries in all teams, and those of the team with all queries.
    """

    rows: int
    team: int
    each: Sequence[int]
    everywhere: int
    here: int


async def expected_rows(
    session: Session, table: str, team_id: str, queries: Sequence[str]
) -> Expected:
    """How many rows of `table` hold what `queries` ask for (of words as they are), from the
    server's statistics; nothing is looked for.
    """
    each = [f"to_tsquery('simple', %(q{n})s)" for n in range(len(queries))]
    team_too = ["%(team)s::tsquery", *each]
    asked = [*team_too, " && ".join(each), " && ".join(team_too)]
    every = f"SELECT 1 FROM {table}"  # noqa: S608 - a table of ours
    counted = [every, *(f"{every} WHERE words @@ ({one})" for one in asked)]
    statement = "EXPLAIN (FORMAT JSON) " + " UNION ALL ".join(counted)
    given = {f"q{n}": query for n, query in enumerate(queries)}
    rows = await fetch(session, statement, {"team": f"'{team_word(team_id)}'", **given})
    counts = [int(one["Plan Rows"]) for one in rows[0][0][0]["Plan"]["Plans"]]
    return Expected(counts[0], counts[1], counts[2:-2], counts[-2], counts[-1])
