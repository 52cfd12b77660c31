"""Words that are searched, and the wall between teams.

Row-level security lets an index be used only by operators that cannot leak (`=`, `<`): with `@@`
all rows of the team are read. So what is searched by words keeps them in a table without a team,
where a word that nobody can say stands for it. Nothing but ids is read from such a table, and only
joined with rows that are behind the wall.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import cast
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql import ColumnElement

from offhook.db.engine import Session, fetch

# Processes that help with one search take longer to start than it should last.
PLANNED_BY_VALUES = """
SELECT set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('max_parallel_workers_per_gather', '0', true)
"""


def team_word(team_id: str) -> str:
    """The word that every row of the team has beside its own."""
    return f"@{team_id}"


def of_team(query: ColumnElement[Any], team_id: str) -> ColumnElement[Any]:
    """What `query` (a tsquery) asks for, among the team's rows."""
    return query.op("&&")(cast(f"'{team_word(team_id)}'", TSQUERY))


async def plan_by_values(session: Session) -> None:
    """Have what follows in this transaction planned for the words that are asked for: how rare they
    are decides where a search begins, which a plan made for any words cannot know.
    """
    await fetch(session, PLANNED_BY_VALUES, {})


async def expected_rows(
    session: Session, table: str, team_id: str, queries: Sequence[str]
) -> tuple[int, list[int]]:
    """How many rows the server expects of the team, and for each of `queries` (of words as they
    are). From its statistics; nothing is looked for.
    """
    plain = f"SELECT 1 FROM {table} WHERE words @@ "  # noqa: S608 - a table of ours
    team = "%(team)s::tsquery"
    parts = [team, *(f"(to_tsquery('simple', %(q{n})s) && {team})" for n in range(len(queries)))]
    statement = "EXPLAIN (FORMAT JSON) " + " UNION ALL ".join(plain + part for part in parts)
    given = {f"q{n}": query for n, query in enumerate(queries)}
    rows = await fetch(session, statement, {"team": f"'{team_word(team_id)}'", **given})
    every = rows[0][0][0]["Plan"]["Plans"]
    of_team, *found = (int(each["Plan Rows"]) for each in every)
    return of_team, found
