"""Every table of every room, for Alembic and for a fresh database.

The only place besides app.py that names all rooms; knows nothing of what is in the tables.
"""

import importlib
import importlib.util

from sqlalchemy import MetaData

from offhook.db import Base

ROOMS = (
    "web",
    "mail",
    "audit",
    "teams",
    "prices",
    "usage",
    "costs",
    "billing",
    "contacts",
    "knowledge",
    "bookings",
    "tasks",
    "agents",
    "numbers",
    "inbox",
    "messages",
    "calls",
    "reconciliation",
    "webhooks",
    "notices",
)


def metadata() -> MetaData:
    """The tables of all rooms, each room's models imported."""
    for room in ROOMS:
        if importlib.util.find_spec(f"offhook.{room}.models") is not None:
            importlib.import_module(f"offhook.{room}.models")
    return Base.metadata
