"""Lets the tests of this room use their stage, the sounds and far end of the media tests, and the
telephones of the carriers' tests.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "media"), str(HERE.parent / "carriers")]

from stage import Stage


@pytest.fixture(autouse=True)
def no_stage_is_left() -> Iterator[None]:
    """A test that failed has not ended its call, whose threads would keep the process for ever."""
    yield
    for stage in Stage.open[:]:
        stage.strike()
