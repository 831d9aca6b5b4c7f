# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads a form while it arrives: text into memory, files straight into their sealers.

Invariants:

* nothing of a form is ever written to disk in plaintext, not even through a temporary file: this
  module replaces `request.post()`;
* bytes, parts, part headers and time are capped (`whistle.limits`), whatever Content-Length claims,
  and the text of all unfinished forms together (`whistle.intake.memory`);
* text is UTF-8 without NUL, a field occurs at most once, a file comes under the one name its form
  has for files; anything else is malformed;
* a file beyond the number or size allowed, and one the server has no room for, is read away
  unsealed and reported, so that the page can keep the text.

Source: RFC 7578 through the PyPI parser `multipart`.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qsl

from aiohttp import web
from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from whistle import limits
from whistle.errors import RefusedError
from whistle.intake.admission import admit
from whistle.intake.bodies import Pace, body_chunks, read_small
from whistle.intake.busy import TYPED, Typed
from whistle.intake.fields import FILE_FIELD
from whistle.intake.memory import MEMORY, Held


class FileUpload(Protocol):
    """Takes the plaintext of one file and seals it."""

    def add(self, data: bytes) -> None:
        """Take more plaintext."""

    @property
    def is_behind(self) -> bool:
        """True when reading should pause."""

    async def catch_up(self) -> None:
        """Wait until it is no longer behind."""

    async def finish(self, name: str, media_type: str) -> None:
        """The file is complete."""


class FileSink(Protocol):
    """Opens uploads for the files of one form."""

    def open(self) -> FileUpload:
        """Begin one file."""


@dataclass(frozen=True)
class FormCaps:
    """What one form may hold; `names` are the text fields that are kept."""

    names: Collection[str]
    max_files: int = 0
    max_file_bytes: int = 0
    file_field: str = FILE_FIELD

    @property
    def max_body(self) -> int:
        """The most bytes such a form can have."""
        overhead = limits.MAX_PARTS * (limits.MAX_PART_HEADER + limits.MAX_BOUNDARY)
        return limits.MAX_TEXT_BYTES + self.max_files * self.max_file_bytes + overhead


@dataclass(frozen=True)
class RawForm:
    """The text fields as sent, and what was wrong with the files."""

    texts: Mapping[str, str]
    file_errors: frozenset[str] = field(default_factory=frozenset)  # see `_MultipartReader`


async def read_form(request: web.Request, caps: FormCaps, sink: FileSink | None) -> RawForm:
    """Read a multipart or URL-encoded form, then wait until its work may begin.

    Raises:
        RefusedError: the body is malformed, too large, too slow, or of another type; or the server
            is busy, which leaves the texts for the answer (`whistle.intake.busy`).
        ConnectionError: the client went away.
    """
    raw = await _read(request, caps, sink)
    request[TYPED] = Typed(raw.texts, caps.max_files, caps.file_field)
    await admit(request)
    return raw


async def _read(request: web.Request, caps: FormCaps, sink: FileSink | None) -> RawForm:
    media_type, options = parse_options_header(request.headers.get("Content-Type", ""))
    if "Content-Encoding" in request.headers:
        raise RefusedError("media_type")
    if media_type == "application/x-www-form-urlencoded":
        return await _read_urlencoded(request, caps)
    if media_type != "multipart/form-data":
        raise RefusedError("media_type")
    boundary = options.get("boundary", "")
    if not boundary or len(boundary) > limits.MAX_BOUNDARY or not boundary.isascii():
        raise RefusedError("bad_request")
    pace = Pace.of_upload() if caps.max_files else Pace.of_form()
    with request.app[MEMORY].holder() as held:
        reader = _MultipartReader(boundary, caps, sink, held)
        async for chunk in body_chunks(request, caps.max_body, pace):
            await reader.feed(chunk)
        return reader.result()


async def _read_urlencoded(request: web.Request, caps: FormCaps) -> RawForm:
    body = await read_small(request)
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=limits.MAX_PARTS,
        )
    except ValueError:
        raise RefusedError("bad_request") from None
    texts: dict[str, str] = {}
    for name, value in pairs:
        if name in texts or "\0" in value:
            raise RefusedError("bad_request")
        if name in caps.names:
            texts[name] = value
    return RawForm(texts)


class _MultipartReader:
    """Turns parser events into text fields and uploads.

    Errors of files: "empty", "too_many", "too_large", "busy" (no room for them now).
    """

    def __init__(self, boundary: str, caps: FormCaps, sink: FileSink | None, held: Held) -> None:
        self._caps = caps
        self._sink = sink
        self._held = held
        try:
            self._parser = PushMultipartParser(
                boundary,
                max_header_size=limits.MAX_PART_HEADER,
                max_header_count=limits.MAX_PART_HEADERS,
                max_segment_count=limits.MAX_PARTS,
                # Not strict: that refuses the line end after the last boundary when it arrives in
                # a packet of its own, and with it an honest report. Errors raise either way.
                strict=False,
            )
        except MultipartError:
            raise RefusedError("bad_request") from None
        self._texts: dict[str, str] = {}
        self._errors: set[str] = set()
        self._files = 0
        self._text_bytes = 0
        self._segment: MultipartSegment | None = None
        self._text: bytearray | None = None
        self._upload: FileUpload | None = None

    async def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        try:
            for event in self._parser.parse(chunk):
                if event is None:
                    await self._end()
                elif isinstance(event, MultipartSegment):
                    self._begin(event)
                else:
                    self._data(event)
        except ParserLimitReached:
            raise RefusedError("too_large") from None
        except MultipartError:
            raise RefusedError("bad_request") from None
        if self._upload is not None and not self._errors and self._upload.is_behind:
            with self._told_if_busy():
                await self._upload.catch_up()

    def result(self) -> RawForm:
        """Return the form; the body has ended."""
        try:
            self._parser.close()
        except MultipartError:
            raise RefusedError("bad_request") from None
        return RawForm(self._texts, frozenset(self._errors))

    def _begin(self, segment: MultipartSegment) -> None:
        name = segment.name or ""
        is_file = segment.filename is not None
        if (
            not name
            or len(name) > limits.MAX_FIELD_NAME
            or is_file != (name == self._caps.file_field)
        ):
            raise RefusedError("bad_request")
        if is_file and self._caps.max_files == 0:
            raise RefusedError("bad_request")
        if not is_file and name in self._texts:
            raise RefusedError("bad_request")
        self._segment = segment
        self._text = None if is_file else bytearray()

    def _data(self, data: bytes) -> None:
        if self._text is not None:
            self._text_bytes += len(data)
            if self._text_bytes > limits.MAX_TEXT_BYTES:
                raise RefusedError("too_large")
            self._held.add(len(data))
            self._text += data
        elif self._segment is not None:
            self._file_data(self._segment, data)

    def _file_data(self, segment: MultipartSegment, data: bytes) -> None:
        if segment.bytes_received == len(data):  # the file's first bytes
            self._files += 1
            if self._files > self._caps.max_files:
                self._errors.add("too_many")
            elif self._sink is not None and not self._errors:
                with self._told_if_busy():
                    self._upload = self._sink.open()
        if segment.bytes_received > self._caps.max_file_bytes:
            self._errors.add("too_large")
        if self._upload is not None and not self._errors:
            with self._told_if_busy():
                self._upload.add(data)

    async def _end(self) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        if self._text is not None:
            self._keep_text(segment.name or "", self._text)
            self._text = None
        elif segment.filename and segment.bytes_received == 0:  # browsers name no file not chosen
            self._errors.add("empty")
        upload, self._upload = self._upload, None
        if upload is not None and not self._errors:
            with self._told_if_busy():
                await upload.finish(segment.filename or "", segment.content_type or "")

    @contextlib.contextmanager
    def _told_if_busy(self) -> Iterator[None]:
        """No room for files must not cost the reporter the text."""
        try:
            yield
        except RefusedError as error:
            if error.key != "busy":
                raise
            self._errors.add("busy")

    def _keep_text(self, name: str, raw: bytearray) -> None:
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise RefusedError("bad_request") from None
        if "\0" in text:
            raise RefusedError("bad_request")
        if name in self._caps.names:
            self._texts[name] = text
