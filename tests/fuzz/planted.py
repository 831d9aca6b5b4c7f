# SPDX-License-Identifier: AGPL-3.0-or-later
"""A parser with a flaw behind three comparisons: whoever looks for flaws must find this one."""

from tests.fuzz.target import Target


def flawed(data: bytes) -> None:
    """Refuse everything but one input, and fail at that."""
    if len(data) < 3 or data[0] != ord("b"):
        raise ValueError
    if data[1] != ord("o"):
        raise ValueError
    if data[2] == ord("!"):
        raise IndexError


PLANTED = Target("planted", flawed, (ValueError,), lambda: [b"bo?", b"x"], max_len=8)
