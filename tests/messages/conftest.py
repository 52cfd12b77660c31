"""The fixtures of message_fixtures.py, for the tests of this room."""

from message_fixtures import carriers, settings, shop, simulator

__all__ = ["carriers", "settings", "shop", "simulator"]
