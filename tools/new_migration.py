"""Write a migration from what the tables say and a migrated database lacks.

    python tools/new_migration.py "numbers keep their history"

Starts an embedded PostgreSQL in a temporary folder. Read what it wrote: Alembic sees tables and
columns, but neither the rows that must be moved nor row-level security, which is added here for
every new table that belongs to a team.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from alembic import command  # noqa: E402 - the path above comes first
from alembic.config import Config  # noqa: E402 - as above
from alembic.operations.ops import CreateTableOp, ExecuteSQLOp, MigrationScript  # noqa: E402 - as above
from sqlalchemy import create_engine  # noqa: E402 - as above

from offhook.db import protect  # noqa: E402 - as above
from offhook.db.migrate import MIGRATIONS, migrate, newest_number  # noqa: E402 - as above
from offhook.schema import metadata  # noqa: E402 - as above
from offhook.supervisor import EmbeddedPostgres  # noqa: E402 - as above


def protect_new_tables(_context: object, _revision: object, scripts: list[MigrationScript]) -> None:
    for script in scripts:
        operations: list[Any] = script.upgrade_ops.ops  # pyright: ignore[reportOptionalMemberAccess] - a generated script has them
        for created in [each for each in operations if isinstance(each, CreateTableOp)]:
            if any(getattr(column, "name", "") == "team_id" for column in created.columns):
                operations.extend(ExecuteSQLOp(text) for text in protect(created.table_name))


def main(message: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="offhook-migration-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "pg")
    server.start()
    try:
        migrate(server.url())
        engine = create_engine(server.url())
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        with engine.begin() as connection:
            config.attributes.update(connection=connection, metadata=metadata())
            command.revision(
                config,
                message,
                autogenerate=True,
                rev_id=f"{newest_number() + 1:04}",
                process_revision_directives=protect_new_tables,
            )
        engine.dispose()
    finally:
        server.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "change")
