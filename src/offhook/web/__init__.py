"""The HTTP toolkit: page shell, components, problems, CSRF, pagination, live updates.

Rooms use it for their pages and their API; it knows none of them.
"""
