"""kill -9 around a transfer: the caller is put through all the same, and billed once (C6, C9)."""

import shutil
import subprocess
import threading
import wave
from pathlib import Path

import httpx
from installation import Installation, needs, until
from owner import Bought, Owner

from offhook.carriers import account

ANNA = "+12025550177"
QUESTION = "Can I talk to a real person, please?"
SILENCE_S = 40


def test_a_caller_reaches_a_person_though_media_and_worker_die(
    installation: Installation, owner: Owner, number: Bought, tmp_path: Path
) -> None:
    """Media dies when the call has left it, the worker while the two talk: both are replaced, the
    caller notices nothing, and one call of ours ends when the person hangs up.
    """
    needs("flite")
    used, _ = owner.used(number, "calls")
    target = {"name": "Anna", "number": ANNA, "announced": False, "stands_in": True}
    owner.post("/transfer-targets", target)
    anna = {"number": ANNA, "manner": "answers", "after_s": 3.0, "talks_s": 12.0}
    us = account(owner.settings)
    asked = httpx.post(
        f"{installation.simulator_url}/simulator/people", json=[anna], auth=(us.sid, us.token),
        trust_env=False,
    )  # fmt: skip
    assert asked.status_code == 204
    said = len(installation.lines)
    wav = question(tmp_path / "question.wav")
    caller = threading.Thread(
        target=installation.run,
        args=("call", number.e164, "--wav", str(wav)),
        kwargs={"seconds": 120},
    )
    caller.start()
    call = until(lambda: next(iter(owner.get("/calls", live="true")["items"]), None), "the call")
    here = f"/calls/{call['id']}"
    until(lambda: owner.get(here)["state"] == "transferred", "the call's departure", 60)
    installation.kill("media")
    until(lambda: transfer(owner, here)["state"] == "joined", "somebody who takes the call", 60)
    installation.kill("worker")
    until(lambda: owner.get(here)["state"] == "ended", "the call's end", 90)
    caller.join(60)
    assert not caller.is_alive()
    assert owner.get(here)["reason"] == "transfer_over"
    done = transfer(owner, here)
    assert (done["state"], done["minutes"], done["price_micros"]) == ("ended", 1, None)
    length_s = owner.get(here)["duration_s"]
    until(lambda: owner.used(number, "calls") == (used + -(-length_s // 60), 0), "the ledger", 60)
    joined = [each for each in owner.carrier_log("joined") if each["data"]["leg"] == done["leg_id"]]
    assert len(joined) == 1
    until(lambda: installation.printed("media is ready", said), "media again", 60)


def transfer(owner: Owner, here: str) -> dict[str, object]:
    found = owner.get(f"{here}/transfers")
    return found[-1] if found else {"state": ""}


def question(path: Path) -> Path:
    """Somebody asks, then keeps quiet and stays on the line."""
    flite = shutil.which("flite") or "flite"
    subprocess.run([flite, "-t", QUESTION, "-o", str(path)], check=True)
    with wave.open(str(path), "rb") as spoken:
        shape, frames = spoken.getparams(), spoken.readframes(spoken.getnframes())
    with wave.open(str(path), "wb") as whole:
        whole.setparams(shape)
        whole.writeframes(frames + bytes(2 * shape.framerate * SILENCE_S))
    return path
