"""One whole installation, started as a user starts it, its first owner and a receiver of webhooks:
for the end-to-end tests and for those of faults, which share what takes long to start.

A test that ends a process, or all of them, starts it again.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path[:0] = [str(Path(__file__).parent / "e2e")]

if TYPE_CHECKING:  # most tests need none of it
    from installation import Installation
    from owner import Owner
    from receiver import Receiver


@dataclass(frozen=True, slots=True)
class Whole:
    """It may ask the receiver, and answers texts without much waiting for more."""

    installation: "Installation"
    owner: "Owner"
    receiver: "Receiver"


@pytest.fixture(scope="session")
def whole() -> Iterator[Whole]:
    from installation import Installation
    from owner import Owner
    from receiver import receiving

    with receiving() as receiver:
        installation = Installation(
            ENVIRONMENT="development",
            OUTGOING_HTTP="true",
            OUTGOING_PORTS=f"[443, {receiver.server_port}]",
            OUTGOING_PRIVATE_NETWORKS='["127.0.0.0/8"]',
            SETTLE_MS="200",
        )
        try:
            installation.start()
            owner = Owner(installation)
            yield Whole(installation, owner, receiver)
            owner.close()
        finally:
            installation.end()
