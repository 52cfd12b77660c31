"""The database: engine and sessions, ids, jobs, the outbox of events, embedded PostgreSQL.

Knows no domain: tables belong to the rooms.
"""
