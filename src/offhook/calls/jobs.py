"""Background work of calls: dead ones are settled, recordings of dead processes made whole."""

import logging
from functools import partial
from pathlib import Path

from offhook.calls import recordings, service
from offhook.carriers import Carrier, CarrierProblem
from offhook.db import Database, Jobs

log = logging.getLogger(__name__)
SWEEP_EVERY_S = 10.0


def register(jobs: Jobs, database: Database, carrier: Carrier) -> None:
    """Add the jobs of calls to a worker."""
    jobs.add(service.RECORDING_JOB, partial(finish_recording, database))
    jobs.every(SWEEP_EVERY_S, "calls.sweep", partial(sweep, database, carrier))


async def sweep(database: Database, carrier: Carrier) -> None:
    """Settle calls without a sign of life at their last one (UC3), and hang them up."""
    async with database.system() as session:
        dead = await service.stale(session)
    for call in dead:
        async with database.team(call.team_id) as session:
            ended = await service.finish_dead(session, call.team_id, call.id)
        if ended:
            log.warning("call %s had died and was settled", call.id)
            try:
                await carrier.hang_up(call.carrier_call_id)
            except CarrierProblem as problem:
                log.warning("could not hang up %s: %s", call.id, problem)


async def finish_recording(database: Database, team_id: str, call_id: str) -> None:
    """Make the recording of a call whole if its process is dead.

    A media process that lives saves its recordings itself; this is for the others.
    """
    async with database.team(team_id) as session:
        call = await service.get(session, team_id, call_id)
    if call.recording != "recording" or call.recording_path is None:
        return
    path = call.recording_path
    length = recordings.finish(Path(path))
    async with database.team(team_id) as session:
        if length > 0:
            await service.recording_saved(session, team_id, call_id, path, length)
        else:
            await service.recording_lost(session, team_id, call_id)
