"""Lets the tests of this room import their rehearsal and their sounds."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# Whether an example is slow depends on who else uses the machine.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")
