"""These tests need what a limit, an invoice and an endpoint are."""

import pytest


@pytest.fixture
def rooms() -> tuple[str, ...]:
    return ("web", "mail", "teams", "notices")
