"""Talking to an agent's draft from the browser: a call without a carrier, a number or a record.

    web      api.py gives a ticket out; bridge.py carries the browser's WebSocket to a media process
    media    room.py takes it on the engine of the calls; talk.py listens and speaks with the same
             ear, mouth and brain, and remembers nothing of it anywhere

Tasks are shown and not done, unless the ticket says otherwise (tasks/rehearsing.py). What goes over
the socket is told in bridge.py. No contact, no conversation in the inbox, no usage.
"""
