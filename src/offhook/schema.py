"""Every table of every room, for Alembic and for a fresh database.

The only place besides app.py that names all rooms; knows nothing of what is in the tables.
"""

import importlib
from pathlib import Path

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
    """The tables of all rooms, with the models of each room and of the subjects in it imported."""
    offhook = Path(__file__).parent
    for room in ROOMS:
        for models in sorted((offhook / room).rglob("models.py")):
            name = models.relative_to(offhook.parent).with_suffix("").parts
            importlib.import_module(".".join(name))
    return Base.metadata
