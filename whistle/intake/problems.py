# SPDX-License-Identifier: AGPL-3.0-or-later
"""Why a client's sealed submission is refused: codes and statuses (docs/spec/client-api.md, 7).

Invariant: no answer tells whether a thread exists to somebody who cannot sign for it.
"""

from typing import Final

STATUS: Final[dict[str, int]] = {
    "bad_request": 400,  # not JSON, or a member of the wrong form
    "container": 400,  # not a sealed frame in the permitted form
    "size": 400,  # not the size of a sealed file
    "piece": 400,  # no such piece, or a body of another length
    "nonce": 401,  # unknown, used, or older than five minutes
    "signature": 403,  # does not fit the key sent with it, or no such thread
    "conflict": 409,  # other bytes are there already
    "incomplete": 409,  # a file is not here, or not all of it
    "full": 409,  # the thread takes no more messages
    "recipients": 422,  # not people of the present manifest
    "quota": 413,  # too much is waiting at this server
    "too_large": 413,  # a file above the limit
}


class ProblemError(Exception):
    """A submission is refused; `code` is a row of `STATUS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.status = STATUS[code]
