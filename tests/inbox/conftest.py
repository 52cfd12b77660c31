"""The fixtures of web_fixtures.py, for the tests of this room."""

from collections.abc import Sequence

import pytest

from web_fixtures import browser, built, client, owner, page, served, settings, site


@pytest.fixture
def rooms() -> Sequence[str]:
    return ("teams", "contacts", "tasks", "inbox", "messages", "calls")


__all__ = ["browser", "built", "client", "owner", "page", "served", "settings", "site"]
