# SPDX-License-Identifier: Apache-2.0
"""Where we knowingly do otherwise than SendPulse's OpenAPI files: request and place, with the reason.

An entry that no request or answer deviates by any more fails a test.
"""

from __future__ import annotations

FLAGS = "Flags of a query go out as 1 and 0, as the manual and the clients of others write them, not as true and false."
UNDECLARED = "The files declare no refusal here; that there is one, and its status, is behind a setting of the emulator."
OLDER = "Older editions of the documentation quote these numbers; the emulator does so where a setting asks for it."
EDIT = "The manual edits every field of a campaign, and a client found that all must be sent; the files know two."
FORM = "The manual says that this is a form; JSON is sent unless a form is asked for."
WRAPPED = "All clients wrap the list as `emails`; the file shows a bare array. The emulator takes both."
NO_FILE = "No file has it."

DEVIATIONS: dict[tuple[str, str], str] = {
    # Requests
    ("POST /oauth/access_token", "path"): f"{NO_FILE} The introduction of the API documents it.",
    ("GET /addressbooks/{id}/emails", "query active"): FLAGS,
    ("GET /addressbooks/{id}/emails", "query not_active"): FLAGS,
    ("GET /addressbooks/{id}/emails/total", "query active"): FLAGS,
    ("GET /campaigns", "query planed"): FLAGS,
    ("GET /templates", "query only_active"): FLAGS,
    ("GET /campaigns", "query status[]"): "PHP reads a repeated parameter only under this name, and clients send it so.",
    ("POST /addressbooks/{id}/emails", "request"): (
        "The file wants exactly one of two schemas, single and double opt-in, and everything fits both of them."
    ),
    ("POST /addressbooks/{id}/emails/variable", "request /variables/*/value"): (
        "The manual takes numbers for number variables; the file has text alone."
    ),
    ("PATCH /campaigns", "path"): f"{NO_FILE} The manual's way to send a test to other addresses than the sender's.",
    ("PATCH /campaigns/{id}", "request /body"): EDIT,
    ("PATCH /campaigns/{id}", "request /send_date"): EDIT,
    ("PATCH /campaigns/{id}", "request /sender_email"): EDIT,
    ("PATCH /campaigns/{id}", "request /sender_name"): EDIT,
    ("GET /templates/{lang}", "path"): f"{NO_FILE} The manual lists the templates of a language so.",
    ("POST /v2/email-service/webhook", "request as application/x-www-form-urlencoded"): FORM,
    ("PUT /v2/email-service/webhook/{id}", "request as application/x-www-form-urlencoded"): FORM,
    ("POST /events/name/{event}", "path"): f"{NO_FILE} The knowledge base and the vendor's clients document events.",
    ("POST /events/id/{hash}/{user_id}", "path"): f"{NO_FILE} The knowledge base documents the URLs of events.",
    ("GET /a360/autoresponders/{id}/conversions/list/all", "path"): f"{NO_FILE} A public client and its tests have it.",
    ("POST /smtp/emails", "request /email"): "The file wants html and text together; clients send either, and so do we.",
    ("POST /smtp/unsubscribe", "request"): WRAPPED,
    ("DELETE /smtp/unsubscribe", "request"): WRAPPED,
    # Answers of the emulator
    ("GET /addressbooks", "answer /*/id"): OLDER,
    ("GET /addressbooks", "answer /*/status"): OLDER,
    ("GET /addressbooks", "answer /*/all_email_qty"): OLDER,
    ("GET /addressbooks", "answer /*/active_email_qty"): OLDER,
    ("GET /addressbooks", "answer /*/inactive_email_qty"): OLDER,
    ("GET /addressbooks/{id}/variables", "answer /*/type"): "The manual prints the type of dates as `data`.",
    (
        "GET /addressbooks/{id}/emails",
        "answer /*/variables",
    ): "A contact without variables has an empty array in the manual.",
    ("GET /addressbooks/{id}/emails/{email}", "answer /abook_id"): "A number in the manual, text in the file.",
    ("GET /addressbooks/{id}/emails/{email}", "answer /variables/*/value"): (
        "Number variables have numbers in the samples of clients; the file has text alone."
    ),
    ("POST /campaigns", "answer /overdraft_price"): "The number 0 in the manual, text in the file; a setting chooses.",
    ("GET /campaigns/{id}/countries", "answer"): "PHP writes an object without entries as an empty array.",
    ("GET /user/balance/detail", "answer /push"): "A service that is off is null in the fixtures of a client.",
    ("GET /user/balance/detail", "answer /smtp"): "A service that is off is null in the fixtures of a client.",
    ("GET /v2/email-service/webhook", "answer /data"): "A client has met a second envelope inside; a setting chooses.",
    # Refusals of the emulator
    ("GET /addressbooks/{id}/emails/{email}", "answer status 422"): UNDECLARED,
    ("POST /campaigns", "answer status 422"): UNDECLARED,
    ("GET /campaigns/{id}", "answer status 422"): UNDECLARED,
    ("DELETE /campaigns/{id}", "answer status 422"): UNDECLARED,
    ("POST /senders", "answer status 422"): UNDECLARED,
    ("POST /senders/{email}/code", "answer status 422"): UNDECLARED,
    ("GET /balance/{currency}", "answer status 422"): UNDECLARED,
    ("GET /v2/email-service/webhook/{id}", "answer status 404"): UNDECLARED,
    ("GET /a360/autoresponders/{id}", "answer status 404"): UNDECLARED,
}
