"""The cards on file: stored at the gateway, one of them the default, one of them charged.

Each function works in the caller's transaction. No card number is kept here: its owner gives it
to the gateway (`begin`), and what the gateway then has is put on file (`finish`).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update

from offhook.billing import customers, rules
from offhook.billing.gateway import Card, CardInput, Gateway, Setup
from offhook.billing.models import PaymentMethod, Subscription
from offhook.billing.opening import configured
from offhook.billing.rules import CardFacts, CardStatus
from offhook.billing.test_gateway import TestGateway
from offhook.db import Session, new_id, now, touch
from offhook.errors import Conflict, NotFound

MAX_CARDS = 10


class CardNotFound(NotFound):
    code = "card_not_found"


class SetupNotFound(NotFound):
    code = "card_setup_not_found"


class TooManyCards(Conflict):
    code = "too_many_cards"


class AuthenticationNeeded(Conflict):
    code = "card_authentication_needed"


async def on_file(session: Session, team_id: str, *, lock: bool = False) -> Sequence[PaymentMethod]:
    """The cards on file, the default one first, then the newest."""
    query = (
        select(PaymentMethod)
        .where(
            PaymentMethod.team_id == team_id,
            PaymentMethod.gateway == configured(),
            PaymentMethod.removed_at.is_(None),
        )
        .order_by(PaymentMethod.is_default.desc(), PaymentMethod.created_at.desc())
    )
    return (await session.scalars(query.with_for_update(key_share=True) if lock else query)).all()


async def card(session: Session, team_id: str, card_id: str) -> PaymentMethod:
    """Raises CardNotFound."""
    for each in await on_file(session, team_id):
        if each.id == card_id:
            return each
    raise CardNotFound(f"There is no card {card_id[:40]}.", remedy="See the cards under Billing.")


async def begin(session: Session, gateway: Gateway, team_id: str) -> Setup:
    """Make ready for a new card, which its owner then gives to the gateway. Raises TooManyCards."""
    await _one_at_a_time(session, team_id)
    if len(await on_file(session, team_id)) >= MAX_CARDS:
        raise TooManyCards(f"There are {MAX_CARDS} cards already.", remedy="Remove one first.")
    return await gateway.begin_setup(await customers.of_team(session, gateway, team_id))


async def finish(
    session: Session, gateway: Gateway, team_id: str, setup_id: str
) -> PaymentMethod | Setup:
    """Put the card of a setup on file once the gateway has it; else how far the setup has come.

    Repeating it changes nothing. The gateway is asked, whoever says that the setup is done.
    Raises SetupNotFound for another team's.
    """
    setup = await gateway.find_setup(setup_id)
    if setup is None or setup.customer != await customers.of_team(session, gateway, team_id):
        raise SetupNotFound(f"No card is being added as {setup_id[:40]}.", remedy="Begin again.")
    if setup.card is None:
        return setup
    return await _keep(session, gateway, team_id, setup.card)


async def type_card(
    session: Session, gateway: TestGateway, team_id: str, given: CardInput
) -> PaymentMethod | Setup:
    """A test card, typed into our own form. Raises CardInvalid, and Declined by its bank."""
    setup = await begin(session, gateway, team_id)
    await gateway.type_card(setup.id, given, at=await now(session))
    return await finish(session, gateway, team_id, setup.id)


async def add_card(
    session: Session, gateway: TestGateway, team_id: str, given: CardInput
) -> PaymentMethod:
    """As `type_card`, for a card whose bank asks nothing. Raises AuthenticationNeeded else."""
    added = await type_card(session, gateway, team_id, given)
    if isinstance(added, Setup):
        raise AuthenticationNeeded(
            "The card's bank asks its owner to confirm.",
            remedy="Open the address in a browser that is signed in.",
            url=added.action.url if added.action else "",
            setup_id=added.id,
        )
    return added


async def _keep(session: Session, gateway: Gateway, team_id: str, stored: Card) -> PaymentMethod:
    """A row for a card that the gateway has; the default when there is none that works."""
    await _one_at_a_time(session, team_id)
    known = await session.scalar(
        select(PaymentMethod).where(
            PaymentMethod.team_id == team_id, PaymentMethod.token == stored.token
        )
    )
    if known is not None:
        return known
    at = await now(session)
    present = await on_file(session, team_id)
    is_default = not any(each.is_default and is_usable(each, at) for each in present)
    if is_default:
        await _clear_default(session, team_id)
    added = PaymentMethod(
        id=new_id("card"),
        team_id=team_id,
        gateway=gateway.name,
        token=stored.token,
        brand=stored.brand,
        last4=stored.last4,
        expiry_month=stored.expiry_month,
        expiry_year=stored.expiry_year,
        status=CardStatus.VALID,
        is_default=is_default,
        created_at=at,
    )
    session.add(added)
    await session.flush()
    await touch(session, team_id, "cards")
    return added


async def set_default(session: Session, team_id: str, card_id: str) -> PaymentMethod:
    await _one_at_a_time(session, team_id)
    chosen = await card(session, team_id, card_id)
    await _clear_default(session, team_id)
    chosen.is_default = True
    await session.flush()
    return chosen


async def remove_card(session: Session, gateway: Gateway, team_id: str, card_id: str) -> None:
    """Forget a card, here and at the gateway; the newest that is left becomes the default."""
    await _one_at_a_time(session, team_id)
    removed = await card(session, team_id, card_id)
    await forget(session, removed)
    await gateway.remove_card(removed.token)


async def forget(session: Session, removed: PaymentMethod) -> None:
    """Take a card off the file that the gateway has no more, or is about to forget."""
    was_default = removed.is_default
    removed.removed_at, removed.is_default = await now(session), False
    await session.flush()
    left = await on_file(session, removed.team_id)
    if was_default and left:
        left[0].is_default = True
    await touch(session, removed.team_id, "cards")


async def _one_at_a_time(session: Session, team_id: str) -> None:
    """One change of a team's cards at a time."""
    await session.execute(
        select(Subscription.id)
        .where(Subscription.team_id == team_id)
        .with_for_update(key_share=True)
    )


async def _clear_default(session: Session, team_id: str) -> None:
    await session.execute(
        update(PaymentMethod)
        .where(PaymentMethod.team_id == team_id, PaymentMethod.is_default)
        .values(is_default=False)
    )


def facts(found: PaymentMethod) -> CardFacts:
    return CardFacts(
        found.brand,
        found.last4,
        found.expiry_month,
        found.expiry_year,
        CardStatus(found.status),
    )


def is_usable(found: PaymentMethod, at: datetime) -> bool:
    return rules.is_usable(facts(found), at)


def charged(found: Sequence[PaymentMethod], at: datetime) -> PaymentMethod | None:
    index = rules.charged_card([facts(each) for each in found], at)
    return None if index is None else found[index]
