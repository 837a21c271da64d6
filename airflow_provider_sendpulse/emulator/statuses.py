# SPDX-License-Identifier: Apache-2.0
"""Status codes and their texts (SendPulse API: campaigns, mailing lists, statistics)."""

from __future__ import annotations

BOOK_STATUSES = {
    0: "Active",
    1: "Deleted",
    3: "Waiting for an answer to the moderator",
    4: "Locked while addresses are loaded",
    5: "Locked while addresses are copied to a campaign",
}

CONTACT_STATUSES = {
    0: "New",
    1: "Active",
    2: "Activation requested",
    3: "Activation requested in the panel",
    4: "Unsubscribed",
    5: "Rejected by the service",
    6: "Unsubscribed from everything",
    7: "Activation message sent",
    8: "Blocked by the account owner",
    9: "Delivery error",
    10: "Blocked by host list",
    11: "Blocked by sender or user name",
    12: "Blocked by address part",
    13: "Deleted by the account owner",
    14: "Temporarily unavailable",
}

CAMPAIGN_STATUSES = {
    0: "New",
    1: "On moderation",
    2: "Sending",
    3: "Sent",
    4: "Test sending",
    5: "Blocked by the administration",
    6: "Marked for deletion",
    7: "Statuses being refreshed",
    8: "Test sent",
    9: "Sending under way",
    10: "Preparing to send",
    11: "Waiting for an answer to the moderator",
    12: "No active addresses",
    13: "Copying addresses",
    14: "Queued",
    15: "Waiting for the A/B test",
    16: "Cancelled",
    22: "Being sent in part",
    23: "Sent in part",
    25: "Blocked after part was sent",
    26: "Draft",
    27: "Needs editing",
    28: "Scheduled for those who did not open",
    33: "Flow: balance insufficient",
    36: "Flow draft",
}

DELIVERY_STATUSES = {
    0: "In queue",
    1: "Sent",
    2: "Delivered",
    3: "Opened",
    4: "Link redirected",
    5: "User unsubscribe",
    6: "Address does not exist",
    7: "Temporarily unavailable",
    8: "Unavailable",
    9: "Rejected by server as spam",
    10: "Mailbox is full",
    11: "Marked as spam by user",
    12: "Delivery failed",
    13: "Not sent",
    14: "Domain does not exist",
    15: "Unsubscribed earlier",
    16: "Invalid address",
    17: "Sending temporarily forbidden",
    18: "Disable by administrator",
}

NEW_CONTACT = 0
ACTIVE_CONTACT = 1
UNSUBSCRIBED_CONTACT = 4
UNSUBSCRIBED_FROM_ALL = 6
BOUNCED_CONTACT = 9

# A campaign in one of these never moves again by itself.
FINAL_CAMPAIGN_STATUSES = frozenset({3, 5, 6, 8, 11, 12, 16, 23, 25, 26, 27, 28, 33, 36})
# What cannot be cancelled any more.
ENDED_CAMPAIGN_STATUSES = frozenset({3, 5, 6, 8, 12, 16, 23, 25})


def explain(texts: dict[int, str], code: int) -> str:
    """Return the text of a code, also of one nobody documents."""
    return texts.get(code, f"Status {code}")
