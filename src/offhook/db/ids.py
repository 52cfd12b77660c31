"""Identifiers: a prefix that names the kind, then 26 characters that sort by time.

As in ULID: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32. A person who
reads a log sees what an id belongs to; an index over ids grows at its end.
"""

import secrets
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26
TIME_BITS = 48
RANDOM_BITS = 80


def new_id(prefix: str) -> str:
    """A fresh id such as `num_01k9zq2c7v3f8m5t0x4b6d1e9h`."""
    value = (time.time_ns() // 1_000_000) % (1 << TIME_BITS) << RANDOM_BITS
    return _written(prefix, value | secrets.randbits(RANDOM_BITS))


def random_id(prefix: str) -> str:
    """A fresh id that tells nothing, not even its time: 128 random bits (W2)."""
    return _written(prefix, secrets.randbits(TIME_BITS + RANDOM_BITS))


def _written(prefix: str, value: int) -> str:
    digits: list[str] = []
    for _ in range(LENGTH):
        value, digit = divmod(value, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return f"{prefix}_{''.join(reversed(digits))}"
