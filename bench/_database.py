"""A PostgreSQL of a benchmark's own: started in a temporary folder, gone with it."""

import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from offhook.db.migrate import migrate
from offhook.supervisor import EmbeddedPostgres


@contextmanager
def postgres(extra: Mapping[str, str] | None = None) -> Generator[EmbeddedPostgres]:
    """A server without a database of ours. `extra` are settings of PostgreSQL."""
    folder = Path(tempfile.mkdtemp(prefix="offhook-bench-"))
    folder.chmod(0o711)  # the server's account passes through
    server = EmbeddedPostgres(folder / "pg", extra=dict(extra or {}))
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def new_database(server: EmbeddedPostgres, name: str = "bench") -> str:
    """The address of a new database with our tables, empty."""
    server.sql(f"CREATE DATABASE {name} OWNER offhook")
    server.sql("CREATE EXTENSION IF NOT EXISTS vector", name)
    migrate(server.url(name))
    return server.url(name)
