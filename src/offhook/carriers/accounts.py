"""Which carrier accounts this installation has: the operator's, and those that teams brought.

    carriers = Carriers(settings, lookup)          # lookup(account_id) -> Account | None
    carrier = await carriers.of(number.account_id)  # None: the operator's
    await carriers.aclose()

An account's id is ours; its SID and token are what `lookup` finds at each use, so a token that was
replaced is used from the next request on. Accounts share their connections. Knows no database.
"""

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, cast

from offhook.carriers.port import WRONG_CREDENTIALS, Carrier, Refused
from offhook.carriers.simulator.account import (
    Account,
    Network,
    require_simulator,
    simulated_account,
)
from offhook.errors import Invalid
from offhook.settings import Settings, secret_key

Lookup = Callable[[str], Awaitable[Account | None]]


class CarrierNotConfigured(Invalid):
    code = "carrier_not_configured"


class AccountGone(Refused):
    """The account of this number was removed: nothing can be asked of its carrier any more."""

    code = "carrier_account_gone"


def account(settings: Settings) -> Account:
    """The operator's account at the carrier. Raises CarrierNotConfigured."""
    if settings.carrier == Network.SIMULATOR:
        return simulated_account(secret_key(settings))
    token = settings.twilio_auth_token.get_secret_value()
    if not settings.twilio_account_sid or not token:
        raise CarrierNotConfigured(
            "The carrier is Twilio, but its account SID or auth token is missing.",
            remedy="Set OFFHOOK_TWILIO_ACCOUNT_SID and OFFHOOK_TWILIO_AUTH_TOKEN.",
        )
    return Account(settings.twilio_account_sid, token)


async def no_accounts(account_id: str) -> Account | None:
    """The look-up of an installation where nobody brought an account."""


class Carriers:
    """One open adapter per account; one object per event loop, to be closed with `aclose`.

    Raises CarrierNotConfigured. `simulator_url` replaces the settings' address of the simulator.
    """

    def __init__(
        self, settings: Settings, lookup: Lookup = no_accounts, *, simulator_url: str = ""
    ) -> None:
        self._settings = settings
        self._lookup = lookup
        self._origins = {
            Network.TWILIO: "",
            Network.SIMULATOR: simulator_url or settings.simulator_url,
        }
        self._transports: dict[Network, Any] = {}
        self._open: dict[str, tuple[Account, Carrier]] = {}
        self._operator = account(settings)
        self.operator = self.at(self._operator)

    async def account(self, account_id: str | None) -> Account:
        """SID and token of an account, for requests and signatures. Raises AccountGone."""
        if account_id is None:
            return self._operator
        found = await self._lookup(account_id)
        if found is None:
            self._open.pop(account_id, None)
            raise AccountGone(
                "The carrier account of this number was removed.",
                carrier_code=WRONG_CREDENTIALS,
                remedy="Connect the account again and import the number.",
            )
        known = self._open.get(account_id)
        if known is None or known[0] != found:
            self._open[account_id] = (found, self.at(found))
        return found

    async def of(self, account_id: str | None) -> Carrier:
        """The account's carrier. Raises AccountGone."""
        if account_id is None:
            return self.operator
        await self.account(account_id)
        return self._open[account_id][1]

    def known(self) -> list[Account]:
        """The accounts that were used here, as they were last: where the look-up is away."""
        return [self._operator, *(each for each, _ in self._open.values())]

    def at(self, some: Account) -> Carrier:
        """A carrier with these credentials, kept nowhere: for trying them out."""
        # The official client is imported here, on first use: it takes about a second.
        opening = import_module("offhook.carriers.twilio.opening")
        if some.network not in self._transports:
            self._transports[some.network] = opening.open_transport(self._origins[some.network])
        return cast("Carrier", opening.open_over(some, self._transports[some.network]))

    async def simulated_customer(self, **wish: Any) -> Account:
        """A new account at the simulated carrier, in use elsewhere so far; to try it all out.

        Raises NotSimulated, Unreachable.
        """
        require_simulator(self._settings)
        customers = import_module("offhook.carriers.simulator.customers")
        made = await customers.make(self._origins[Network.SIMULATOR], self._operator, **wish)
        return cast("Account", made.account)

    async def aclose(self) -> None:
        """Close the connections of all accounts."""
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()
