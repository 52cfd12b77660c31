"""Calls: admission, the live conversation, recording."""
