"""kill -9 of the worker in an SMS turn, in a whole installation (faults.md, a7).

The installation's own worker is held while another one takes the job and dies at the fail point;
then it is killed too, and the supervisor starts the one that must put things right.
"""

import os
import signal
import subprocess
import sys
import time

import pytest
from installation import Installation, until
from owner import Bought, Owner

KILLED = 137
QUESTION = "Are you open on Sunday?"
STEPS = ("posted",)  # the outcome is unknown to us; the room's own tests have every step


def dies_at(installation: Installation, owner: Owner, step: str) -> subprocess.Popen[bytes]:
    """A worker of this installation that ends at a step of messages."""
    database = f"postgresql+psycopg://offhook@/offhook?host={installation.home}/pg/socket"
    failing = {"OFFHOOK_FAILPOINT": f"messages.{step}", "OFFHOOK_DATABASE_URL": database}
    return subprocess.Popen(
        [sys.executable, "-m", "offhook.cli", "worker"],
        env=installation.environment | failing,
        cwd=installation.root,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_in_a_turn_leaves_one_reply_and_two_units(
    installation: Installation, owner: Owner, number: Bought, step: str
) -> None:
    """Exactly one reply at the carrier, one inbound and one reply counted."""
    remote = f"+120255501{STEPS.index(step):02}"
    used, _ = owner.used(number, "sms")
    held = until(lambda: installation.pid("worker"), "the installation's worker")
    os.kill(held, signal.SIGSTOP)
    dying = dies_at(installation, owner, step)
    try:
        owner.text(number, QUESTION, sender=remote)
        assert dying.wait(60) == KILLED
    finally:
        dying.kill()
        os.kill(held, signal.SIGKILL)
    began = time.monotonic()
    until(lambda: owner.replies(number, remote), "the reply", 60)
    print(f"{step}: the reply came {time.monotonic() - began:.1f} s after the kill (limit: 15 s)")  # noqa: T201 - a measurement
    until(lambda: owner.used(number, "sms") == (used + 2, 0), "the ledger", 30)
    until(lambda: settled(owner, number, remote), "the end of the turn")
    owner.text(number, QUESTION, sender=remote)  # follows in the thread, so the first is done
    until(lambda: len(owner.replies(number, remote)) > 1, "the next reply", 60)
    until(lambda: owner.used(number, "sms") == (used + 4, 0), "the ledger", 30)
    assert len(owner.replies(number, remote)) == 2


def settled(owner: Owner, number: Bought, remote: str) -> bool:
    states = [each["state"] for each in owner.messages(number) if each["remote"] == remote]
    return sorted(states) == ["delivered", "received"]
