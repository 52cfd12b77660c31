"""What every start must not pay for: vendors' libraries are imported on first use."""

import subprocess
import sys

LATE = {
    "anthropic",
    "bs4",
    "caldav",
    "docx",
    "faster_whisper",
    "fpdf",
    "icalendar",
    "lxml",
    "onnxruntime",  # starts a thread: the fork of a process with threads may hang
    "openai",
    "pdfplumber",
    "piper",
    "pydantic_ai",
    "pypdfium2",
    "recurring_ical_events",
    "stripe",
    "twilio",
}


def test_the_processes_start_without_any_vendors_library() -> None:
    script = """import sys, threading, offhook.processes
offhook.processes.read_ahead(offhook.settings.Settings())
assert threading.active_count() == 1
print(*{name.split('.')[0] for name in sys.modules})"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    loaded = set(done.stdout.split())
    assert "offhook" in loaded
    assert loaded & LATE == set()
