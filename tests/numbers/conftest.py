"""The fixtures of number_fixtures.py, for the tests of this room."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "billing"))  # stripe_server.py

from stripe_fixtures import stripe, stripe_installed

from number_fixtures import (
    agent,
    agents_ask,
    carrier,
    carriers,
    gateway,
    importer,
    other_team,
    shop,
    simulator,
    stops,
    team,
)

__all__ = [
    "agent",
    "agents_ask",
    "carrier",
    "carriers",
    "gateway",
    "importer",
    "other_team",
    "shop",
    "simulator",
    "stops",
    "stripe",
    "stripe_installed",
    "team",
]
