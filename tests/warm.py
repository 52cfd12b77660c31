"""What the server of processes has read before it forks: all of Offhook, what the clients of the
outside import only when they are first used, and what programs of tests read. See programs.py.
"""

import gc
from importlib import import_module

from sqlalchemy.orm import configure_mappers

gc.disable()
for module in (
    "offhook.app",
    "offhook.schema",
    "offhook.billing.stripe_gateway",
    "offhook.carriers.twilio.opening",
    "twilio.rest.api.v2010.account",
    "anyio._backends._asyncio",
    "number_fixtures",
):
    import_module(module)
configure_mappers()
gc.freeze()  # a fork's collector need not look through all of it
gc.enable()
