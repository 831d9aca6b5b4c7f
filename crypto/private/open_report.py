# SPDX-License-Identifier: AGPL-3.0-or-later
"""Opening what was sealed to investigators: messages, attachments; and sealing it to others.

Invariants:
- a message is returned whole or not at all, and only if it belongs to the expected organisation and
  thread;
- an attachment is right only once `final` has returned; until then its bytes are authentic, but
  size and hash are unchecked, so the caller keeps them in a file it deletes on failure;
- re-sealing changes the header alone; nonce and payload stay as they were.

What the caller still owes: pinning `sender` to the thread, comparing `recipients_digest` with the
manifest, refusing a message id it has seen.

Source: docs/spec/envelope.md sections 5, 6 and 9.
"""

import hashlib
from collections.abc import Sequence

from crypto.age.header import parse_header
from crypto.age.stream import Data
from crypto.age.writer import wrap_file_key
from crypto.attachment import ciphertext_size
from crypto.body import AttachmentRef
from crypto.errors import AuthenticationError, MalformedError
from crypto.frame import Frame, decode_frame
from crypto.padding import is_zero_from
from crypto.private.age_open import Opener, open_all, unwrap_file_key
from crypto.rng import Rng
from crypto.xwing import Recipient, identity_from_age


def open_message(
    seed: bytes, container: bytes, instance_id: bytes, thread_id: bytes
) -> tuple[Frame, bytes]:
    """Open a message; return its frame, parsed and as it was sealed."""
    data = open_all(seed, container)
    frame = decode_frame(data)
    if frame.instance_id != instance_id or frame.thread_id != thread_id:
        raise AuthenticationError("message belongs elsewhere")
    return frame, data


class AttachmentOpener:
    """Open an attachment as it is read."""

    def __init__(self, ref: AttachmentRef) -> None:
        self._ref = ref
        self._opener = Opener(identity_from_age(ref.identity))
        self._hash = hashlib.sha256()
        self._sealed = 0
        self._plain = 0

    def update(self, data: Data) -> bytes:
        """Take bytes of the blob, return content (perhaps none yet)."""
        self._sealed += len(data)
        if self._sealed > ciphertext_size(self._ref.padded):
            raise MalformedError("attachment is longer than the message says")
        return self._content(self._opener.update(data))

    def final(self) -> bytes:
        """Return the end of the content, having checked size, padding and hash."""
        content = self._content(self._opener.final())
        if self._plain != self._ref.padded:
            raise MalformedError("attachment has not the size the message says")
        if self._hash.hexdigest() != self._ref.sha256:
            raise AuthenticationError("attachment has not the hash the message says")
        return content

    def _content(self, plain: bytes) -> bytes:
        """Cut off the padding, which must be zero."""
        room = max(0, self._ref.size - self._plain)
        content = plain[:room]
        if not is_zero_from(plain, len(content)):
            raise MalformedError("attachment padding is not zero")
        self._plain += len(plain)
        self._hash.update(content)
        return content


def open_attachment(ref: AttachmentRef, data: bytes) -> bytes:
    """Open a whole attachment."""
    opener = AttachmentOpener(ref)
    return opener.update(data) + opener.final()


def rewrap(seed: bytes, container: bytes, recipients: Sequence[Recipient], rng: Rng) -> bytes:
    """Seal a message to another set of recipients without opening its payload.

    The file key stays the same, so `rng` has nothing to do here yet; it is part of the signature
    because wrapping needs randomness, which the library draws itself.
    """
    del rng
    header = parse_header(container)
    file_key = unwrap_file_key(seed, header)
    return wrap_file_key(file_key, recipients) + container[header.length :]
