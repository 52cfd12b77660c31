"""Databases for tests: each test gets one without rows, as if it were new.

Copying the template takes most of a second, deleting a test's few rows some hundredths. A database
is dropped where that does not do: its tables were changed, or somebody holds it. The connections
to it stay: what a server and we have read and prepared for one test serves the next ones, too.
"""

import itertools
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import event

from offhook.db import Database
from offhook.supervisor import EmbeddedPostgres
from offhook.supervisor.postgres import DATABASE

TEMPLATE = "offhook_template"
LIVES = 50  # so often is a database used between two sweeps: dead rows make it slower to read

# What a cleaner needs, in the template and so in each copy: the rows that migrations left, the
# sequences' beginnings, and a note of every change to a table.
CLEANER = """
CREATE SCHEMA cleaner;
CREATE TABLE cleaner.changes (command text);
CREATE FUNCTION cleaner.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN INSERT INTO cleaner.changes VALUES (tg_tag); END $$;
CREATE TABLE cleaner.tables (name text, is_seeded boolean);
CREATE TABLE cleaner.sequences AS SELECT format('%I.%I', schemaname, sequencename) AS name,
    start_value, last_value FROM pg_sequences WHERE schemaname = 'public';
DO $$
DECLARE one text; is_seeded boolean;
BEGIN
    FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', one) INTO is_seeded;
        INSERT INTO cleaner.tables VALUES (one, is_seeded);
        IF is_seeded THEN EXECUTE format('CREATE TABLE cleaner.%I AS TABLE %I', one, one); END IF;
    END LOOP;
END $$;
CREATE FUNCTION cleaner.clean() RETURNS void LANGUAGE plpgsql AS $$
DECLARE one record; guard text; guards text[]; is_filled boolean;
BEGIN
    FOR one IN SELECT name, is_seeded FROM cleaner.tables
        WHERE pg_relation_size(name::regclass) > 0  -- nothing was ever written to the others
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', one.name) INTO is_filled;
        CONTINUE WHEN NOT is_filled;
        guards := ARRAY(SELECT tgname FROM pg_trigger  -- those that fire for a replica, too
            WHERE tgrelid = one.name::regclass AND tgenabled = 'A');
        FOREACH guard IN ARRAY guards LOOP
            EXECUTE format('ALTER TABLE %I DISABLE TRIGGER %I', one.name, guard);
        END LOOP;
        EXECUTE format('DELETE FROM %I', one.name);
        FOREACH guard IN ARRAY guards LOOP
            EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER %I', one.name, guard);
        END LOOP;
        IF one.is_seeded THEN
            EXECUTE format('INSERT INTO %I OVERRIDING SYSTEM VALUE TABLE cleaner.%I',
                one.name, one.name);
        END IF;
    END LOOP;
    PERFORM setval(name::regclass, coalesce(last_value, start_value), last_value IS NOT NULL)
        FROM cleaner.sequences;
END $$;
CREATE EVENT TRIGGER cleaner ON ddl_command_end EXECUTE FUNCTION cleaner.note();
"""
FREE = """
SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND (state <> 'idle' OR pid <> ALL(%s))
"""
SET_UP = """
SET session_replication_role = replica;
SET event_triggers = off;
SET lock_timeout = '2s'
"""


class Shelf:
    """One server's databases. `create` makes one that shares nothing with the shelf."""

    def __init__(self, server: EmbeddedPostgres, connections: "Connections") -> None:
        self._server = server
        self._connections = connections
        self._numbers = itertools.count(1)
        self._clean: list[str] = []
        self._lives: Counter[str] = Counter()
        self._cleaners: dict[str, psycopg.Connection] = {}
        self.create(TEMPLATE, DATABASE)
        server.sql(CLEANER, TEMPLATE)

    def create(self, name: str, template: str | None = None) -> None:
        copied = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        self._server.sql(f"CREATE DATABASE {name} OWNER offhook{copied}")

    def take(self) -> str:
        """The name of a database with all tables and no rows."""
        if self._clean:
            return self._clean.pop()
        name = f"test_{next(self._numbers)}"
        self.create(name, TEMPLATE)
        return name

    def put_back(self, name: str) -> None:
        """Take whatever the test left in it, for the next one."""
        self._lives[name] += 1
        try:
            is_clean = self._cleaned(name)
        except psycopg.Error:  # somebody holds a lock, or nobody is let in
            is_clean = False
        if is_clean:
            self._clean.append(name)
            return
        if cleaner := self._cleaners.pop(name, None):
            cleaner.close()
        self._server.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def _cleaned(self, name: str) -> bool:
        """Whether nothing is left but what was there when it was new."""
        kept, cleaner = self._connections.kept, self._cleaner(name)
        ended = cleaner.execute(FREE, [list(kept)]).fetchall()
        if any(pid in kept for pid, _ in ended):  # in mid-transaction
            return False
        cleaner.execute("SELECT cleaner.clean()")
        if self._lives[name] % LIVES == 0:
            cleaner.execute("VACUUM")
        return cleaner.execute("SELECT FROM cleaner.changes").fetchone() is None

    def _cleaner(self, name: str) -> psycopg.Connection:
        if name not in self._cleaners:
            url = self._server.url(name, "postgres").replace("+psycopg", "")
            self._cleaners[name] = psycopg.connect(url, autocommit=True)
            self._cleaners[name].execute(SET_UP)
        return self._cleaners[name]

    def close(self) -> None:
        for cleaner in self._cleaners.values():
            cleaner.close()


class Connections:
    """Ours to the databases of a shelf; they are closed at the end of all tests."""

    def __init__(self) -> None:
        self._opened: dict[tuple[str, bool], Database] = {}
        self.kept: set[int] = set()
        """The server's processes for them."""

    def of(self, url: str, clock: Callable[[], datetime] | None = None) -> Database:
        """To that database, on its own time or on the clock's."""
        key = (url, clock is not None)
        if key not in self._opened:
            self._opened[key] = made = Database(url, pool_size=5)
            event.listen(made.engine.sync_engine, "connect", self._keep)
        database = self._opened[key]
        database.clock = clock
        return database

    def _keep(self, connection: Any, _: object) -> None:
        self.kept.add(connection.driver_connection.info.backend_pid)

    async def close(self) -> None:
        for database in self._opened.values():
            await database.close()
