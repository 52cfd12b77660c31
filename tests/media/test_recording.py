"""Recordings (C3): both sides where they were heard, on disk at once, whole after kill -9."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
from rehearsal import Rehearsal
from sounds import level_dbfs, pcm, silence, speech, tone

from offhook.media import (
    RecordingFailed,
    RecordingSaved,
    RecordingStarted,
)
from offhook.media.recording import HEAD_BYTES, Recorder, Recording, finish, recover, wav_head

SRC = Path(__file__).parents[2] / "src"


def channels(path: Path) -> tuple[bytes, bytes]:
    """The caller's and the agent's mu-law, after a look at the lengths in the head."""
    whole = path.read_bytes()
    assert whole[:HEAD_BYTES] == wav_head((len(whole) - HEAD_BYTES) // 2)
    body = np.frombuffer(whole[HEAD_BYTES:], np.uint8).reshape(-1, 2)
    return body[:, 0].tobytes(), body[:, 1].tobytes()


def record(call: Rehearsal, path: Path) -> None:
    call.engine.recorder.start()
    call.line.record(path)


def saved(call: Rehearsal) -> RecordingSaved:
    call.engine.tracks.end_all()
    call.engine.recorder.stop()
    call.step()
    return call.of(RecordingSaved)[-1]


def test_caller_is_left_and_agent_right_at_the_moment_it_was_heard(tmp_path: Path) -> None:
    call = Rehearsal()
    call.quiet(100)
    record(call, tmp_path / "call.wav")
    words = speech("Sunday", "rms")
    call.run(words)
    call.line.play(call.line.new_reply(), "a", tone(500, -20, 500), text="a")
    call.quiet(1000)
    assert saved(call).path == tmp_path / "call.wav"
    caller, agent = channels(tmp_path / "call.wav")
    whole = len(words) // 160 * 160
    assert caller[:whole] == words[:whole]
    start = next(at for at in range(0, len(agent), 160) if level_dbfs(agent[at : at + 160]) > -30)
    assert abs(start - len(words)) <= 320
    assert agent[start : start + 4000] == tone(500, -20, 500)
    assert agent[start + 4000 :] == silence((len(agent) - start - 4000) // 8)


def test_audio_that_was_cleared_is_not_in_the_recording(tmp_path: Path) -> None:
    """As heard: what the carrier dropped did not sound."""
    call = Rehearsal()
    record(call, tmp_path / "call.wav")
    call.line.play(call.line.new_reply(), "a", tone(5000, -20, 500), text="a")
    call.quiet(1000)
    call.line.clear()
    call.quiet(1000)
    saved(call)
    _, agent = channels(tmp_path / "call.wav")
    loud_ms = sum(level_dbfs(agent[at : at + 160]) > -30 for at in range(0, len(agent), 160)) * 20
    assert 980 <= loud_ms <= 1020


def test_recording_can_start_after_the_notice_and_stop_before_the_end(tmp_path: Path) -> None:
    """C3, SEC17: no audio before the notice's end."""
    call = Rehearsal()
    call.run(tone(1000, -20, 300))
    record(call, tmp_path / "call.wav")
    call.run(tone(1000, -20, 700))
    call.line.stop_recording()
    call.run(tone(1000, -20, 300))
    assert call.of(RecordingStarted)[0].at_ms == 1000
    saved(call)
    caller, _ = channels(tmp_path / "call.wav")
    assert caller == tone(1000, -20, 700)


def test_other_programs_read_the_file(tmp_path: Path) -> None:
    call = Rehearsal()
    record(call, tmp_path / "call.wav")
    call.run(tone(1000, -20, 500))
    saved(call)
    info = subprocess.run(
        ["soxi", str(tmp_path / "call.wav")], capture_output=True, text=True, check=True
    ).stdout
    assert "8-bit u-law" in info
    assert "00:00:01.00" in info


CRASHING = """
import os, signal, sys, time
from pathlib import Path
from offhook.media import Engine
engine = Engine(lambda batch: None, max_lines=2, reserve_bytes=0)
line = engine.open("call")
line.record(Path(sys.argv[1]) / "call.wav")
engine.start()
began = time.monotonic()
sent = 0
print("started", flush=True)
while True:
    if sent * 0.02 < time.monotonic() - began:
        line.feed(bytes([0x10 + sent % 64]) * 160)
        sent += 1
    time.sleep(0.002)
"""


def test_kill_9_loses_at_most_the_last_second(tmp_path: Path) -> None:
    """C3: the process dies in mid-call; the recording is recovered."""
    part = tmp_path / "call.wav.part"
    process = subprocess.Popen(
        [sys.executable, "-c", CRASHING, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(SRC)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process.stdout as output:
        assert output.readline() == b"started\n"
        started = time.monotonic()
        while not part.exists() or part.stat().st_size < HEAD_BYTES + 16000 * 2:
            assert time.monotonic() - started < 30
            process.poll()
        heard_s = time.monotonic() - started
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert recover(tmp_path) == [tmp_path / "call.wav"]
    caller, agent = channels(tmp_path / "call.wav")
    assert len(caller) / 8000 > heard_s - 1.0
    assert len(agent) == len(caller)
    assert len(set(caller[:8000])) > 20


def test_finishing_twice_and_a_torn_last_sample_do_no_harm(tmp_path: Path) -> None:
    part = tmp_path / "call.wav.part"
    part.write_bytes(wav_head(0) + b"\x10\x20" * 100 + b"\x10")
    whole = finish(part)
    assert finish(part) == whole
    caller, agent = channels(whole)
    assert (caller, agent) == (b"\x10" * 100, b"\x20" * 100)
    assert recover(tmp_path) == []


def test_a_recording_that_goes_on_is_one_file(tmp_path: Path) -> None:
    """C6: a caller who is back from a transfer."""
    path = tmp_path / "call.wav"
    for sound in (b"\x01\x02" * 800, b"\x03\x04" * 400):
        recorder = Recorder(reserve_bytes=0)
        recorder.start()
        recording = Recording(path, on_failure=lambda _: None, on_finished=lambda _: None)
        recorder.append(recording, sound)
        recorder.close(recording)
        recorder.stop()
        if not path.with_name("call.wav.part").exists():
            path.rename(path.with_name("call.wav.part"))
    left, right = channels(finish(path.with_name("call.wav.part")))
    assert left == b"\x01" * 800 + b"\x03" * 400
    assert right == b"\x02" * 800 + b"\x04" * 400


def test_a_part_that_is_only_half_a_head_becomes_an_empty_recording(tmp_path: Path) -> None:
    part = tmp_path / "call.wav.part"
    part.write_bytes(wav_head(0)[:20])
    assert channels(finish(part)) == (b"", b"")


def test_a_full_disk_stops_the_recording_and_not_the_call(tmp_path: Path) -> None:
    """faults.md: recordings stop first, calls go on."""
    call = Rehearsal(reserve_bytes=1 << 62)
    record(call, tmp_path / "call.wav")
    call.quiet(1000)
    call.engine.tracks.end_all()
    call.engine.recorder.stop()
    call.quiet(100)
    assert call.of(RecordingFailed)[0].reason == "the disk is nearly full"
    assert not (tmp_path / "call.wav").exists()
    assert call.line.now_ms == 1100


def test_a_folder_that_cannot_be_written_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    reasons: list[str] = []
    saved: list[Path] = []
    recorder = Recorder(reserve_bytes=0)
    recorder.start()
    recording = Recording(tmp_path / "file" / "call.wav", reasons.append, saved.append)
    recorder.append(recording, b"\xff" * 320)
    recorder.append(recording, b"\xff" * 320)
    recorder.stop()
    assert len(reasons) == 1
    assert saved == []


def test_a_folder_that_goes_away_costs_its_recordings_and_no_others(tmp_path: Path) -> None:
    """C3: what is written elsewhere is made durable and watched all the same."""
    gone, there = tmp_path / "gone", tmp_path / "there"
    reasons: list[str] = []
    told = threading.Event()

    def failed(reason: str) -> None:
        reasons.append(reason)
        told.set()

    recorder = Recorder(reserve_bytes=0)
    recorder.start()
    lost = Recording(gone / "call.wav", failed, lambda _: None)
    recorder.append(lost, b"\xff" * 320)
    while not lost.part.exists():
        time.sleep(0.01)
    lost.part.unlink()
    gone.rmdir()
    assert told.wait(30)
    saved: list[Path] = []
    kept = Recording(there / "call.wav", failed, saved.append)
    recorder.append(kept, b"\x01\x02" * 160)
    recorder.close(lost)
    recorder.close(kept)
    assert "recording-sync" in {thread.name for thread in threading.enumerate()}
    recorder.stop()
    assert (saved, len(reasons)) == ([there / "call.wav"], 1)


def test_a_disk_that_stands_still_does_not_fill_the_memory(tmp_path: Path) -> None:
    """faults.md: recordings stop first, calls go on; what was handed over is kept."""
    reasons: list[str] = []
    recorder = Recorder(reserve_bytes=0, most_waiting=2)  # nobody writes yet
    recording = Recording(tmp_path / "call.wav", reasons.append, lambda _: None)
    for sound in (b"\x01\x02", b"\x03\x04", b"\x05\x06", b"\x07\x08"):
        recorder.append(recording, sound * 160)
    assert reasons == ["the disk is too slow"]
    recorder.close(recording)
    recorder.start()
    recorder.stop()
    assert channels(tmp_path / "call.wav") == (
        b"\x01" * 160 + b"\x03" * 160,
        b"\x02" * 160 + b"\x04" * 160,
    )


def test_closing_a_line_saves_its_recording(tmp_path: Path) -> None:
    call = Rehearsal()
    record(call, tmp_path / "call.wav")
    call.run(tone(1000, -20, 500))
    call.line.close()
    call.step()
    call.engine.recorder.stop()
    caller, _ = channels(tmp_path / "call.wav")
    assert len(pcm(caller)) == 8000
