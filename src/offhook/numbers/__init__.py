"""Inventory, purchase, configuration and lifecycle of phone numbers."""
