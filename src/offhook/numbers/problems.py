"""The refusals of this room, each with its code, a sentence and what to do.

NumberNotFound        404  not there, or another team's
NumberGone            409  releasing or released: nothing can be set on it any more
NumberNotReady        409  enabling needs more; `missing` lists all of it (N5)
ChangeRefused         409  a configuration rule says no; its subclasses carry the code
NumberStillEnabled    409  only a disabled number is deleted (N10)
ConfirmationWrong     422  what was typed is not the number (N10)
PurchaseNotAllowed    402  subscription or payment method; `missing` lists it (A1)
QuoteNotFound 404, QuoteExpired, QuoteUsed, PriceChanged, NumberTaken 409  (A3)
TermsNotAccepted      422  (A4)
PurchaseNotFound 404, IdempotencyKeyReused 409, IdempotencyKeyMissing 422  (A5)
SearchInvalid         422  (A2)
AccountNotFound, ImportNotFound 404, AccountInvalid 422, AccountExists, AccountInUse,
AccountNotUsable, NotInAccount 409  (A7)
"""

from offhook.errors import Conflict, Invalid, NotFound, Problem


class NumberNotFound(NotFound):
    code = "number_not_found"


class NumberGone(Conflict):
    code = "number_gone"


class NumberNotReady(Conflict):
    code = "number_not_ready"


class NumberStillEnabled(Conflict):
    code = "number_still_enabled"


class ConfirmationWrong(Invalid):
    code = "confirmation_wrong"


class ChangeRefused(Conflict):
    code = "number_change_refused"


class NameInvalid(ChangeRefused, Invalid):
    code = "number_name_invalid"
    status = 422


class AgentFirst(ChangeRefused):
    code = "agent_first"


class ServiceNotAvailable(ChangeRefused):
    code = "service_not_available"


class LastService(ChangeRefused):
    code = "last_service"


class AgentNeeded(ChangeRefused):
    code = "agent_cannot_be_removed"


class AgentNotLive(ChangeRefused):
    code = "agent_not_live"


class PurchaseNotAllowed(Problem):
    code = "purchase_not_allowed"
    status = 402


class QuoteNotFound(NotFound):
    code = "quote_not_found"


class QuoteExpired(Conflict):
    code = "quote_expired"


class QuoteUsed(Conflict):
    code = "quote_used"


class PriceChanged(Conflict):
    code = "price_changed"


class NumberTaken(Conflict):
    code = "number_taken"


class TermsNotAccepted(Invalid):
    code = "terms_not_accepted"


class PurchaseNotFound(NotFound):
    code = "purchase_not_found"


class PurchaseNotWaiting(Conflict):
    code = "purchase_not_waiting"


class PurchaseNotConfirmed(Conflict):
    code = "purchase_not_confirmed"


class IdempotencyKeyReused(Conflict):
    code = "idempotency_key_reused"


class IdempotencyKeyMissing(Invalid):
    code = "idempotency_key_missing"


class SearchInvalid(Invalid):
    code = "search_invalid"


class AccountNotFound(NotFound):
    code = "carrier_account_not_found"


class AccountInvalid(Invalid):
    code = "carrier_account_invalid"


class AccountExists(Conflict):
    code = "carrier_account_exists"


class AccountInUse(Conflict):
    code = "carrier_account_in_use"


class AccountNotUsable(Conflict):
    code = "carrier_account_not_usable"


class ImportNotFound(NotFound):
    code = "number_import_not_found"


class NotInAccount(Conflict):
    code = "number_not_in_account"


class NothingToGiveUp(Conflict):
    code = "nothing_to_give_up"


class NothingChosen(Invalid):
    code = "no_number_chosen"


REFUSED_WITH: dict[str, type[ChangeRefused]] = {
    kind.code: kind
    for kind in (
        NameInvalid,
        AgentFirst,
        ServiceNotAvailable,
        LastService,
        AgentNeeded,
        AgentNotLive,
    )
}
