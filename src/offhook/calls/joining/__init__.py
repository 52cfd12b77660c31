"""Members of the team on a live call: they listen in, whisper to the agent, or take the call over
from it (I5).

    web      api.py gives a ticket out, noted in the audit log; bridge.py carries the WebSocket of
             whoever shows it to the media process that has the call
    media    companion.py is the other end of that socket; taking_over.py lets a member speak in
             the agent's place, hears their words, and gives the call back
    both     whispering.py writes what a member tells the agent alone; calls/memory.py reads it

What goes over the socket, both ways, is told in `companion.py`.
"""
