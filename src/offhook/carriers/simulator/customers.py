"""A customer's account at the simulated carrier, made on demand: to try bringing one's own numbers.

The account has numbers that report to somebody else already, as a real one has. Its SID and token
are what the customer would copy from Twilio's Console.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import httpx

from offhook.carriers.port import Unreachable
from offhook.carriers.simulator.account import (
    Account,
    Network,
    require_simulator,
    simulated_account,
)
from offhook.outgoing import public_roots
from offhook.settings import Settings, secret_key

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Customer:
    """A new account and the numbers that it has."""

    account: Account
    numbers: tuple[str, ...]


async def make(url: str, operator: Account, **wish: Any) -> Customer:
    """Ask the simulator at `url` for an account; `wish` as in `simulator.accounts`.

    Raises Unreachable.
    """
    try:
        async with httpx.AsyncClient(
            trust_env=False, verify=public_roots(), timeout=TIMEOUT_S
        ) as client:
            answer = await client.post(
                f"{url}/simulator/accounts", json=wish, auth=(operator.sid, operator.token)
            )
            answer.raise_for_status()
            made = cast("dict[str, Any]", answer.json())
    except (httpx.HTTPError, ValueError) as error:
        raise Unreachable(
            "The simulated carrier made no account.", outcome_unknown=False
        ) from error
    account = Account(str(made["sid"]), str(made["token"]), Network.SIMULATOR)
    return Customer(account, tuple(map(str, made["numbers"])))


async def show_new(
    settings: Settings, *, name: str, numbers: int, trial: bool, show: Callable[[str], None] = print
) -> None:
    """For the command line: make an account and show what to type in. Raises NotSimulated."""
    require_simulator(settings)
    operator = simulated_account(secret_key(settings))
    made = await make(
        settings.simulator_url,
        operator,
        name=name,
        numbers=numbers,
        type="Trial" if trial else "Full",
    )
    show(f"Account SID  {made.account.sid}")
    show(f"Auth token   {made.account.token}")
    for number in made.numbers:
        show(f"Number       {number}")
