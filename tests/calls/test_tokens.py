"""Tokens allow exactly what they were made for (SEC4, SEC16)."""

from offhook.calls.tokens import (
    is_recording_signature,
    is_stream_token,
    is_watch_token,
    recording_signature,
    stream_token,
    watch_token,
)

SECRET = b"s" * 32


def test_a_stream_token_opens_its_call_in_its_epoch_only() -> None:
    token = stream_token(SECRET, "call_1", 1)
    assert is_stream_token(SECRET, "call_1", 1, token)
    assert not is_stream_token(SECRET, "call_2", 1, token)
    assert not is_stream_token(SECRET, "call_1", 2, token)
    assert not is_stream_token(b"t" * 32, "call_1", 1, token)
    assert not is_watch_token(SECRET, "call_1", token)
    assert is_watch_token(SECRET, "call_1", watch_token(SECRET, "call_1"))


def test_a_recordings_link_is_bound_to_person_recording_and_time() -> None:
    signature = recording_signature(SECRET, "call_1", "user_1", 1000)

    def holds(
        call: str, user: str, expires: int, sig: str, now: int, *, key: bytes = SECRET
    ) -> bool:
        return is_recording_signature(key, call, user, expires, sig, now_s=now)

    assert holds("call_1", "user_1", 1000, signature, 1000)
    assert not holds("call_1", "user_1", 1000, signature, 1001)
    assert not holds("call_1", "user_2", 1000, signature, 900)
    assert not holds("call_2", "user_1", 1000, signature, 900)
    assert not holds("call_1", "user_1", 2000, signature, 900)
    assert not holds("call_1", "user_1", 1000, signature, 900, key=b"t" * 32)
    assert not holds("call_1", "user_1", 1000, "", 900)
