"""The media engine: one tick every 20 ms for all calls of a process.

Decode, voice activity, turns, play-out, recording. It knows arrays and ring buffers; it knows no
sockets, no vendors and no database.
"""
