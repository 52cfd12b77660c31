"""A worker's process for the kill tests: carries one purchase out, or dies at its fail point."""

import asyncio
import sys

from number_fixtures import CALLBACKS
from offhook.billing import TestGateway
from offhook.carriers import account
from offhook.carriers.twilio.opening import open_twilio
from offhook.db import Database
from offhook.numbers.purchasing import Shop, carry_out
from offhook.settings import Settings


async def main(url: str, home: str, carrier_url: str, team_id: str, purchase_id: str) -> None:
    database, gateway = Database(url), TestGateway(url)
    carrier = open_twilio(account(Settings.model_validate({"home": home})), carrier_url)
    await carry_out(Shop(database, carrier, gateway, CALLBACKS), team_id, purchase_id)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:6]))
