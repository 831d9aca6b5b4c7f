# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bech32 text for keys of a known length, without the 90-character limit, as age uses it.

Invariants: a text is accepted only if encoding its bytes gives that text again; upper and lower
case are never mixed; the expected length is known before anything is computed.

The checksum is linear over GF(2): bit j is the parity of the data bits selected by a mask, plus a
constant for the prefix. Thirty masks per key length replace a loop over two thousand symbols.
Symbols are cut out of the whole number eight columns at a time, for the same reason: every report
carries a key of this form.

Source: BIP 173; C2SP age, section "Recipient types".
"""

import base64
import binascii
from functools import lru_cache
from typing import Final

from crypto.errors import MalformedError

_CHARSET: Final = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BASE32: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LOW_BITS: Final = bytes(_CHARSET[byte & 31] for byte in range(256))
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECK_SYMBOLS: Final = 6
_CHECK_BITS: Final = 30
_LOW_25_BITS: Final = 0x1FFFFFF


def encode(prefix: str, data: bytes) -> str:
    """Encode lower-case bech32."""
    symbols = _symbols(data)
    check = _checksum(prefix, data, len(symbols))
    tail = bytes(
        _CHARSET[check >> 5 * (_CHECK_SYMBOLS - 1 - index) & 31] for index in range(_CHECK_SYMBOLS)
    )
    return prefix + "1" + (symbols + tail).decode("ascii")


def decode(prefix: str, text: str, length: int) -> bytes:
    """Decode `length` bytes from bech32 with this lower-case prefix."""
    lowered = text.lower()
    symbols = -(-8 * length // 5)
    if len(text) != len(prefix) + 1 + symbols + _CHECK_SYMBOLS or text not in (
        lowered,
        text.upper(),
    ):
        raise MalformedError("not a key of the expected kind")
    body = lowered[len(prefix) + 1 : -_CHECK_SYMBOLS]
    try:
        coded = body.encode("ascii").translate(_FROM_BECH32)
        data = base64.b32decode(coded + b"=" * (-len(coded) % 8))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise MalformedError("not bech32") from error
    if encode(prefix, data) != lowered:
        raise MalformedError("bech32 checksum or form is wrong")
    return data


def _symbols(data: bytes) -> bytes:
    """Write data in 5-bit symbols; the last one is filled up with zero bits.

    Five bytes make eight symbols. Shifted by the right number of bits, symbol `place` of every
    such group lies in the low bits of one byte column.
    """
    padded = data + bytes(-len(data) % 5)
    value = int.from_bytes(padded, "big")
    symbols = bytearray(len(padded) // 5 * 8)
    for place in range(8):
        low = 35 - 5 * place
        aligned = (value >> low % 8).to_bytes(len(padded), "big")
        symbols[place::8] = aligned[4 - low // 8 :: 5].translate(_LOW_BITS)
    return bytes(symbols[: -(-8 * len(data) // 5)])


def _reverse_table() -> bytes:
    """Map bech32 symbols to base32 ones and all other bytes to one that base32 refuses."""
    table = bytearray(b"!" * 256)
    for bech, base in zip(_CHARSET, _BASE32, strict=True):
        table[bech] = base
    return bytes(table)


_FROM_BECH32: Final = _reverse_table()


def _step(state: int, symbol: int) -> int:
    """Multiply the state by x, add a symbol, reduce (BIP 173 `polymod`)."""
    top = state >> 25
    state = (state & _LOW_25_BITS) << 5 ^ symbol
    for bit, generator in enumerate(_GENERATOR):
        if top >> bit & 1:
            state ^= generator
    return state


def _checksum(prefix: str, data: bytes, symbols: int) -> int:
    constant, masks = _tables(prefix, symbols)
    value = int.from_bytes(data, "big") << (5 * symbols - 8 * len(data))
    check = constant
    for bit, mask in enumerate(masks):
        check ^= ((value & mask).bit_count() & 1) << bit
    return check


@lru_cache(maxsize=8)
def _tables(prefix: str, symbols: int) -> tuple[int, tuple[int, ...]]:
    """Return the prefix's share of the checksum and the mask of data bits per checksum bit."""
    raw = prefix.encode("ascii")
    state = 1
    for symbol in (*(byte >> 5 for byte in raw), 0, *(byte & 31 for byte in raw)):
        state = _step(state, symbol)
    for _ in range(symbols + _CHECK_SYMBOLS):
        state = _step(state, 0)
    columns: list[int] = []
    shares = [1 << bit for bit in range(5)]
    for _ in range(_CHECK_SYMBOLS):
        shares = [_step(share, 0) for share in shares]
    for _ in range(symbols):
        columns += shares
        shares = [_step(share, 0) for share in shares]
    rows = "".join(format(column, "030b") for column in reversed(columns))
    masks = tuple(int(rows[_CHECK_BITS - 1 - bit :: _CHECK_BITS], 2) for bit in range(_CHECK_BITS))
    return state ^ 1, masks
