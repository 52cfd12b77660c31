"""Proofs that take several rooms at once; they use the other rooms' desks."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "agents")]
