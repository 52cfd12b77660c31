"""The fixtures of message_fixtures.py, for the tests of this room."""

from message_fixtures import carrier, settings, shop, simulator

__all__ = ["carrier", "settings", "shop", "simulator"]
