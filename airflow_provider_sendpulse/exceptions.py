# SPDX-License-Identifier: Apache-2.0
"""What can go wrong, as one tree under Airflow's own exception.

Everything final derives from :class:`FinalFailure` and so from ``AirflowFailException``: Airflow does not retry it, and
``soft_fail`` treats it alike in a sensor's poke, reschedule and deferred modes.

No message holds a secret or an address; what a service said is redacted before it gets here.
"""

from __future__ import annotations

from airflow_provider_sendpulse.version_compat import AirflowException, AirflowFailException


class ServiceError(AirflowException):
    """Something asked of a marketing service did not work out.

    :param message: what was asked, what the service said and what to do about it
    :param operation: the call, without personal data, such as ``POST /campaigns``
    :param status: HTTP status of the answer, if there was one
    :param error_code: the service's own code from the body, if there was one
    :param service_message: the service's own words, redacted
    """

    def __init__(
        self,
        message: str = "",
        *,
        operation: str | None = None,
        status: int | None = None,
        error_code: int | None = None,
        service_message: str | None = None,
    ) -> None:
        super().__init__(message)
        self.operation = operation
        self.status = status
        self.error_code = error_code
        self.service_message = service_message


class ServiceUnavailable(ServiceError):
    """The service could not be reached or kept failing; repeating later may help."""


class Throttled(ServiceError):
    """A limit of the service was reached; nothing was carried out.

    :param retry_after: seconds after which it is worth asking again, if known
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.retry_after = retry_after


class FinalFailure(ServiceError, AirflowFailException):
    """Repeating the same thing cannot help; Airflow does not retry the task."""


class InvalidRequest(FinalFailure, ValueError):
    """What was asked for is wrong or incomplete; nothing was sent."""


class AuthenticationFailed(FinalFailure):
    """The service does not accept the connection's credentials, also after one renewal of the token."""


class Refused(FinalFailure):
    """The service understood the call and refused it; nothing was carried out.

    :param due_to_a_row: whether, of a call for many rows, some of them can be why
    :param is_too_large: whether the call held too much
    :param most_items: how many rows one call may hold, where the service says so
    """

    def __init__(
        self,
        message: str = "",
        *,
        due_to_a_row: bool = False,
        is_too_large: bool = False,
        most_items: int | None = None,
        **details: object,
    ) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.due_to_a_row = due_to_a_row
        self.is_too_large = is_too_large
        self.most_items = most_items


class AmbiguousOutcome(FinalFailure):
    """A call that must not be repeated blindly was sent, and its answer was lost: it may have been carried out.

    It is final on purpose. A retry by Airflow would be just such a blind repeat.

    :param was_received: whether the service says that it has received the same call before
    """

    def __init__(self, message: str = "", *, was_received: bool = False, **details: object) -> None:
        super().__init__(message, **details)  # type: ignore[arg-type]
        self.was_received = was_received


class NeedsHuman(FinalFailure):
    """Only a person can go on, in the service's dashboard."""


class CampaignNotSent(FinalFailure):
    """The campaign ended without being sent to all its recipients."""


class CampaignStartedEarly(FinalFailure):
    """The campaign is going out before the date it was scheduled for."""


class TooLate(FinalFailure):
    """A campaign that was to be changed or stopped is going out, has gone out, or has ended otherwise."""


class CampaignConflict(FinalFailure):
    """A campaign with this task's marker exists already, and it is not the one this task would create."""


class MessageConflict(FinalFailure):
    """This task has sent, or was about to send, another message than the one that it is to send now."""


class MessageNotDelivered(FinalFailure):
    """The recipient's server did not take the message."""


class BroadcastNotSent(FinalFailure):
    """The broadcast that this task has created is not there any more."""


class BroadcastConflict(FinalFailure):
    """A broadcast with this task's marker exists already, and it is not the one this task would create."""


class BroadcastUnlike(FinalFailure):
    """The broadcast was created, and the service made another one of it than was asked for."""


class AddressBookUnusable(FinalFailure):
    """The address book cannot be used for a campaign and will not become usable by itself."""


class CostTooHigh(FinalFailure):
    """A mailing would cost more than is allowed, or more than the account has; nothing was sent."""


class ImportFailed(FinalFailure):
    """An import session ended in an error, or the service does not know it; which contacts it has written is not known."""


class DeliveryFailed(FinalFailure):
    """Too many rows could not be delivered; the message holds the counts."""


class RejectsNotWritten(ServiceError):
    """The rows that went wrong could not be written to where ``rejects`` says; a retry of the task writes them again."""


class AccountBroken(FinalFailure):
    """The account of a delivery does not add up: a fault of this package, which should be reported."""


class DeadlinePassed(FinalFailure):
    """What was waited for did not happen in time; the message says what was seen last."""


class Interrupted(BaseException):
    """The process was told to end (SIGTERM); like ``KeyboardInterrupt``, nothing but tidying up happens after it.

    Airflow tries the task again, unless somebody has settled its state.
    """


__all__ = [
    "AccountBroken",
    "AddressBookUnusable",
    "AmbiguousOutcome",
    "AuthenticationFailed",
    "BroadcastConflict",
    "BroadcastNotSent",
    "BroadcastUnlike",
    "CampaignConflict",
    "CampaignNotSent",
    "CampaignStartedEarly",
    "CostTooHigh",
    "DeadlinePassed",
    "DeliveryFailed",
    "FinalFailure",
    "ImportFailed",
    "Interrupted",
    "InvalidRequest",
    "MessageConflict",
    "MessageNotDelivered",
    "NeedsHuman",
    "Refused",
    "RejectsNotWritten",
    "ServiceError",
    "ServiceUnavailable",
    "Throttled",
    "TooLate",
]
