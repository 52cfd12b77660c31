"""Lets the tests of this room use their stage, the sounds and far end of the media tests, and the
telephones of the carriers' tests.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "media"), str(HERE.parent / "carriers")]
