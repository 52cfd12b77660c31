"""The first words of a call, made before it is answered or placed: nobody says "hello" into a
silence (C1, C8).

The web process makes them for who calls us, a worker for whom we call; the media process finds them
in the kept audio. Knows texts and voices; what is said first is its callers'.
"""

import logging

from offhook.agents import Snapshot
from offhook.calls.phrases import phrases
from offhook.speech import SpeechUnavailable, VoiceCache, speakable

log = logging.getLogger(__name__)


async def make_ready(voices: VoiceCache, agent: Snapshot, opening: str) -> bool:
    """Have the audio of the recording notice and of `opening` in the agent's voice; False when
    there is no voice, and the call would be silent.
    """
    try:
        for text in (phrases(agent.language).recording, opening):
            spoken = speakable(text, agent.language)
            if spoken is not None:
                await voices.audio(spoken, voice=agent.voice, language=agent.language)
    except SpeechUnavailable as problem:
        log.warning("no first words for agent %s: %s", agent.agent_id, problem)
        return False
    return True
