"""A worker for the kill tests: carries a purchase out and dies at the named place.

Its argument is JSON. `place` is a fail point, such as purchase.buy.done, or purchase.buy.sent:
then it dies `after_s` into the command, wherever that is.
"""

import asyncio
import json
import os
import random
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from number_fixtures import CALLBACKS
from offhook.billing import Gateway, open_gateway
from offhook.carriers import Carrier, account
from offhook.carriers.twilio.opening import open_twilio
from offhook.db import Database
from offhook.failpoints import ENVIRONMENT, EXIT_STATUS
from offhook.numbers.purchasing import Shop, carry_out
from offhook.settings import load

# The call to the outside that each command makes.
CALLS = {
    "authorise": "authorise",
    "look": "find",
    "buy": "buy",
    "configure": "configure",
    "capture": "capture",
    "release": "release",
    "void": "void",
}
LONGEST_S = 0.03


class Dying:
    """An outside whose `call` is under way when the process ends."""

    def __init__(self, inner: object, call: str, after_s: float) -> None:
        self._inner = inner
        self._call = call
        self._after_s = after_s

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        return self._dying(attribute) if name == self._call else attribute

    def _dying(self, call: Callable[..., Any]) -> Callable[..., Any]:
        async def dying(*given: Any, **named: Any) -> None:
            under_way = asyncio.ensure_future(call(*given, **named))
            await asyncio.wait([under_way], timeout=self._after_s)
            os._exit(EXIT_STATUS)

        return dying


async def work(shop: Shop, team: str, purchase: str, place: str, seed: int) -> None:
    _, command, where = place.split(".")
    if where == "sent":
        after_s = random.Random(seed).uniform(0, LONGEST_S)
        call = CALLS[command]
        if command in {"buy", "configure", "release"}:
            shop = replace(shop, carrier=cast("Carrier", Dying(shop.carrier, call, after_s)))
        else:
            shop = replace(shop, gateway=cast("Gateway", Dying(shop.gateway, call, after_s)))
    else:
        os.environ[ENVIRONMENT] = f"{place}:1"
    await carry_out(shop, team, purchase)


def shop_of(url: str, carrier_url: str) -> Shop:
    """What a worker needs, by the settings in the environment."""
    settings = load()
    carrier = open_twilio(account(settings), carrier_url)
    return Shop(Database(url), carrier, open_gateway(settings, url), CALLBACKS)


def main(given: dict[str, Any]) -> None:
    shop = shop_of(given.pop("url"), given.pop("carrier_url"))
    asyncio.run(work(shop, **given))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
