"""Members of the team on a live call: they listen in, or take it over from the agent (I5).

    web      api.py gives a ticket out, noted in the audit log; bridge.py carries the WebSocket of
             whoever shows it to the media process that has the call
    media    companion.py is the other end of that socket; taking_over.py lets a member speak in
             the agent's place, hears their words, and gives the call back

What goes over the socket, both ways, is told in `companion.py`.
"""
