"""The errors that a person is meant to read.

Every refusal of the product is a `Problem`: a stable code, a sentence with the offending value,
and what to do about it. Rooms define their own subclasses beside the rule that raises them;
`web` turns any of them into problem+json or into a message on a page. This module knows no HTTP
beyond the status number.

    Problem
    ├── Invalid        422  the input cannot be used as it is
    ├── NotFound       404  not there, or not yours
    ├── Conflict       409  the present state does not allow it
    ├── Forbidden      403  your role does not allow it
    ├── Unauthorised   401  not signed in
    └── Unavailable    503  our own fault or a vendor's; trying again may help
"""

from typing import Any, ClassVar


class Problem(Exception):  # noqa: N818 - a refusal is an answer of the product, not a defect
    """A refusal with a code for programs, a sentence for people, and a remedy.

    `details` are JSON values that a program may want (the missing things, the limit, the number).
    """

    code: ClassVar[str] = "problem"
    status: ClassVar[int] = 400

    def __init__(self, sentence: str, *, remedy: str = "", **details: Any) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy
        self.details = details


class Invalid(Problem):
    code = "invalid"
    status = 422


class NotFound(Problem):
    code = "not_found"
    status = 404


class Conflict(Problem):
    code = "conflict"
    status = 409


class Forbidden(Problem):
    code = "forbidden"
    status = 403


class Unauthorised(Problem):
    code = "unauthorised"
    status = 401


class Unavailable(Problem):
    code = "unavailable"
    status = 503
