"""Tokens: who may open a call's media stream or a check's, watch its words, hear its recording.

All are HMACs under the installation's secret, made from what they allow, so nothing needs to be
stored and nothing can be widened. Pure; time is an argument (Unix seconds).
"""

import base64
import hashlib
import hmac
from enum import StrEnum


class Purpose(StrEnum):
    STREAM = "stream"
    WATCH = "watch"
    RECORDING = "recording"
    LINE = "line"
    CHECK = "check"
    REHEARSAL = "rehearsal"


CHECK_S = 60
MAX_DIGITS = 12


def stream_token(secret: bytes, call_id: str, epoch: int) -> str:
    """Allows one connection of one call: the same for a repeated callback (UM10, SEC4)."""
    return sign(secret, Purpose.STREAM, call_id, str(epoch))


def is_stream_token(secret: bytes, call_id: str, epoch: int, token: str) -> bool:
    return is_signed(secret, Purpose.STREAM, token, call_id, str(epoch))


def watch_token(secret: bytes, call_id: str) -> str:
    """Lets the web process follow the words of a call at its media process."""
    return sign(secret, Purpose.WATCH, call_id)


def is_watch_token(secret: bytes, call_id: str, token: str) -> bool:
    return is_signed(secret, Purpose.WATCH, token, call_id)


def recording_signature(secret: bytes, call_id: str, user_id: str, expires_s: int) -> str:
    """Bound to the recording, the person and the time until which it holds (SEC16)."""
    return sign(secret, Purpose.RECORDING, call_id, user_id, str(expires_s))


def is_recording_signature(
    secret: bytes, call_id: str, user_id: str, expires_s: int, signature: str, *, now_s: int
) -> bool:
    """False when it is another's, altered, or past its time."""
    right = is_signed(secret, Purpose.RECORDING, signature, call_id, user_id, str(expires_s))
    return right and now_s <= expires_s


def check_token(secret: bytes, nonce: str, expires_s: int) -> str:
    """Lets this installation try out its own media processes, without a call."""
    return sign(secret, Purpose.CHECK, nonce, str(expires_s))


def is_check_token(secret: bytes, nonce: str, expires: str, token: str, *, now_s: int) -> bool:
    """False when it is altered or past its time."""
    whole = expires.isascii() and expires.isdigit() and len(expires) <= MAX_DIGITS
    if not whole or now_s > int(expires):
        return False
    return is_signed(secret, Purpose.CHECK, token, nonce, str(int(expires)))


def sign(secret: bytes, purpose: Purpose, *parts: str) -> str:
    """What proves `parts`; none of them has a line feed, or it is the last."""
    text = "\n".join((purpose.value, *parts))
    digest = hmac.digest(secret, text.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_signed(secret: bytes, purpose: Purpose, signature: str, *parts: str) -> bool:
    """Whether `signature` proves `parts`, whatever text it is; how wrong it is takes no time."""
    expected = sign(secret, purpose, *parts)
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
