"""The ledger and the truth: a database that stands still under a live call whose process is then
killed (UL13), and a carrier that remembers the call otherwise (UC4).
"""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx
from installation import Installation, until
from owner import Json, Owner

from offhook.calls import journal
from offhook.carriers import account


@contextmanager
def standing_still(pid: int) -> Generator[None]:
    """The server and its sessions are stopped: connections stay open and say nothing."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    everybody = [pid, *(int(each) for each in children)]
    for each in everybody:
        os.kill(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in everybody:
            os.kill(each, signal.SIGCONT)


@contextmanager
def caller_on_the_line(installation: Installation, e164: str) -> Generator[subprocess.Popen[bytes]]:
    caller = subprocess.Popen(
        [sys.executable, "-m", "offhook.cli", "call", e164],
        env=installation.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=installation.root,
    )
    try:
        yield caller
    finally:
        caller.kill()
        caller.wait()


def ended(owner: Owner, call_id: str) -> Json | None:
    found = owner.get(f"/calls/{call_id}")
    return found if found["state"] == "ended" else None


def test_a_call_that_ended_while_the_database_stood_still_is_settled_by_its_own_clock(
    installation: Installation, owner: Owner
) -> None:
    """Journalled, its process killed -9, replayed: once, with the seconds that the carrier saw."""
    number = owner.ready_number("Away")
    postgres = installation.pid("postgres")
    assert postgres is not None
    with caller_on_the_line(installation, number.e164) as caller:
        call = until(lambda: next(iter(owner.get("/calls", live="true")["items"]), None), "a call")
        until(lambda: owner.transcript(call), "the greeting")
        said = len(installation.lines)
        with standing_still(postgres):
            caller.kill()
            until(lambda: _ends_in_journal(installation), "the end in the journal")
            installation.kill("media")
    done = until(lambda: ended(owner, call["id"]), "the settlement", 90)
    assert done["reason"] == "caller_hung_up"
    assert owner.used(number, "calls") == (1, 0)
    [record] = [
        each
        for each in owner.carrier_log("call_ended")
        if each["sid"] == _answered_last(owner, number.e164)
    ]
    seconds = _seconds(done)
    assert abs(record["data"]["duration_s"] - seconds) <= 2, (record, done)
    folder = journal.folder_of(installation.home)
    until(lambda: not journal.calls_in(folder), "a journal that holds nothing untold")
    until(lambda: installation.printed("media is ready", said), "media again", 60)

    # The carrier remembers another length: the lower one is charged, and it is listed (UC4).
    us = account(owner.settings)
    unanswered = {"status": "no-answer", "duration": None, "price": None}
    changed = httpx.post(
        f"{installation.simulator_url}/simulator/records",
        json=[{"kind": "call", "sid": record["sid"], "fields": unanswered}],
        auth=(us.sid, us.token),
        trust_env=False,
    )
    assert changed.json() == {"sids": [record["sid"]]}
    day = datetime.fromisoformat(done["answered_at"]).date()
    for _ in range(2):
        asked = owner.browser.post(f"/api/v1/operator/reconciliation/days/{day}/check")
        assert asked.status_code == 202, asked.text
    found = until(lambda: _difference(owner, call["id"]), "the difference", 120)
    assert (found["kind"], found["action"], found["units"]) == ("shorter", "taken_back", -1)
    assert owner.used(number, "calls") == (0, 0)
    assert call["id"] in owner.browser.get("/usage/reconciliation").text


def _ends_in_journal(installation: Installation) -> bool:
    folder = journal.folder_of(installation.home)
    facts = [fact for path in journal.files(folder) for fact in journal.parse(path.read_bytes())]
    return any(fact.ended for fact in facts)


def _answered_last(owner: Owner, e164: str) -> str:
    rung = [each["sid"] for each in owner.carrier_log("call_ringing") if each["data"]["to"] == e164]
    return rung[-1]


def _seconds(call: Json) -> float:
    began, over = (datetime.fromisoformat(call[name]) for name in ("answered_at", "ended_at"))
    return (over - began).total_seconds()


def _difference(owner: Owner, call_id: str) -> Json | None:
    listed = owner.get("/reconciliation/differences")["items"]
    return next((each for each in listed if each["subject_id"] == call_id), None)
