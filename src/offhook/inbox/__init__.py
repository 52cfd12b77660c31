"""Conversations and their turns: one format for calls and texts."""
