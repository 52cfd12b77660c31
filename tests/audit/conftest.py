"""The fixtures of number_fixtures.py: the simulated carrier and the test gateway."""

from number_fixtures import carrier, carriers, gateway, importer, shop, simulator

__all__ = ["carrier", "carriers", "gateway", "importer", "shop", "simulator"]
