"""Corrections by hand (UC9): a reason, somebody who answers for it, an entry beside the first one.

They only take back. After a month is closed what is taken back is a credit on the next invoice.
"""

import logging

from sqlalchemy import select

from offhook import messages, usage
from offhook.db import Session, now
from offhook.errors import Invalid, NotFound
from offhook.reconciliation.models import REASON_LENGTH, Difference
from offhook.reconciliation.rules import Action
from offhook.usage import Service

log = logging.getLogger(__name__)
MAX_UNITS = 240


class DifferenceNotFound(NotFound):
    code = "difference_not_found"


class ReasonMissing(Invalid):
    """A correction without a reason, or with one that is too long."""

    code = "reason_missing"


async def get(session: Session, difference_id: str) -> Difference:
    """Among what the session sees: a team's own, or all. Raises DifferenceNotFound."""
    row = await session.scalar(
        select(Difference).where(Difference.id == difference_id).with_for_update(key_share=True)
    )
    if row is None:
        raise DifferenceNotFound(
            f"There is no difference “{difference_id[:40]}”.", remedy="Take an id from the list."
        )
    return row


async def correct(
    session: Session, difference_id: str, *, keep: int, reason: str, actor: str
) -> Difference:
    """Leave `keep` units charged of a difference's call or message; told twice, it is done once.

    Raises DifferenceNotFound, and what `by_hand` raises.
    """
    row = await get(session, difference_id)
    taken = await by_hand(
        session, row.team_id, row.service, row.subject_id, keep=keep, reason=reason, actor=actor
    )
    if taken:
        row.action, row.units = Action.CORRECTED, row.units - taken
        row.reason, row.actor = reason.strip(), actor
        row.acted_at = await now(session)
    return row


async def by_hand(
    session: Session,
    team_id: str,
    service: Service,
    subject_id: str,
    *,
    keep: int,
    reason: str,
    actor: str,
) -> int:
    """Take units of a call or message back until `keep` are left; how many were taken.

    Raises ReasonMissing, CallUnknown, CorrectionRefused.
    """
    said = reason.strip()
    if not 1 <= len(said) <= REASON_LENGTH:
        raise ReasonMissing(
            "A correction needs a reason." if not said else "The reason is too long.",
            remedy=f"Say why in 1 to {REASON_LENGTH} characters.",
        )
    if service is Service.CALLS:
        taken = await usage.correct_minutes(
            session, team_id, call_id=subject_id, keep=keep, reason=said, actor=actor
        )
    elif keep > 0:
        taken = 0
    else:
        given = await messages.give_back_unit(session, team_id, subject_id, said, actor=actor)
        taken = 1 if given else 0
    log.warning("%s took back %s of %s %s: %s", actor, taken, service, subject_id, said)
    return taken
