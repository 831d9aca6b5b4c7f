# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of the case office, one family per culprit.

* `ActFormatError`, `PolicyError`, `CatalogueError`, `RecordError`: the bytes handed in are wrong.
* `LifecycleError`: the transition table has no such move.
* `GateError`: a rule of the gate refused the act; carries a code and its text in both languages.
* `UnknownCaseError`: there is no such case for this person.
* `StoreError`: our own storage cannot be used.
* `LogError`: our own log contradicts itself.

No message carries anything secret or anything the other side sent.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


class CaseError(Exception):
    """Base of the family; never raised itself."""


class ActFormatError(CaseError):
    """The bytes are not one canonical act."""


class PolicyError(CaseError):
    """The policy file is not usable."""


class CatalogueError(CaseError):
    """The catalogue of units and services is not usable."""


class RecordError(CaseError):
    """A record from the feed is not usable."""


class UnknownThreadError(CaseError):
    """A reporter's message arrived before the report it belongs to."""


class LifecycleError(CaseError):
    """The transition table has no such move."""


class UnknownCaseError(CaseError):
    """No such case, or none that this person may know of."""


class StoreError(CaseError):
    """The database cannot be opened, read or written."""


class LogError(CaseError):
    """The public log must not go on: what is stored contradicts what was published."""


class GateError(CaseError):
    """The gate refused: `code` names the rule, `texts` say it in both languages."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
        self.texts: Mapping[str, str] = REFUSALS[code]


def _say(indonesian: str, english: str) -> Mapping[str, str]:
    return MappingProxyType({"id": indonesian, "en": english})


REFUSALS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "act_format": _say(
            "Tindakan tidak tertulis dalam bentuk baku.",
            "The act is not written in its one canonical form.",
        ),
        "wrong_case": _say(
            "Tindakan ini milik perkara lain.",
            "The act belongs to another case.",
        ),
        "unknown_signer": _say(
            "Penanda tangan tidak tercantum sebagai penangan dalam daftar resmi.",
            "The signer is not listed as a case handler in the signed manifest.",
        ),
        "bad_signature": _say(
            "Tanda tangan tidak cocok dengan tindakan.",
            "The signature does not match the act.",
        ),
        "signer_differs": _say(
            "Permintaan dan tindakan ditandatangani oleh kunci yang berbeda.",
            "The request and the act are signed by different keys.",
        ),
        "conflicted": _say(
            "Anda bukan penerima laporan ini.",
            "You are not among the recipients of this report.",
        ),
        "wrong_day": _say(
            "Tanggal tindakan harus hari ini.",
            "The day of the act must be today.",
        ),
        "day_order": _say(
            "Tindakan terakhir bertanggal sesudah hari ini; tanggal peladen keliru.",
            "The last act bears a later day than today; the server's date is wrong.",
        ),
        "stale_head": _say(
            "Perkara sudah berubah; muat ulang lalu tanda tangani lagi.",
            "The case has moved on; reload it and sign again.",
        ),
        "proposal_pending": _say(
            "Usulan penutupan masih menunggu orang kedua.",
            "A proposed closing is still waiting for a second person.",
        ),
        "not_allowed": _say(
            "Langkah ini tidak ada dalam tabel status.",
            "The transition table has no such step.",
        ),
        "unassigned": _say(
            "Hanya penanggung jawab atau pengawas yang boleh bertindak.",
            "Only the assigned person or a supervisor may act.",
        ),
        "supervisor_only": _say(
            "Hanya pengawas yang boleh mengalihkan perkara.",
            "Only a supervisor may hand a case over.",
        ),
        "message_missing": _say(
            "Langkah ini harus disertai pesan kepada pelapor.",
            "This step needs a message to the reporter.",
        ),
        "message_mismatch": _say(
            "Pesan bukan yang disebut dalam tindakan.",
            "The message is not the one the act names.",
        ),
        "message_unexpected": _say(
            "Langkah ini tidak boleh membawa pesan.",
            "This step must not carry a message.",
        ),
        "message_malformed": _say(
            "Pesan tersegel tidak berbentuk baku untuk satu penerima.",
            "The sealed message is not a well-formed container for one recipient.",
        ),
        "message_too_large": _say(
            "Pesan tersegel terlalu besar untuk kotak pesan pelapor.",
            "The sealed message is too large for the reporter's mailbox.",
        ),
        "message_repeated": _say(
            "Pesan ini sudah dipakai dalam perkara; tulis pesan baru.",
            "This message is part of the case already; write a new one.",
        ),
        "reason_missing": _say(
            "Langkah ini memerlukan kode alasan.",
            "This step needs a reason code.",
        ),
        "reason_unknown": _say(
            "Kode alasan ini tidak berlaku untuk langkah tersebut.",
            "That reason code does not belong to this step.",
        ),
        "fields_not_of_kind": _say(
            "Tindakan memuat isian yang bukan miliknya.",
            "The act carries a field that its kind does not have.",
        ),
        "until_missing": _say(
            "Perpanjangan memerlukan tanggal.",
            "An extension needs a day.",
        ),
        "limit_missed": _say(
            "Tenggat sudah terlewati dan tidak dapat diperpanjang lagi.",
            "The limit has been missed and cannot be extended any more.",
        ),
        "extension_pending": _say(
            "Perpanjangan sebelumnya belum mulai berjalan.",
            "The extension before has not begun yet.",
        ),
        "supervisor_extends": _say(
            "Perpanjangan kedua dan seterusnya harus ditandatangani pengawas.",
            "From the second extension on a supervisor must sign.",
        ),
        "until_not_working_day": _say(
            "Tanggal perpanjangan harus hari kerja.",
            "An extension must end on a working day.",
        ),
        "until_too_early": _say(
            "Perpanjangan harus melewati tenggat yang berlaku.",
            "An extension must go beyond the present limit.",
        ),
        "until_too_late": _say(
            "Perpanjangan melebihi batas satu kali perpanjangan.",
            "The extension is longer than one extension may be.",
        ),
        "assignee_not_recipient": _say(
            "Penanggung jawab harus salah satu penerima laporan.",
            "The assigned person must be a recipient of the report.",
        ),
        "assignee_gone": _say(
            "Orang itu tidak lagi menangani perkara menurut daftar resmi.",
            "That person is no longer a case handler in the signed manifest.",
        ),
        "no_proposal": _say(
            "Tidak ada usulan seperti itu yang menunggu.",
            "No such proposal is waiting.",
        ),
        "same_person": _say(
            "Pengusul tidak boleh menyetujui usulannya sendiri.",
            "Whoever proposed a closing cannot also confirm it.",
        ),
        "proposer_gone": _say(
            "Pengusul tidak lagi menangani perkara dengan kunci itu; ajukan usulan baru.",
            "Whoever proposed this may no longer act under that key; propose it again.",
        ),
        "proposal_lapsed": _say(
            "Usulan sudah terlalu lama; ajukan lagi dengan tanggal hari ini.",
            "The proposal has lapsed; propose again with today's date.",
        ),
        "note_malformed": _say(
            "Catatan tersegel tidak berbentuk baku untuk penerima perkara.",
            "The sealed note is not a well-formed container for the recipients of the case.",
        ),
        "note_limit": _say(
            "Catatan Anda dalam perkara ini sudah mencapai batas.",
            "You cannot keep any more notes in this case.",
        ),
        "card_malformed": _say(
            "Kartu bukan wadah baku untuk para penerbit, atau perkara ini tidak dihitung.",
            "The card is not sealed to the publishers as it must be, or the case is not counted.",
        ),
        "not_publisher": _say(
            "Ini hanya untuk penerbit, atau untuk auditor.",
            "This is for publishers only, or for auditors.",
        ),
        "release_files": _say(
            "Berkas terbitan tidak lengkap atau tidak cocok dengan release.json.",
            "The release's files are incomplete or not those of its release.json.",
        ),
        "release_organisation": _say(
            "Terbitan ini memakai daftar resmi lain atau nama lain.",
            "The release carries another manifest, or another name.",
        ),
        "release_signatures": _say(
            "Terbitan perlu tanda tangan dua orang, salah satunya penerbit.",
            "A release needs the signatures of two people, one of them a publisher.",
        ),
        "release_order": _say(
            "Terbitan harus menyambung terbitan terakhir.",
            "A release must continue the newest one.",
        ),
        "release_log": _say(
            "Terbitan tidak sesuai dengan catatan publik.",
            "The release does not fit the public log.",
        ),
    }
)
