"""Offhook gives AI agents phone numbers: calls and SMS, answered, metered, kept in one inbox.

Start reading at `app.py`, which puts the rooms together, or at ARCHITECTURE.md.
"""
