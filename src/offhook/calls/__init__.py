"""Admission, the live conversation, recording."""
