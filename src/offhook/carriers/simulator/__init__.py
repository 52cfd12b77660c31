"""The simulated carrier: a process of its own that is Twilio to us (architecture.md, decision 6).

Numbers, messages, calls, signed callbacks, TwiML and Media Streams, with its own storage and an
append-only log that is the truth for fault tests. Nothing here is imported by the rest of the
product but `account` (its credentials and tokens) and `handset` (the command line).
"""
