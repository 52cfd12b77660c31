"""What bookings refuse, as a person reads it."""

from offhook.errors import Conflict, Invalid, NotFound, Unavailable


class CalendarNotFound(NotFound):
    code = "calendar_not_found"


class CalendarInvalid(Invalid):
    code = "calendar_invalid"


class CalendarInUse(Conflict):
    code = "calendar_in_use"


class AppointmentNotFound(NotFound):
    code = "appointment_not_found"


class AppointmentInvalid(Invalid):
    code = "appointment_invalid"


class NotFree(Conflict):
    """The time cannot be booked; `details` have `refusal`, the nearest free `alternatives`, and
    whether they are of the `same_day`.
    """

    code = "time_not_free"

    @property
    def refusal(self) -> str:
        """One of `slots.Refusal`."""
        return str(self.details["refusal"])

    @property
    def same_day(self) -> bool:
        """Whether something else is free on the very day."""
        return bool(self.details["same_day"])


class AppointmentStepRefused(Conflict):
    code = "appointment_step_refused"


class CalendarServerRefused(Conflict):
    """The server of a calendar does not let us in."""

    code = "calendar_server_refused"


class CalendarServerFailed(Unavailable):
    """The server of a calendar answers something that is of no use."""

    code = "calendar_server_failed"


class BookingKeyReused(Conflict):
    code = "booking_key_reused"
