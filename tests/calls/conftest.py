"""Lets the tests of this room use their stage, and the sounds and far end of the media tests."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "media")]
