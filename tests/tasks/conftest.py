"""The fixtures of tasks, shared with the rooms above that add kinds."""

from task_fixtures import receiver, runner, talk, task_settings, team_id

__all__ = ["receiver", "runner", "talk", "task_settings", "team_id"]
