"""One whole installation, started as a user starts it, its first owner and a receiver of webhooks:
for the end-to-end tests and for those of faults, which share what takes long to start.

A test that ends a process, or all of them, starts it again. It rests while tests run that have no
installation, for one that nobody uses takes a thirtieth of a processor from them.
"""

import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path[:0] = [str(Path(__file__).parent / "e2e")]

if TYPE_CHECKING:  # most tests need none of it
    from installation import Installation
    from owner import Owner
    from receiver import Receiver


FOLDERS = {"e2e", "faults"}
SHARED: dict[str, "Installation"] = {}
"""Those of many tests, by the fixture that has started them."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for name, each in SHARED.items():
        if each.ended and name in getattr(item, "fixturenames", ()):
            each.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    yield
    if nextitem is None or nextitem.path.parent.name not in FOLDERS:
        for each in SHARED.values():
            if not each.ended:
                each.stop()


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
            SHARED["whole"] = installation
            owner = Owner(installation)
            yield Whole(installation, owner, receiver)
            owner.close()
        finally:
            SHARED.pop("whole", None)
            installation.end()
