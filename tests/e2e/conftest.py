"""The installation of all end-to-end tests, and another one whose model is an attacker's."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / each) for each in ("media", "agents", "security"))]

from hijacked import serving
from installation import Installation
from neighbours import Furnished, furnish, remember
from owner import Owner
from receiver import Receiver, receiving

from whole import SHARED, Whole


@pytest.fixture(scope="session")
def receiver(whole: Whole) -> Receiver:
    return whole.receiver


@pytest.fixture(scope="session")
def installation(whole: Whole) -> Installation:
    return whole.installation


@pytest.fixture(scope="session")
def owner(whole: Whole) -> Owner:
    """The first owner, signed up; shared like the installation."""
    return whole.owner


@pytest.fixture(scope="session")
def furnished() -> Iterator[Furnished]:
    """A team that has one of everything, in an installation of its own whose language model is in
    an attacker's hands; it may reach this machine's receiver of webhooks.
    """
    with receiving() as receiver, serving() as model:
        installation = Installation(
            MODEL="openai:hijacked",
            MODEL_BASE_URL=model,
            OUTGOING_HTTP="true",
            OUTGOING_PORTS=f"[443, {receiver.server_port}]",
            OUTGOING_PRIVATE_NETWORKS='["127.0.0.0/8"]',
            SETTLE_MS="200",
        )
        installation.start()
        SHARED["furnished"] = installation
        owner = Owner(installation)
        try:
            made, number = remember(owner), owner.ready_number()
            furnish(owner, number)
            yield Furnished(owner, number, made, receiver)
        finally:
            owner.close()
            del SHARED["furnished"]
            installation.end()
