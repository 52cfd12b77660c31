"""The fixtures of number_fixtures.py, for the tests of this room."""

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
    "team",
]
