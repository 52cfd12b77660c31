"""What is refused to people who set tasks up."""

from offhook.errors import Conflict, Invalid, NotFound


class TaskNotFound(NotFound):
    code = "task_not_found"


class TaskInvalid(Invalid):
    code = "task_invalid"


class TaskNameTaken(Conflict):
    code = "task_name_taken"


class RunNotFound(NotFound):
    code = "task_run_not_found"
