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

MODEL = {"openai", "pydantic_ai"}
SCRIPT = """
import sys, threading
from offhook import processes
from offhook.settings import Settings
for model in ("", "openai:gpt"):
    processes.read_ahead(Settings(model=model))
    assert threading.active_count() == 1
    print(*{name.split('.')[0] for name in sys.modules})
"""


def test_the_processes_start_without_a_vendors_library_but_for_the_model_that_is_set() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    first, second = (set(line.split()) for line in done.stdout.splitlines())
    assert "offhook" in first
    assert first & LATE == set()
    assert second & LATE == MODEL
