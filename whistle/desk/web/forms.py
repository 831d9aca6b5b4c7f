# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads the desk's own small forms: url-encoded, bounded, each field once."""

from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import parse_qsl

from aiohttp import web

from case_mgmt.model import ActKind, State
from whistle.desk.errors import UsageError
from whistle.desk.web.drafts import LetterDraft

MAX_FORM_BYTES: Final = 512 * 1024
MAX_FIELDS: Final = 16
LETTER_KINDS: Final = frozenset({ActKind.TRANSITION, ActKind.UPDATE, ActKind.EXTEND})


async def read_form(request: web.Request) -> Mapping[str, str]:
    """The fields of a posted form. Raises: UsageError."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise UsageError("desk.error.form")
    data = bytearray()
    async for piece in request.content.iter_chunked(64 * 1024):
        data += piece
        if len(data) > MAX_FORM_BYTES:
            raise UsageError("desk.error.form")
    try:
        pairs = parse_qsl(
            data.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(data),
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:
        raise UsageError("desk.error.form") from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise UsageError("desk.error.form")
    return fields


def read_letter(case: str, fields: Mapping[str, str]) -> LetterDraft:
    """A letter as composed, not yet checked by wording rules. Raises: UsageError."""
    try:
        kind = ActKind(fields.get("kind", ""))
        target = State(fields["to"]) if kind is ActKind.TRANSITION else None
        until = date.fromisoformat(fields["until"]) if kind is ActKind.EXTEND else None
    except (ValueError, KeyError) as error:
        raise UsageError("desk.error.form") from error
    if kind not in LETTER_KINDS:
        raise UsageError("desk.error.form")
    return LetterDraft(
        case=case,
        kind=kind,
        target=target,
        reason=fields.get("reason") or None,
        until=until,
        text=fields.get("text", ""),
        seen_head=fields.get("head", ""),
    )
