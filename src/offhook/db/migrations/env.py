"""How Alembic reaches the database and the tables; `offhook.db.migrate` starts it."""

from alembic import context
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection


def run() -> None:
    """Run the migrations on the connection that `migrate` brought."""
    connection: Connection = context.config.attributes["connection"]
    metadata: MetaData | None = context.config.attributes.get("metadata")
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


run()
