"""Background work of calls: dead ones are settled, recordings of dead processes made whole, those
that are put through are kept, those that we start are placed.
"""

import logging
from functools import partial
from pathlib import Path

from offhook import numbers, usage
from offhook.calls import journal, recordings, replay, service
from offhook.calls.models import Call
from offhook.calls.outbound.dialling import Dialler
from offhook.calls.outbound.starting import DIAL_JOB
from offhook.calls.transfers.keeper import LOOK_EVERY_S, Keeper
from offhook.carriers import CarrierProblem, Carriers
from offhook.db import Database, Jobs
from offhook.settings import Settings
from offhook.speech import VoiceCache

log = logging.getLogger(__name__)
SWEEP_EVERY_S = 10.0


def register(
    jobs: Jobs, settings: Settings, database: Database, carriers: Carriers, voices: VoiceCache
) -> None:
    """Add the jobs of calls to a worker."""
    home = settings.home_path
    usage.spare(lambda: journal.calls_in(journal.folder_of(home)))
    jobs.add(service.ERASE_JOB, partial(erase_recording, home))
    jobs.add(service.RECORDING_JOB, partial(finish_recording, database))
    jobs.every(SWEEP_EVERY_S, "calls.sweep", partial(sweep, database, carriers, home))
    keeper = Keeper(database, carriers)
    jobs.add(service.END_JOB, keeper.end_now)
    jobs.every(LOOK_EVERY_S, "calls.keep_transferred", keeper.look)
    dialler = Dialler(database, carriers, voices, web_url=settings.web_url)
    jobs.add(DIAL_JOB, dialler.dial)
    jobs.add(service.CANCEL_JOB, dialler.cancel)


async def sweep(database: Database, carriers: Carriers, home: Path) -> None:
    """Settle calls without a sign of life at their last one (UC3), and hang them up.

    First what dead processes wrote down is told, and what a living one will tell is left to it:
    its journal knows how long the call was, the last heart-beat only that it was longer (UL13).
    """
    await replay.of_the_dead(database, carriers, home)
    known_better = journal.calls_in(journal.folder_of(home))
    async with database.system() as session:
        dead = await service.stale(session)
    for call in dead:
        if call.id in known_better:
            continue
        try:
            await _settle(database, carriers, call)
        except Exception:  # whatever it is, it is this call's alone; logged with its id
            log.exception("call %s has died and could not be settled", call.id)


async def _settle(database: Database, carriers: Carriers, call: Call) -> None:
    async with database.team(call.team_id) as session:
        ended = await service.finish_dead(session, call.team_id, call.id)
        account_id = await numbers.account_of(session, call.number_id)
    if not ended:
        return
    log.warning("call %s had died and was settled", call.id)
    try:
        carrier = await carriers.of(account_id)
        await carrier.hang_up(call.carrier_call_id)
    except CarrierProblem as problem:
        log.warning("could not hang up %s: %s", call.id, problem)


async def erase_recording(home: Path, team_id: str, call_id: str) -> None:
    """Delete what is on the disk of a call whose contact was erased (P7); harmless to repeat."""
    path = recordings.path_of(home, team_id, call_id)
    for each in (path, path.with_name(path.name + recordings.PART)):
        each.unlink(missing_ok=True)


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
