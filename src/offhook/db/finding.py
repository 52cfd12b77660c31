"""Words that are searched, and the wall between teams.

Row-level security lets an index be used only by operators that cannot leak (`=`, `<`): with `@@`
all rows of the team are read. So what is searched by words keeps them in a table without a team,
where a word that nobody can say stands for it. Nothing but ids is read from such a table, and only
joined with rows that are behind the wall.
"""

from typing import Any

from sqlalchemy import cast, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.sql import ColumnElement

from offhook.db.engine import Session

PLANNED_BY_VALUES = text("SET LOCAL plan_cache_mode = force_custom_plan")


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
    await session.execute(PLANNED_BY_VALUES)
