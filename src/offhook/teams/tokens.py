"""Passwords, tokens and keys: how they are made, and what of them is stored (SEC5, SEC6).

A password is stretched with argon2id; a token is random enough that its SHA-256 suffices.
"""

import asyncio
import hmac
import secrets
from functools import lru_cache
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
KEY_PREFIX = "ohk_"
TOKEN_BYTES = 16
KEY_BYTES = 32
SHOWN = 12


def new_token() -> str:
    """128 random bits for a cookie or a link."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def new_key() -> str:
    return KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)


def digest(token: str) -> str:
    """What is stored of a token or key."""
    return sha256(token.encode()).hexdigest()


def setup_token(secret: bytes) -> str:
    """The token of the first sign-up; the same after every start, refused once it has been used."""
    return hmac.new(secret, b"first owner", sha256).hexdigest()[:32]


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(HASHER.hash, password)


async def verify(stored: str | None, password: str) -> bool:
    """Whether the password is right. One hash is computed whether or not there is a user."""
    try:
        await asyncio.to_thread(HASHER.verify, stored or nobodys_hash(), password)
    except VerificationError:
        return False
    return stored is not None


@lru_cache(maxsize=1)
def nobodys_hash() -> str:
    return HASHER.hash(secrets.token_urlsafe(TOKEN_BYTES))


def same(one: str, other: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
