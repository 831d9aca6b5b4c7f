# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong in the servers, by culprit, and what the outside is told.

Invariants:

* no message holds anything secret or anything a stranger sent;
* `PUBLIC` is the one table from an error to the answer a reader sees.
"""

from dataclasses import dataclass


class WhistleError(Exception):
    """Base of the server errors; never raised itself."""


class ConfigError(WhistleError):
    """The operator's files or settings are wrong; the server does not start."""


class StoreError(WhistleError):
    """The database refused: wrong key, damage, or a newer schema."""


class ConflictError(WhistleError):
    """The same place already holds different bytes."""


class RefusedError(WhistleError):
    """A request is answered with an error page; `key` is a row of `PUBLIC`."""

    def __init__(self, key: str) -> None:
        if key not in PUBLIC:
            raise KeyError(key)
        super().__init__(key)
        self.key = key

    @property
    def status(self) -> int:
        """HTTP status of the answer."""
        return PUBLIC[self.key].status

    @property
    def page(self) -> str:
        """Which error page explains it."""
        return PUBLIC[self.key].page


class FullError(WhistleError):
    """A thread holds as many messages as it may."""


class UndecidedError(RefusedError):
    """A write did not end in time: whether it is stored is not known yet."""

    def __init__(self) -> None:
        super().__init__("busy")


@dataclass(frozen=True)
class Answer:
    """HTTP status and error page (`whistle.intake.pages.ERROR_PAGES`)."""

    status: int
    page: str


PUBLIC: dict[str, Answer] = {
    "bad_request": Answer(400, "bad_request"),
    "unsigned": Answer(401, "bad_request"),
    "cross_site": Answer(403, "cross_site"),
    "not_found": Answer(404, "not_found"),
    "method": Answer(405, "method"),
    "timeout": Answer(408, "bad_request"),
    "too_large": Answer(413, "too_large"),
    "media_type": Answer(415, "bad_request"),
    "expectation": Answer(417, "bad_request"),
    "generic": Answer(500, "generic"),
    "busy": Answer(503, "busy"),
}
