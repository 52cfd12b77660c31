"""Recognisers and synthesisers: the ports, and one file per vendor.

Knows audio and text; knows no call, no team and no database. port.py holds every promise, the
shapes and the errors.

    recogniser = speech.open_recogniser(settings)
    synthesiser = speech.open_synthesiser(settings)
    voices = speech.VoiceCache(synthesiser, settings.home_path / "cache" / "voice")
    await recogniser.start(); await synthesiser.start()

    # Admission (C1): busy beyond what can be understood and spoken in time.
    if recogniser.load() >= recogniser.capacity(): ...

    # A call: one hearing, fed with everything the caller's line gives.
    greeting = await voices.audio("Hello, Miller's Bakery.")          # before the answer
    hearing = recogniser.open(language="en", hints=["Krapfen"], on_partial=show)
    hearing.feed(frame)              # every 20 ms
    hearing.begin()                  # voice activity: somebody began to speak
    task = create_task(hearing.finalise())   # a first pause: start early ...
    task.cancel()                    # ... the caller goes on
    heard = await hearing.finalise() # the turn is over; empty text: nobody spoke (HS1)
    hearing.end()

    # The reply: sentences as the model writes them, in words that can be spoken (K3).
    sentences = speech.Sentences(language)
    for sentence in sentences.feed(delta):
        if spoken := speech.speakable(sentence, language):
            async for chunk in synthesiser.speak(spoken): play(chunk)
"""

from offhook.settings import Settings
from offhook.speech.cache import VoiceCache
from offhook.speech.offline_recogniser import OfflineRecogniser
from offhook.speech.offline_synthesiser import OfflineSynthesiser
from offhook.speech.openai import OpenAiRecogniser, OpenAiSynthesiser
from offhook.speech.port import (
    SAMPLE_RATE,
    Heard,
    Hearing,
    LanguageUnsupported,
    Partial,
    Recogniser,
    SpeechBusy,
    SpeechRefused,
    SpeechTimeout,
    SpeechUnavailable,
    Synthesiser,
    Word,
)
from offhook.speech.sentences import Sentences
from offhook.speech.server import default_capacity
from offhook.speech.speakable import speakable

__all__ = [
    "SAMPLE_RATE",
    "Heard",
    "Hearing",
    "LanguageUnsupported",
    "Partial",
    "Recogniser",
    "Sentences",
    "SpeechBusy",
    "SpeechRefused",
    "SpeechTimeout",
    "SpeechUnavailable",
    "Synthesiser",
    "VoiceCache",
    "Word",
    "open_recogniser",
    "open_synthesiser",
    "speakable",
]


def open_recogniser(settings: Settings) -> Recogniser:
    """The recogniser that the settings name; nothing is connected before it is used."""
    if settings.recogniser == "openai":
        return OpenAiRecogniser(
            settings.speech_base_url,
            settings.speech_api_key.get_secret_value(),
            model=settings.recogniser_model,
            capacity=settings.media_lines,
        )
    return OfflineRecogniser(
        settings.run_path / "recogniser.sock",
        capacity=default_capacity(),
        model=settings.recogniser_model,
    )


def open_synthesiser(settings: Settings) -> Synthesiser:
    """The synthesiser that the settings name; nothing is connected before it is used."""
    if settings.synthesiser == "openai":
        return OpenAiSynthesiser(
            settings.speech_base_url,
            settings.speech_api_key.get_secret_value(),
            model=settings.synthesiser_model,
            capacity=settings.media_lines,
        )
    return OfflineSynthesiser(settings.run_path / "synthesiser.sock", capacity=default_capacity())
