"""What the server of processes has read before it forks: all of Offhook, and what the clients of
the outside import only when they are first used. See programs.py.
"""

from importlib import import_module

from sqlalchemy.orm import configure_mappers

for module in (
    "offhook.app",
    "offhook.schema",
    "offhook.billing.stripe_gateway",
    "offhook.carriers.twilio.opening",
    "twilio.rest.api.v2010.account",
    "anyio._backends._asyncio",
):
    import_module(module)
configure_mappers()
