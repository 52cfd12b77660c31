"""Whole installations for the tests of faults; the helpers are those of the end-to-end tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from installation import Installation
from owner import Bought, Owner


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A whole installation takes its time."""
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """One for all of them; a test that ends it starts it again."""
    installation = Installation(SETTLE_MS="200")
    try:
        installation.start()
        yield installation
    finally:
        installation.end()


@pytest.fixture(scope="session")
def owner(installation: Installation) -> Iterator[Owner]:
    owner = Owner(installation)
    yield owner
    owner.close()


@pytest.fixture(scope="session")
def number(owner: Owner) -> Bought:
    """A number that the sample agent answers."""
    return owner.ready_number()
