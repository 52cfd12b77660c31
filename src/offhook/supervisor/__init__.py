"""Starts, watches and stops the processes of one installation.

Imports nothing of the application but settings and errors, so that it starts in a blink, stays
small, and outlives whatever the application does.
"""

from offhook.supervisor.postgres import EmbeddedPostgres
from offhook.supervisor.supervisor import Supervisor
from offhook.supervisor.zygote import next_program

__all__ = ["EmbeddedPostgres", "Supervisor", "next_program"]
