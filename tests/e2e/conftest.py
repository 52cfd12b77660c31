"""One installation for all end-to-end tests, and a browser that looks at it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "media")]

from installation import Installation
from owner import Owner


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of it on one worker: it shares one installation and one pair of cores."""
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.xdist_group("e2e"))
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    installation = Installation(ENVIRONMENT="development")
    installation.start()
    yield installation
    installation.stop()
    installation.remove()


@pytest.fixture(scope="session")
def owner(installation: Installation) -> Iterator[Owner]:
    """The first owner, signed up; shared like the installation."""
    owner = Owner(installation)
    yield owner
    owner.close()
