"""Secrets at rest: sealed so that neither a dump nor a copied row gives them away (SEC22).

AES-256-GCM as an envelope: each secret has a data key of its own, which is wrapped by a
key-encryption key that lives outside the database. Both layers are bound to the secret's context
(table, column, row, team), so a sealed value moved to another row does not open. Knows settings
and errors; knows no table. `db` has the column type and rotation.

    vault = open_vault(settings)
    sealed = vault.seal(b"the token", "carrier_accounts.token/acc_01/team_01")
    vault.open(sealed, "carrier_accounts.token/acc_01/team_01")

A sealed value is text: `v1.<key id>.<nonce and wrapped data key>.<nonce and ciphertext>`.
Source: NIST SP 800-38D (GCM, 96-bit random nonces).
"""

import base64
import binascii
import fcntl
import os
import re
import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from offhook.errors import Invalid, Unavailable
from offhook.settings import OWNER_ONLY, Settings

KEY_BYTES = 32
VERSION = "v1"
FILE_NAME = "vault-keys"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_WRAPPED_BYTES = _NONCE_BYTES + KEY_BYTES + _TAG_BYTES
_KEY_ID = re.compile(r"[A-Za-z0-9-]{1,32}")
_KEY_HINT = "Write id:key pairs with commas between; a key is 32 bytes in base64."


class KeysUnusable(Invalid):
    """The list of vault keys cannot be read."""

    code = "vault_keys_unusable"


class SecretUnreadable(Unavailable):
    """The sealed value was altered, cut, or belongs to another row."""

    code = "secret_unreadable"


class KeyUnknown(SecretUnreadable):
    """The value was sealed with a key that this process has not."""

    code = "vault_key_unknown"


@dataclass(frozen=True, slots=True)
class Key:
    """A key-encryption key; its id is no secret and stands in each value that it sealed."""

    id: str
    material: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sealed:
    """The parts of a sealed value."""

    key_id: str
    wrapped: bytes
    secret: bytes

    def __str__(self) -> str:
        return f"{VERSION}.{self.key_id}.{_text(self.wrapped)}.{_text(self.secret)}"


def parse_sealed(value: str) -> Sealed:
    """Read a sealed value. Raises SecretUnreadable; says nothing of what is in it."""
    parts = value.split(".")
    if len(parts) != len(("version", "key", "wrapped", "secret")) or parts[0] != VERSION:
        raise _unreadable("is not in the vault's form")
    try:
        wrapped, secret = _bytes(parts[2]), _bytes(parts[3])
    except (binascii.Error, ValueError):
        raise _unreadable("is not in the vault's form") from None
    short = len(wrapped) != _WRAPPED_BYTES or len(secret) < _NONCE_BYTES + _TAG_BYTES
    if short or not _KEY_ID.fullmatch(parts[1]):
        raise _unreadable("is not in the vault's form")
    return Sealed(parts[1], wrapped, secret)


def parse_keys(listed: str) -> tuple[Key, ...]:
    """Keys from `id:base64,id:base64`; the first one seals. Raises KeysUnusable."""
    keys: list[Key] = []
    for position, entry in enumerate((each.strip() for each in listed.split(",")), start=1):
        key_id, _, encoded = entry.partition(":")
        try:
            material = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            material = b""
        if not _KEY_ID.fullmatch(key_id) or len(material) != KEY_BYTES:
            raise KeysUnusable(f"Vault key {position} cannot be used.", remedy=_KEY_HINT)
        if key_id in {each.id for each in keys}:
            raise KeysUnusable(f"Two vault keys have the id {key_id}.", remedy=_KEY_HINT)
        keys.append(Key(key_id, material))
    return tuple(keys)


class Vault:
    """Seals with the first of its keys, opens with any of them.

    `keys` is asked at each use, so that a key made by another process is known at once.
    """

    def __init__(self, keys: Sequence[Key] | Callable[[], Sequence[Key]]) -> None:
        self._keys = keys if callable(keys) else lambda: keys

    @property
    def newest_key_id(self) -> str:
        return self._keys()[0].id

    def seal(self, plain: bytes, context: str) -> str:
        """`plain` sealed for the one place that `context` names."""
        data_key = secrets.token_bytes(KEY_BYTES)
        return str(self._wrapped(data_key, _encrypted(data_key, plain, context), context))

    def open(self, sealed: str, context: str) -> bytes:
        """What was sealed. Raises SecretUnreadable, KeyUnknown."""
        value = parse_sealed(sealed)
        return _decrypted(self._data_key(value, context), value.secret, context)

    def rewrap(self, sealed: str, context: str) -> str:
        """The same secret under the newest key; only its data key is wrapped anew."""
        value = parse_sealed(sealed)
        if value.key_id == self.newest_key_id:
            return sealed
        return str(self._wrapped(self._data_key(value, context), value.secret, context))

    def _wrapped(self, data_key: bytes, secret: bytes, context: str) -> Sealed:
        key = self._keys()[0]
        wrapped = _encrypted(key.material, data_key, _wrapping(key.id, context))
        return Sealed(key.id, wrapped, secret)

    def _data_key(self, value: Sealed, context: str) -> bytes:
        for key in self._keys():
            if key.id == value.key_id:
                return _decrypted(key.material, value.wrapped, _wrapping(key.id, context))
        raise KeyUnknown(
            f"A secret was sealed with the key {value.key_id}, which is not there.",
            remedy=f"Put that key back into OFFHOOK_VAULT_KEYS or the file {FILE_NAME}.",
            key_id=value.key_id,
        )


class KeyFile:
    """Keys in a file that only its owner reads: one `id:base64` a line, the newest first.

    Processes share it; each notices that it was replaced. Made at first use.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._keys: tuple[Key, ...] = ()

    def __call__(self) -> tuple[Key, ...]:
        stamp = self._stamp()
        if stamp is None:
            with self._alone():
                if self._stamp() is None:
                    self._write((_new_key(),))
            stamp = self._stamp()
        if stamp != self._seen:
            lines = self._path.read_text("ascii").split()
            self._keys, self._seen = parse_keys(",".join(lines)), stamp
        return self._keys

    def add(self) -> Key:
        """Make a key that seals from now on; the others stay, to open what they sealed."""
        self()
        with self._alone():
            self._write((made := _new_key(), *self()))
        return made

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _write(self, keys: Sequence[Key]) -> None:
        """All of it or nothing, and on the disk before a secret depends on it."""
        partial = self._path.with_suffix(".new")
        partial.unlink(missing_ok=True)
        lines = [f"{key.id}:{base64.b64encode(key.material).decode('ascii')}\n" for key in keys]
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)

    @contextmanager
    def _alone(self) -> Generator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def open_vault(settings: Settings) -> Vault:
    """The vault of this installation. Raises KeysUnusable."""
    listed = settings.vault_keys.get_secret_value()
    return Vault(parse_keys(listed) if listed else key_file(settings))


def key_file(settings: Settings) -> KeyFile:
    """Where the keys are when the settings name none."""
    return KeyFile(settings.home_path / FILE_NAME)


def _new_key() -> Key:
    return Key(secrets.token_hex(4), secrets.token_bytes(KEY_BYTES))


def _wrapping(key_id: str, context: str) -> str:
    return f"{VERSION}.{key_id} {context}"


def _encrypted(key: bytes, plain: bytes, context: str) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context.encode())


def _decrypted(key: bytes, data: bytes, context: str) -> bytes:
    try:
        return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context.encode())
    except InvalidTag:
        raise _unreadable("was altered, or belongs to another row or another key") from None


def _unreadable(why: str) -> SecretUnreadable:
    return SecretUnreadable(f"A sealed secret {why}.", remedy="Enter the secret again.")


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
