# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one stanza type in use, `mlkem768x25519`: wrap a file key, unwrap a file key.

Unwrapping takes one stanza and one seed and answers for that pair only. Looking through a
container's stanzas for the one that fits is `crypto.private.age_open`, which servers never load.

Source: C2SP age, section "The mlkem768x25519 recipient type"; RFC 9180 base mode.
"""

from typing import Final

from cryptography.exceptions import InvalidTag

from crypto.age.header import FILE_KEY, Stanza
from crypto.encoding import b64_standard, unb64_standard
from crypto.errors import AuthenticationError, MalformedError
from crypto.xwing import ENCAPSULATED, SUITE, Recipient, hpke_private_key

TYPE: Final = b"mlkem768x25519"
INFO: Final = b"age-encryption.org/mlkem768x25519"
WRAPPED: Final = FILE_KEY + 16
STANZA_LENGTH: Final = 1557  # encoded bytes: arrow line 1,513 and body line 44


def wrap(recipient: Recipient, file_key: bytes) -> bytes:
    """Return the encoded stanza that gives `recipient` the file key."""
    try:
        sealed = SUITE.encrypt(file_key, recipient.hpke_key, INFO)
    except (InvalidTag, ValueError) as error:
        raise MalformedError("recipient key cannot be sealed to") from error
    argument = b64_standard(sealed[:ENCAPSULATED])
    return b"-> " + TYPE + b" " + argument + b"\n" + b64_standard(sealed[ENCAPSULATED:]) + b"\n"


def is_ours(stanza: Stanza) -> bool:
    """Answer whether the stanza has the type this service uses."""
    return stanza.arguments[0] == TYPE


def unwrap(seed: bytes, stanza: Stanza) -> bytes:
    """Return the file key.

    Raises `MalformedError` for a stanza of wrong shape, `AuthenticationError` if it is not for
    this seed.
    """
    if len(stanza.arguments) != 2 or not is_ours(stanza):
        raise MalformedError("not an mlkem768x25519 stanza")
    encapsulated = unb64_standard(stanza.arguments[1])
    if len(encapsulated) != ENCAPSULATED or len(stanza.body) != WRAPPED:
        raise MalformedError("mlkem768x25519 stanza has the wrong size")
    try:
        return SUITE.decrypt(encapsulated + stanza.body, hpke_private_key(seed), INFO)
    except InvalidTag as error:
        raise AuthenticationError("stanza is not for this key") from error
