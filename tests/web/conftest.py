"""These tests need no room above teams."""

import pytest


@pytest.fixture
def rooms() -> tuple[str, ...]:
    return ("web", "teams")
