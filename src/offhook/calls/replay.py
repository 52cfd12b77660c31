"""Telling the ledger what journals hold: by key, so that nothing is told twice with effect (UL13).

A living process replays its own journal, and everybody those of dead ones. Minutes are reserved
under (call, index); an end is the call's first or changes nothing. The journal's end knows the
call's own monotonic clock and so is better than the sweeper's last heart-beat, which waits for it
(UC3); an end that the ledger has already stands.
"""

import logging
from datetime import timedelta
from pathlib import Path

from offhook import numbers, usage
from offhook.calls import journal, service
from offhook.calls.admission import CARRIED_STATES
from offhook.calls.journal import Journal, Untold
from offhook.calls.models import Call
from offhook.calls.rules import End
from offhook.carriers import CarrierProblem, Carriers
from offhook.db import Database, Session
from offhook.errors import Problem
from offhook.failpoints import failpoint

log = logging.getLogger(__name__)


async def own(database: Database, journal: Journal) -> None:
    """Tell what this process could not tell. Raises one of AWAY: try again later."""
    for untold in list(journal.untold.values()):
        facts = untold.facts
        await _tell(database, untold)
        failpoint("journal.told")
        await journal.told(untold.call_id, facts)


async def of_the_dead(database: Database, carriers: Carriers, home: Path) -> None:
    """Tell what dead processes left. A call of theirs without an end ended with its process.

    Raises one of AWAY: try again later; a file stays until all of it is told.
    """
    for path in journal.files(journal.folder_of(home)):
        with journal.left_behind(path) as calls:
            if calls is None:
                continue
            for untold in calls.values():
                untold.ended = untold.ended or End.MEDIA_LOST.value
                call = await _tell(database, untold)
                failpoint("journal.told")
                if call is not None:
                    await _hang_up(database, carriers, call)
            path.unlink(missing_ok=True)


async def _tell(database: Database, untold: Untold) -> Call | None:
    """One call's facts, in one transaction; the call, if it was ended by this."""
    try:
        async with database.team(untold.team_id) as session:
            return await _replay(session, untold)
    except Problem:
        log.exception("incident: the journal's %s is not for this ledger", untold)
        return None


async def _replay(session: Session, untold: Untold) -> Call | None:
    call = await service.get(session, untold.team_id, untold.call_id, lock=True)
    if call.state not in CARRIED_STATES:
        return None
    for index in sorted(untold.minutes):
        answer = await usage.reserve_minute(
            session,
            untold.team_id,
            number_id=untold.number_id,
            call_id=untold.call_id,
            index=index,
            direction=call.direction,
        )
        if isinstance(answer, usage.Denied):  # a limit set meanwhile: settled within it (UI1)
            break
    if untold.spoke:
        await service.spoke(session, untold.team_id, untold.call_id)
    if untold.ended is None:
        return None
    seen = (call.heartbeat_at - call.answered_at) / timedelta(seconds=1)
    whole = untold.ended != End.MEDIA_LOST.value
    reason = End(untold.ended) if untold.ended in set(End) else End.MEDIA_LOST  # another version's
    await service.finish(
        session,
        untold.team_id,
        untold.call_id,
        reason,
        seconds=untold.seconds if whole else max(untold.seconds, seen),
    )
    return call


async def _hang_up(database: Database, carriers: Carriers, call: Call) -> None:
    async with database.team(call.team_id) as session:
        account_id = await numbers.account_of(session, call.number_id)
    try:
        carrier = await carriers.of(account_id)
        await carrier.hang_up(call.carrier_call_id)
    except CarrierProblem as problem:
        log.warning("could not hang up %s: %s", call.id, problem)
