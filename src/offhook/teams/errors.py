"""What teams refuse."""

from offhook.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unauthorised


class SignedOut(Unauthorised):
    code = "signed_out"


class KeyRefused(Unauthorised):
    code = "api_key_refused"


class WrongPassword(Invalid):
    code = "wrong_password"


class TooManyAttempts(Problem):
    code = "too_many_attempts"
    status = 429


class PasswordTooWeak(Invalid):
    code = "password_too_weak"


class EmailInvalid(Invalid):
    code = "email_invalid"


class NameInvalid(Invalid):
    code = "name_invalid"


class TimezoneUnknown(Invalid):
    code = "timezone_unknown"


class CountryUnknown(Invalid):
    code = "country_unknown"


class RoleMissing(Forbidden):
    code = "role_missing"


class ScopeMissing(Forbidden):
    code = "scope_missing"


class OperatorOnly(Forbidden):
    code = "operator_only"


class LastOperator(Conflict):
    code = "last_operator"


class UserUnknown(NotFound):
    code = "user_unknown"


class SetupClosed(NotFound):
    code = "setup_closed"


class InvitationGone(NotFound):
    code = "invitation_gone"


class ResetGone(NotFound):
    code = "reset_gone"


class MemberUnknown(NotFound):
    code = "member_unknown"


class AlreadyMember(Conflict):
    code = "already_member"


class LastOwner(Conflict):
    code = "last_owner"


class KeyUnknown(NotFound):
    code = "api_key_unknown"


class ExpiryInvalid(Invalid):
    code = "expiry_invalid"
