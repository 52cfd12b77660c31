"""Twilio: the adapter behind the port, and the pure protocol of its callbacks and streams.

`protocol` parses callbacks, `forms` their bodies, `signature` verifies them, `twiml` answers,
`streams` is the audio's messages. `adapter` and `transport` are the only modules that import the
official client, which takes a second to load: they are imported when a carrier is opened.
"""
