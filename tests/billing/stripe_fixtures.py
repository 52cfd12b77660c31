"""A stand-in for Stripe, and an installation that has its keys."""

from collections.abc import AsyncIterator, Iterator

import pytest
from stripe_server import StandIn, running

from offhook import settings


@pytest.fixture
async def stripe() -> AsyncIterator[StandIn]:
    """A stand-in for Stripe."""
    async with running() as stripe:
        yield stripe


@pytest.fixture
def stripe_installed(stripe: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """An installation with the keys of the stand-in's account."""
    for name, value in stripe.environment().items():
        monkeypatch.setenv(name, value)
    settings.load.cache_clear()
    yield stripe
    settings.load.cache_clear()
