"""What an operator does to a running installation from the command line: secrets wrapped with a new
key, operators named, a link for a forgotten password.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offhook import audit, db, schema, teams
from offhook.settings import Settings
from offhook.vault import key_file, open_vault

OPERATOR = audit.By(audit.Kind.OPERATOR, name="command line")


async def rotate_secrets(settings: Settings, url: str) -> db.Rotated:
    """Wrap every secret in the database with the newest key (SEC22).

    With keys in the settings that is the first of them. With the key file a key is made, unless
    an earlier rotation made one and did not come to its end: then that one is used.
    """
    vault = open_vault(settings)
    database = db.Database(url, pool_size=2)
    try:
        used = await db.keys_in_use(database, schema.metadata())
        if not settings.vault_keys.get_secret_value() and set(used) <= {vault.newest_key_id}:
            key_file(settings).add()
        return await db.rotate(database, vault, schema.metadata())
    finally:
        await database.close()


async def password_link(settings: Settings, url: str, email: str) -> str:
    """The address at which the user `email` chooses a new password. Raises UserUnknown."""
    audit.act_as(OPERATOR)
    database = db.Database(url, pool_size=2)
    try:
        async with database.system() as session:
            return settings.web_url + await teams.forgotten.link_for(session, email)
    finally:
        await database.close()


@dataclass(frozen=True, slots=True)
class Checked:
    """What the check of every audit log found, a line for each."""

    whole: bool
    lines: list[str]


async def verify_audit(url: str, noted: Sequence[str]) -> Checked:
    """Check each chain from its first entry, and that every `noted` digest is still in one."""
    database = db.Database(url, pool_size=2)
    whole, lines = True, list[str]()
    try:
        async with database.system() as session:
            for chain in await audit.chains(session):
                verdict = await audit.verify(session, chain)
                broken = verdict.broken
                whole = whole and broken is None
                state = broken.reason if broken else f"{verdict.entries} entries, whole"
                lines.append(f"{chain}: {state} Head {verdict.head}")
            for digest in noted:
                found = await audit.has(session, digest)
                whole = whole and found
                lines.append(f"{digest}: {'in the log' if found else 'NOT in any log'}")
    finally:
        await database.close()
    return Checked(whole, lines)


async def change_operators(url: str, email: str = "", *, add: bool | None = None) -> list[str]:
    """Make `email` an operator (`add`), end that (not `add`), or only look; who they are then."""
    audit.act_as(OPERATOR)
    database = db.Database(url, pool_size=2)
    try:
        async with database.system() as session:
            if add is not None:
                await (teams.operators.add if add else teams.operators.remove)(session, email)
            return [user.email for user in await teams.operators.operators(session)]
    finally:
        await database.close()
