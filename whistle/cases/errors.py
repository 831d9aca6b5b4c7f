# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of the case server, and the one table from an error to an answer.

Invariants
* Every answer to the desk has a code and a text in both languages, none with anything sent by the
  other side.
* Refusals of the gate keep the gate's own words; here is only their HTTP status.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from whistle import troubles
from whistle.errors import WhistleError


class FeedError(WhistleError):
    """The intake's feed does not answer, or not as agreed; trying again may help."""


class FeedLostError(FeedError):
    """The connection to the feed failed or stalled."""

    kind = troubles.FEED_LOST


class FeedClosedError(FeedError):
    """The intake does not take our signature: another key, or another time of day."""

    kind = troubles.FEED_REFUSED


class FeedGoneError(FeedError):
    """The intake has a record, but a file of it not, or not all of it."""

    kind = troubles.FILE_DAMAGED


class FeedRefusedError(WhistleError):
    """The intake refuses these entries; sending them again would change nothing."""


class ApiError(WhistleError):
    """A request is answered with a row of `ANSWERS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Answer:
    """HTTP status and texts."""

    status: int
    texts: Mapping[str, str]


def _answer(status: int, indonesian: str, english: str) -> Answer:
    return Answer(status, {"id": indonesian, "en": english})


ANSWERS: Final[Mapping[str, Answer]] = {
    "bad_request": _answer(
        400, "Permintaan tidak berbentuk baku.", "The request is not in its agreed form."
    ),
    "unsigned": _answer(
        401,
        "Permintaan tidak ditandatangani dengan benar, sudah lewat waktu, atau pernah dikirim.",
        "The request is not signed properly, is out of time, or was sent before.",
    ),
    "unknown_signer": _answer(
        403,
        "Kunci ini tidak tercantum dalam daftar resmi yang berlaku.",
        "This key is not in the manifest in force.",
    ),
    "unknown_case": _answer(
        404, "Tidak ada perkara atau lampiran itu.", "There is no such case or attachment."
    ),
    "not_found": _answer(404, "Alamat ini tidak ada.", "There is nothing at this address."),
    "method": _answer(
        405, "Cara ini tidak berlaku di sini.", "This method is not for this address."
    ),
    "too_large": _answer(413, "Permintaan terlalu besar.", "The request is too large."),
    "timeout": _answer(408, "Permintaan terlalu lambat.", "The request took too long."),
    "internal": _answer(
        500,
        "Terjadi kesalahan di peladen; tidak ada yang diubah.",
        "Something went wrong on the server; nothing was changed.",
    ),
}

GATE_STATUS: Final[Mapping[str, int]] = {
    "unknown_signer": 403,
    "signer_differs": 403,
    "conflicted": 403,
    "unassigned": 403,
    "supervisor_only": 403,
    "supervisor_extends": 403,
    "same_person": 403,
    "not_publisher": 403,
    "release_order": 409,
    "stale_head": 409,
    "proposal_pending": 409,
    "no_proposal": 409,
    "proposer_gone": 409,
    "proposal_lapsed": 409,
}
GATE_DEFAULT: Final = 422
