"""What lists say of a reader's state, in the words of several services."""

from collections.abc import Mapping
from enum import StrEnum

from digest.domain.states import SuppressionReason


class Status(StrEnum):
    """What a row says about its reader."""

    SUBSCRIBED = "subscribed"  # receives letters
    PAUSED = "paused"  # keeps the subscription, receives none
    UNCONFIRMED = "unconfirmed"  # asked, never confirmed
    UNSUBSCRIBED = "unsubscribed"  # left
    BOUNCED = "bounced"  # the address does not accept mail
    COMPLAINED = "complained"  # reported a letter as spam
    SUPPRESSED = "suppressed"  # an operator decided (our own export)


# Folded as `presets.fold` does.
WORDS: Mapping[str, Status] = {
    **dict.fromkeys(
        ("subscribed", "active", "enabled", "confirmed", "yes", "true", "1"),
        Status.SUBSCRIBED,
    ),
    "paused": Status.PAUSED,
    **dict.fromkeys(
        (
            "pending",
            "unconfirmed",
            "validating",
            "needsattention",
            "nonsubscribed",
            "transactional",
        ),
        Status.UNCONFIRMED,
    ),
    **dict.fromkeys(
        (
            "unsubscribed",
            "unsubscribe",
            "inactive",
            "disabled",
            "blocklisted",
            "blacklisted",
            "archived",
            "cancelled",
            "canceled",
            "deleted",
            "optedout",
            "no",
            "false",
            "0",
        ),
        Status.UNSUBSCRIBED,
    ),
    **dict.fromkeys(
        ("bounced", "bounce", "hardbounce", "hardbounced", "cleaned", "invalid"),
        Status.BOUNCED,
    ),
    **dict.fromkeys(
        ("complained", "complaint", "spam", "abuse", "spamcomplaint", "markedasspam"),
        Status.COMPLAINED,
    ),
}

# What stands in the column `suppressed` of our own export.
OWN_SUPPRESSIONS: Mapping[str, Status] = {
    "bounce": Status.BOUNCED,
    "complaint": Status.COMPLAINED,
    "request": Status.UNSUBSCRIBED,
    "manual": Status.SUPPRESSED,
}
REASONS: Mapping[Status, SuppressionReason] = {
    Status.UNSUBSCRIBED: SuppressionReason.REQUEST,
    Status.BOUNCED: SuppressionReason.BOUNCE,
    Status.COMPLAINED: SuppressionReason.COMPLAINT,
    Status.SUPPRESSED: SuppressionReason.MANUAL,
}
