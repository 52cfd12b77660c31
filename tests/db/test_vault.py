"""SEC22: secrets are sealed for their row, a dump holds none, keys are rotated under load."""

import asyncio
import base64
import contextlib
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from sqlalchemy import MetaData, String, Text, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from number_fixtures import bring, make_team
from offhook import administration, db, vault
from offhook.carriers import Account
from offhook.db import Database
from offhook.numbers.models import CarrierAccount
from offhook.settings import Settings
from offhook.vault import Key, KeyFile, KeyUnknown, SecretUnreadable, Vault

OLD, NEW = Key("old", b"o" * 32), Key("new", b"n" * 32)
PLACE = "accounts.token/acc_1/team_1"
SECRET = b"c4n4ry-4uth-t0ken"


class Tables(DeclarativeBase):
    metadata = MetaData()


class Safe(Tables):
    """A table of this test's own: what rotation does holds for every table with such a column."""

    __tablename__ = "safes"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    team_id: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(Text, default="")
    token: Mapped[str] = mapped_column(db.Sealed())


@given(st.binary(max_size=200), st.text(max_size=60))
def test_what_was_sealed_opens_in_its_place_only(plain: bytes, place: str) -> None:
    sealed = Vault([NEW]).seal(plain, place)
    assert Vault([OLD, NEW]).open(sealed, place) == plain
    with pytest.raises(SecretUnreadable):
        Vault([NEW]).open(sealed, place + "x")


def test_one_secret_sealed_twice_looks_different_each_time() -> None:
    safe = Vault([NEW])
    assert safe.seal(SECRET, PLACE) != safe.seal(SECRET, PLACE)


@given(st.data())
def test_any_altered_character_is_noticed(data: st.DataObject) -> None:
    sealed = Vault([NEW]).seal(SECRET, PLACE)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.sampled_from("AQgw_-.09~é"))
    altered = sealed[:at] + other + sealed[at + 1 :]
    if altered == sealed:
        return
    if at in {len(sealed) - 1, sealed.rindex(".") - 1}:
        return  # the last character of base64 may carry bits that mean nothing
    with pytest.raises(SecretUnreadable) as refused:
        Vault([NEW]).open(altered, PLACE)
    assert SECRET.decode() not in str(refused.value)


def test_a_key_that_is_not_there_is_named_with_the_remedy() -> None:
    sealed = Vault([OLD]).seal(SECRET, PLACE)
    with pytest.raises(KeyUnknown) as refused:
        Vault([NEW]).open(sealed, PLACE)
    assert "old" in refused.value.sentence
    assert "OFFHOOK_VAULT_KEYS" in refused.value.remedy


@pytest.mark.parametrize("listed", ["", "a", "a:", "a:!!", "a:QUJD", ":" + "A" * 43 + "=", "a b:x"])
def test_keys_that_cannot_be_read_are_refused_without_showing_them(listed: str) -> None:
    with pytest.raises(vault.KeysUnusable) as refused:
        vault.parse_keys(listed)
    assert "QUJD" not in str(refused.value)


def test_the_first_key_of_the_settings_seals_and_the_others_open() -> None:
    keys = ",".join(f"{k.id}:{base64.b64encode(k.material).decode()}" for k in (NEW, OLD))
    safe = vault.open_vault(Settings(vault_keys=keys))  # pyright: ignore[reportArgumentType] - pydantic wraps it
    assert vault.parse_sealed(safe.seal(SECRET, PLACE)).key_id == "new"
    assert safe.open(Vault([OLD]).seal(SECRET, PLACE), PLACE) == SECRET
    assert base64.b64encode(NEW.material).decode() not in repr((safe, NEW, Settings()))


def test_the_key_file_is_made_once_for_its_owner_and_shared(tmp_path: Path) -> None:
    mine, theirs = (KeyFile(tmp_path / "vault-keys") for _ in range(2))
    sealed = Vault(mine).seal(SECRET, PLACE)
    assert (tmp_path / "vault-keys").stat().st_mode & 0o777 == 0o600
    made = theirs.add()
    assert Vault(mine).newest_key_id == made.id  # the other process made it
    assert Vault(theirs).open(sealed, PLACE) == SECRET
    again = Vault(theirs).rewrap(sealed, PLACE)
    assert vault.parse_sealed(again).secret == vault.parse_sealed(sealed).secret
    assert Vault(mine).open(again, PLACE) == SECRET


async def put(database: Database, safe: Vault, row_id: str, secret: bytes = SECRET) -> None:
    async with database.system() as session:
        row = Safe(id=row_id, team_id="team_1")
        row.token = db.seal(safe, row, "token", secret)
        await session.merge(row)


async def got(database: Database, safe: Vault, row_id: str) -> bytes:
    async with database.system() as session:
        return db.unseal(safe, await session.get_one(Safe, row_id), "token")


@pytest.fixture
async def safes(database: Database) -> Database:
    async with database.engine.begin() as connection:
        await connection.run_sync(Tables.metadata.create_all)
    return database


async def test_a_plain_secret_is_never_written_and_a_copied_one_does_not_open(
    safes: Database,
) -> None:
    keys = Vault([NEW])
    with pytest.raises(StatementError):
        async with safes.system() as session:
            session.add(Safe(id="a", team_id="team_1", token=SECRET.decode()))
    for row_id in "ab":
        await put(safes, keys, row_id)
    async with safes.system() as session:
        await session.execute(
            text("UPDATE safes SET token = (SELECT token FROM safes WHERE id = 'a')")
        )
    assert await got(safes, keys, "a") == SECRET
    with pytest.raises(SecretUnreadable):
        await got(safes, keys, "b")


async def dump_of(database: Database) -> bytes:
    """Every row of every table, as a backup has them."""
    url = database.psycopg_url
    parts: list[bytes] = []
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("SELECT set_config('offhook.team', '*', false)")
        tables = await connection.execute(
            "SELECT relname FROM pg_stat_user_tables WHERE schemaname = 'public'"
        )
        for (table,) in await tables.fetchall():
            query = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(table))
            async with connection.cursor().copy(query) as copied:
                parts.extend([bytes(row) async for row in copied])
    return b"".join(parts)


async def test_a_dump_of_the_database_holds_no_secret(safes: Database) -> None:
    await put(safes, Vault([NEW]), "a")
    dump = await dump_of(safes)
    assert b"v1.new." in dump
    for form in (SECRET, base64.b64encode(SECRET), SECRET.hex().encode(), NEW.material):
        assert form not in dump


async def test_keys_are_rotated_while_others_read_and_write(safes: Database) -> None:
    """Nothing unreadable at any moment, no write lost, no value under an old key afterwards."""
    for each in range(230):
        await put(safes, Vault([OLD]), f"s{each:03}")
    both, stop = Vault([NEW, OLD]), asyncio.Event()
    written: dict[str, bytes] = {}

    async def write(start: int) -> None:
        for each in range(start, 230, 7):
            written[f"s{each:03}"] = secret = f"changed {each}".encode()
            await put(safes, both, f"s{each:03}", secret)

    async def read() -> int:
        count = 0
        while not stop.is_set():
            row = f"s{count % 230:03}"
            assert await got(safes, both, row) in {SECRET, written.get(row)}
            count += 1
        return count

    readers = asyncio.gather(read(), read())
    done, *_ = await asyncio.gather(db.rotate(safes, both, Tables.metadata), write(0), write(3))
    stop.set()
    assert min(await readers) > 0
    assert done.by_key == {"new": 230}
    for each in range(230):
        row = f"s{each:03}"
        assert await got(safes, Vault([NEW]), row) == written.get(row, SECRET)


class Killed(BaseException):
    """As kill -9: nothing that follows is run."""


@pytest.mark.parametrize("passages", [1, 60, 101, 150])
async def test_a_rotation_killed_anywhere_is_run_again(safes: Database, passages: int) -> None:
    for each in range(120):
        await put(safes, Vault([OLD]), f"s{each:03}")
    both, left = Vault([NEW, OLD]), iter(range(passages - 1))

    def passage(_: str) -> None:
        if next(left, None) is None:
            raise Killed

    if passages <= 122:
        with pytest.raises(Killed):
            await db.rotate(safes, both, Tables.metadata, passage=passage)
    assert sum((await db.keys_in_use(safes, Tables.metadata)).values()) == 120
    done = await db.rotate(safes, both, Tables.metadata)
    assert done.by_key == {"new": 120}
    assert (await db.rotate(safes, both, Tables.metadata)).rewrapped == 0
    assert await got(safes, both, "s119") == SECRET


async def test_a_rotation_makes_a_key_once_and_uses_one_that_waits(
    database_url: str, tmp_path: Path
) -> None:
    """An interrupted rotation had made its key already: the next one uses it."""
    settings = Settings(home=str(tmp_path))
    keys = vault.key_file(settings)
    first = keys()[0].id
    async with contextlib.aclosing(_Account(database_url)) as account:
        await account.keep(Vault(keys))
        done = await administration.rotate_secrets(settings, database_url)
        assert done.key_id != first
        assert done.by_key == {done.key_id: 1}
        waiting = keys.add().id  # and then it was killed
        done = await administration.rotate_secrets(settings, database_url)
        assert (done.key_id, done.rewrapped) == (waiting, 1)
        assert await account.opened(Vault(keys)) == SECRET


class _Account:
    """A row of the product's own with a secret: a team's carrier account."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._team = ""

    async def keep(self, safe: Vault) -> None:
        self._team = await make_team(self._database, "Bakery")
        account = Account("AC" + "0" * 32, SECRET.decode())
        await bring(self._database, safe, self._team, None, account)

    async def opened(self, safe: Vault) -> bytes:
        async with self._database.team(self._team) as session:
            (row,) = await session.scalars(select(CarrierAccount))
            return db.unseal(safe, row, "token")

    async def aclose(self) -> None:
        await self._database.close()
