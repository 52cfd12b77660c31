"""The refusals of this room.

EndpointNotFound, DeliveryNotFound, EventNotFound, SecretNotFound  404
EndpointInvalid      422  name or events cannot be used; an address is refused by `outgoing`
TooManyEndpoints     409
TooManySecrets       409  three are live: revoke one first (W6)
SecretNeeded         409  the current one is replaced before it is revoked
EndpointOff          409  nothing is sent to an endpoint that is off (W14)
ReplayInvalid        422  a range that is empty, too long or too old (W11)
"""

from offhook.errors import Conflict, Invalid, NotFound


class EndpointNotFound(NotFound):
    code = "webhook_endpoint_not_found"


class DeliveryNotFound(NotFound):
    code = "webhook_delivery_not_found"


class EventNotFound(NotFound):
    code = "webhook_event_not_found"


class SecretNotFound(NotFound):
    code = "webhook_secret_not_found"


class EndpointInvalid(Invalid):
    code = "webhook_endpoint_invalid"


class TooManyEndpoints(Conflict):
    code = "too_many_webhook_endpoints"


class TooManySecrets(Conflict):
    code = "too_many_webhook_secrets"


class SecretNeeded(Conflict):
    code = "webhook_secret_needed"


class EndpointOff(Conflict):
    code = "webhook_endpoint_off"


class ReplayInvalid(Invalid):
    code = "webhook_replay_invalid"
