"""Recordings on disk: where they lie, how long they are, and links that let one person listen.

A path is made from ids only, never from what a user sent (SEC16). Knows files; the rows that point
at them are the service's.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from offhook.calls.tokens import is_recording_signature, recording_signature
from offhook.errors import Forbidden, NotFound
from offhook.media import finish_recording

LINK_S = 300
HEADER_BYTES = 60  # more than a WAV's head; what is no longer than that holds no sound
PART = ".part"
QUIET_S = 10  # a recording that lives is written to all the time
SILENCE = b"\xff"
BYTES_PER_MS = 16  # two channels of 8 kHz mu-law


class RecordingNotFound(NotFound):
    code = "recording_not_found"


class RecordingLinkInvalid(Forbidden):
    code = "recording_link_invalid"


@dataclass(frozen=True, slots=True)
class Link:
    """An address that plays one recording to one person for five minutes."""

    call_id: str
    expires_s: int
    signature: str

    @property
    def url(self) -> str:
        return (
            f"/calls/{self.call_id}/recording?expires={self.expires_s}&signature={self.signature}"
        )


def path_of(home: Path, team_id: str, call_id: str) -> Path:
    return home / "recordings" / team_id / f"{call_id}.wav"


def link(secret: bytes, call_id: str, user_id: str, *, now_s: int) -> Link:
    expires_s = now_s + LINK_S
    return Link(call_id, expires_s, recording_signature(secret, call_id, user_id, expires_s))


def check(secret: bytes, asked: Link, user_id: str, *, now_s: int) -> None:
    """Raises RecordingLinkInvalid for a link that is another's, altered or too old."""
    if not is_recording_signature(
        secret, asked.call_id, user_id, asked.expires_s, asked.signature, now_s=now_s
    ):
        raise RecordingLinkInvalid(
            "This link to the recording is not valid any more.",
            remedy="Open the call's page again and play it from there.",
        )


def finish(path: Path) -> int:
    """Make a recording whole that a dead process left behind. Returns its length in ms, 0: none.

    Only this one: others in the same folder may belong to calls that are going on.
    """
    part = path.with_name(path.name + PART)
    if part.exists():
        finish_recording(part)
    return length_ms(path)


def resume(path: Path, gap_ms: int) -> None:
    """Let the call's recording go on in the same file, after silence for the time away.

    Without a first part on this disk it begins anew.
    """
    part = path.with_name(path.name + PART)
    if path.exists() and not part.exists():
        path.rename(part)
    if part.exists():
        with part.open("ab") as file:
            file.write(SILENCE * (gap_ms * BYTES_PER_MS))


def recover(home: Path) -> None:
    """Make whole what dead processes left on this machine's disk; live recordings are let be."""
    for part in (home / "recordings").glob(f"*/*{PART}"):
        if time.time() - part.stat().st_mtime > QUIET_S:
            finish_recording(part)


def length_ms(path: Path) -> int:
    """How long the recording is; 0 where there is none."""
    try:
        size = path.stat().st_size
    except OSError:
        return 0
    return max(0, size - HEADER_BYTES) // BYTES_PER_MS
