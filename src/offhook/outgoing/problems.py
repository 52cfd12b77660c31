"""Why a request to a user-given address was not made, or got no answer.

OutgoingProblem
├── UrlRefused   422  the URL as it stands may not be asked
├── NotPublic    422  its name leads to an address of a private network
└── NotReached   502  nobody answered: name, connection, certificate, time
"""

from typing import ClassVar

from offhook.errors import Problem


class OutgoingProblem(Problem):
    """A request to a user-given address that was not answered."""

    code: ClassVar[str] = "outgoing"


class UrlRefused(OutgoingProblem):
    code = "url_refused"
    status = 422


class NotPublic(OutgoingProblem):
    code = "address_not_public"
    status = 422


class NotReached(OutgoingProblem):
    """`details["sent"]` is False where surely nothing of the request left us."""

    code = "not_reached"
    status = 502

    @property
    def sent(self) -> bool:
        return bool(self.details.get("sent", True))
