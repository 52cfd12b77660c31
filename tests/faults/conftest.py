"""Whole installations for the tests of faults; the helpers are those of the end-to-end tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from installation import Installation
from owner import Bought, Owner

from whole import Whole


@pytest.fixture(scope="session")
def installation(whole: Whole) -> Installation:
    """One for all of them; a test that ends it starts it again."""
    return whole.installation


@pytest.fixture(scope="session")
def owner(whole: Whole) -> Owner:
    return whole.owner


@pytest.fixture(scope="session")
def number(owner: Owner) -> Bought:
    """A number that the sample agent answers."""
    return owner.ready_number()
