"""The media engine: one tick every 20 ms for all calls of a process.

Decode, voice activity, turns, play-out, recording. It knows arrays and queues; it knows no
sockets, no vendors, no asyncio and no database. The calls room wires it to them:

    engine = Engine(lambda batch: loop.call_soon_threadsafe(handle, batch), max_lines=100)
    engine.start()
    line = engine.open(call_id, LineOptions(silence_ms=600))
    line.record(folder / f"{call_id}.wav")             # C3; later where a notice comes first
    line.play(line.new_reply(), "greeting", mulaw, text="Bakery Rosa, good morning.")

    # the socket                                       # the recogniser
    media frame in   -> line.feed(payload)             partial words -> line.words(text)
    mark in          -> line.marked(name)              final words   -> line.words(text, final=True)

    def handle(batch: Batch) -> None:                  # on the loop, in order
        for line_id, outgoing in batch.out:            # bytes: a frame; Mark; Clear
            sockets[line_id].send(outgoing)
        for event in batch.events:
            match event:
                case SpeechStarted(): ...              # recognise line.audio(event.start_ms)
                case SpeechPaused(): ...               # prepare the final words
                case SpeechResumed(): ...              # what was prepared is stale
                case TurnEnded(): ...                  # final words -> brain -> line.play(...)
                case BargeIn(): ...                    # remember only event.heard[i].heard_text
                case Murmur(): ...                     # nothing: the agent went on
                case PiecePlayed(): ...                # said: event.heard.text
                case PlayedOut(): ...                  # hang up now after a goodbye (CM4)
                case CallerSilent(): ...               # check in, or let go (C5)

One reply is `reply = line.new_reply()` and any number of `line.play(reply, piece, chunk, text=...,
last=...)`. A barge-in or `line.clear()` kills every reply played so far; late chunks of it are
dropped here. A sound without words is reported as a turn: answer it with `line.words("",
final=True)` and go on; the check-in timers then take it as silence. `CallerSilent` also comes
while the agent is thinking: it is the calls room that knows that it owes an answer.
"""

from offhook.media import codec
from offhook.media.character import Character, character
from offhook.media.engine import Engine, LinesFull
from offhook.media.events import (
    BargeIn,
    Batch,
    CallerSilent,
    Clear,
    Cleared,
    EngineFailed,
    Event,
    Heard,
    LineFailed,
    LineId,
    Mark,
    Murmur,
    Outgoing,
    PiecePlayed,
    PieceStarted,
    PlayedOut,
    RecordingFailed,
    RecordingSaved,
    RecordingStarted,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    TurnEnded,
)
from offhook.media.line import Line
from offhook.media.options import FRAME, SAMPLE_RATE, TICK_MS, LineOptions
from offhook.media.pace import Pace
from offhook.media.recording import finish as finish_recording
from offhook.media.words import spoken_words

__all__ = [
    "FRAME",
    "SAMPLE_RATE",
    "TICK_MS",
    "BargeIn",
    "Batch",
    "CallerSilent",
    "Character",
    "Clear",
    "Cleared",
    "Engine",
    "EngineFailed",
    "Event",
    "Heard",
    "Line",
    "LineFailed",
    "LineId",
    "LineOptions",
    "LinesFull",
    "Mark",
    "Murmur",
    "Outgoing",
    "Pace",
    "PiecePlayed",
    "PieceStarted",
    "PlayedOut",
    "RecordingFailed",
    "RecordingSaved",
    "RecordingStarted",
    "SpeechPaused",
    "SpeechResumed",
    "SpeechStarted",
    "TurnEnded",
    "character",
    "codec",
    "finish_recording",
    "spoken_words",
]
