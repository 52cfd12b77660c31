"""How Alembic reaches the database and the tables; `offhook.db.migrate` starts it."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Enum, MetaData
from sqlalchemy.engine import Connection

from offhook.db.sealed import Sealed
from offhook.db.tables import UtcTime


def _is_ours(_item: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
    """Procrastinate's tables have migrations of their own."""
    return not (kind == "table" and reflected and (name or "").startswith("procrastinate_"))


def _plain_types(kind: str, item: Any, autogen: Any) -> str | Literal[False]:
    """Migrations stand alone: they name database types, not ours of today."""
    if kind == "type" and isinstance(item, UtcTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Sealed):
        return "sa.Text()"
    if kind == "type" and isinstance(item, Enum):
        return f"sa.String({item.length})"
    if kind == "type" and type(item).__module__.startswith("pgvector"):
        autogen.imports.add("import pgvector.sqlalchemy")
    return False


def run() -> None:
    """Run the migrations on the connection that `migrate` brought."""
    connection: Connection = context.config.attributes["connection"]
    metadata: MetaData | None = context.config.attributes.get("metadata")
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=_is_ours,
        render_item=_plain_types,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
