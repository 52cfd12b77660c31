"""Every example in a docstring is run, and comes out as it says."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import offhook

ROOT = Path(offhook.__file__).parent
WITH_EXAMPLES = sorted(
    str(path.relative_to(ROOT.parent).with_suffix("")).replace("/", ".")
    for path in ROOT.rglob("*.py")
    if ">>> " in path.read_text()
)


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_are_right(module: str) -> None:
    result = doctest.testmod(import_module(module.removesuffix(".__init__")))
    assert result.attempted
    assert not result.failed
