"""Stripe behind the port, by its official library; loaded only where its key is set.

A payment carries our key twice: as Idempotency-Key, so that Stripe makes it once, and in its
metadata, so that it is found again after a doubt. It is looked for in the customer's list, which
shows at once what was made; the search of Stripe may be a minute behind. Whatever is asked of a
payment is asked after its present state was read, so that every call may be repeated.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

import httpx
import stripe
from stripe.params import PaymentIntentCreateParams

from offhook.billing import stripe_objects
from offhook.billing.gateway import (
    Card,
    Hold,
    HoldState,
    Order,
    Setup,
    Unreachable,
    declined,
)
from offhook.billing.stripe_objects import KEY, hold_of, setup_of

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
RETRIES = 1
PAGE = 100
_OVER = frozenset({"payment_intent_unexpected_state", "charge_already_refunded"})


class StripeGateway:
    """`Gateway` for one Stripe account. Close it with `aclose`."""

    name = "stripe"

    def __init__(
        self,
        key: str,
        api_url: str = "",
        *,
        timeout: httpx.Timeout = TIMEOUT,
        retries: int = RETRIES,
    ) -> None:
        self._http = stripe.HTTPXClient(timeout=timeout)
        self._stripe = stripe.StripeClient(
            key,
            http_client=self._http,
            max_network_retries=retries,
            base_addresses={"api": api_url.rstrip("/")} if api_url else None,
        ).v1

    async def aclose(self) -> None:
        await self._http.close_async()

    async def open_customer(self, team_id: str) -> str:
        with _in_our_words():
            made = await self._stripe.customers.create_async(
                params={"metadata": {"offhook_team": team_id}},
                options={"idempotency_key": f"customer:{team_id}"},
            )
        return made.id

    async def begin_setup(self, customer: str) -> Setup:
        with _in_our_words():
            return setup_of(
                await self._stripe.setup_intents.create_async(
                    params={
                        "customer": customer,
                        "allowed_payment_method_types": ["card"],
                        "usage": "off_session",
                    }
                )
            )

    async def find_setup(self, setup_id: str) -> Setup | None:
        with _in_our_words():
            try:
                found = await self._stripe.setup_intents.retrieve_async(
                    setup_id, params={"expand": ["payment_method"]}
                )
            except stripe.InvalidRequestError:
                return None
        return setup_of(found)

    async def remove_card(self, token: str) -> None:
        with _in_our_words():
            try:
                await self._stripe.payment_methods.detach_async(token)
            except stripe.InvalidRequestError as error:
                if stripe_objects.refusal_of(error) is None:
                    raise

    async def authorise(self, order: Order, *, at: datetime) -> Hold:
        return await self._place(order, buyer_is_there=True)

    async def charge(self, order: Order, *, at: datetime) -> Hold:
        return await self._place(order, buyer_is_there=False)

    async def find(self, key: str, *, customer: str) -> Hold | None:
        found = await self._intent(key, customer)
        return hold_of(found) if found else None

    async def capture(self, key: str, *, customer: str) -> Hold:
        found = await self._intent(key, customer)
        hold = hold_of(found) if found else None
        if found and hold and hold.state is HoldState.HELD:
            with _in_our_words():
                try:
                    hold = hold_of(await self._stripe.payment_intents.capture_async(found.id))
                except stripe.InvalidRequestError as error:
                    if error.code not in _OVER:
                        raise
                    hold = await self.find(key, customer=customer)  # somebody was quicker
        if hold is None or hold.state is not HoldState.CAPTURED:
            raise declined("hold_expired")
        return hold

    async def void(self, key: str, *, customer: str) -> None:
        found = await self._intent(key, customer)
        if found is None or found.status == "canceled":
            return
        state = hold_of(found).state
        with _in_our_words():
            try:
                if state is HoldState.CAPTURED:
                    await self._stripe.refunds.create_async(params={"payment_intent": found.id})
                elif state is not HoldState.VOIDED:
                    await self._stripe.payment_intents.cancel_async(
                        found.id, params={"cancellation_reason": "abandoned"}
                    )
            except stripe.InvalidRequestError as error:
                if error.code in _OVER:  # it changed under our hands: look again
                    raise Unreachable("The payment has just changed.") from error
                raise

    async def payment(self, intent_id: str) -> Hold | None:
        """The payment of this id, for an event; its key is empty where it is not ours."""
        with _in_our_words():
            try:
                found = await self._stripe.payment_intents.retrieve_async(
                    intent_id, params={"expand": ["latest_charge"]}
                )
            except stripe.InvalidRequestError:
                return None
        return hold_of(found)

    async def card(self, token: str) -> tuple[Card, str] | None:
        """A stored card and the customer it belongs to (empty: nobody any more)."""
        with _in_our_words():
            try:
                found = await self._stripe.payment_methods.retrieve_async(token)
            except stripe.InvalidRequestError:
                return None
        card = stripe_objects.card_of(found)
        return (card, stripe_objects.id_of(found.customer)) if card else None

    async def dispute(self, dispute_id: str) -> tuple[str, str] | None:
        """The payment that its owner disputes, and how far that has come (Stripe's word)."""
        with _in_our_words():
            try:
                found = await self._stripe.disputes.retrieve_async(dispute_id)
            except stripe.InvalidRequestError:
                return None
        return stripe_objects.id_of(found.payment_intent), found.status

    async def charge_intent(self, charge_id: str) -> str:
        """The payment that a charge of Stripe's belongs to; empty where it is unknown."""
        with _in_our_words():
            try:
                found = await self._stripe.charges.retrieve_async(charge_id)
            except stripe.InvalidRequestError:
                return ""
        return stripe_objects.id_of(found.payment_intent)

    async def _place(self, order: Order, *, buyer_is_there: bool) -> Hold:
        amount = stripe_objects.minor_units(order.money)
        hold = await self.find(order.key, customer=order.customer)
        if hold is None:
            with _in_our_words():
                try:
                    hold = hold_of(await self._create(order, amount, buyer_is_there))
                except stripe.InvalidRequestError as error:
                    if refused := stripe_objects.refusal_of(error):
                        raise refused from error
                    raise
        if hold.state is HoldState.DECLINED:
            raise declined(hold.decline_code)
        return hold

    async def _create(
        self, order: Order, amount: int, buyer_is_there: bool
    ) -> stripe.PaymentIntent:
        params: PaymentIntentCreateParams = {
            "amount": amount,
            "currency": order.money.currency.lower(),
            "customer": order.customer,
            "payment_method": order.token,
            "allowed_payment_method_types": ["card"],
            "description": order.description,
            "metadata": {KEY: order.key},
            "confirm": True,
            "capture_method": "manual" if buyer_is_there else "automatic",
        }
        if buyer_is_there:
            params["use_stripe_sdk"] = True  # the bank's question goes through Stripe's script
        else:
            params["off_session"] = True
        return await self._stripe.payment_intents.create_async(
            params=params, options={"idempotency_key": order.key}
        )

    async def _intent(self, key: str, customer: str) -> stripe.PaymentIntent | None:
        """The payment with our key, the newest first."""
        with _in_our_words():
            page = await self._stripe.payment_intents.list_async(
                params={"customer": customer, "limit": PAGE, "expand": ["data.latest_charge"]}
            )
            async for each in page.auto_paging_iter():
                if KEY in each.metadata and each.metadata[KEY] == key:
                    return each
        return None


@contextmanager
def _in_our_words() -> Generator[None]:
    try:
        yield
    except stripe.StripeError as error:
        raise stripe_objects.problem_of(error) from error
