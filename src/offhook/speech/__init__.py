"""Recognisers and synthesisers: the ports, and one file per vendor.

Knows audio and text; knows no call, no team and no database.
"""
