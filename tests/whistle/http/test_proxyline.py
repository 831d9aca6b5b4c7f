# SPDX-License-Identifier: AGPL-3.0-or-later
"""tor's line: whole, in pieces, and everything that only looks like it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whistle.http.proxyline import MAX_LINE, ProxyLine, ProxyLineError, parse_proxy_line

LINE = b"PROXY TCP6 fc00:dead:beef:4dad::0:d2 ::1 210 80\r\n"


def line_of(circuit: int) -> bytes:
    high, low = circuit >> 16, circuit & 0xFFFF
    return b"PROXY TCP6 fc00:dead:beef:4dad::%x:%x ::1 %d 80\r\n" % (high, low, low)


def test_the_line_that_tor_writes() -> None:
    assert parse_proxy_line(LINE) == 210


@given(st.integers(0, 2**32 - 1), st.binary(max_size=300), st.lists(st.integers(1, 60)))
def test_any_circuit_in_any_pieces(circuit: int, rest: bytes, cuts: list[int]) -> None:
    data, line, found = line_of(circuit) + rest, ProxyLine(), None
    for size in [*cuts, len(data)]:
        piece, data = data[:size], data[size:]
        found = line.feed(piece)
        if found is not None:
            break
    assert found is not None
    assert (found[0], found[1] + data) == (circuit, rest)


@pytest.mark.parametrize(
    "hostile",
    [
        b"GET / HTTP/1.1\r\n",
        b"\r\n",
        b"PROXY UNKNOWN\r\n",
        LINE.replace(b"TCP6", b"TCP4"),
        LINE.replace(b"4dad", b"4dae"),
        LINE.replace(b"0:d2", b"0:D2"),
        LINE.replace(b"0:d2", b"0:0:d2"),
        LINE.replace(b"0:d2", b"00000:d2"),
        LINE.replace(b"\r\n", b"\n"),
        LINE.replace(b"210", b"210000"),
        LINE.replace(b"210", "２１０".encode()),
        b" " + LINE,
        b"PROXY " + b"x" * 200,
        b"\r\n\r\n\0\r\nQUIT\n",  # the beginning of version 2
    ],
)
def test_anything_else_is_refused(hostile: bytes) -> None:
    with pytest.raises(ProxyLineError) as caught:
        ProxyLine().feed(hostile)
    assert hostile.decode("latin-1").strip() not in str(caught.value) or not hostile.strip()


def test_no_more_is_gathered_than_the_longest_line() -> None:
    line = ProxyLine()
    assert line.feed(b"P" * (MAX_LINE - 1)) is None
    with pytest.raises(ProxyLineError):
        line.feed(b"P")


@given(st.binary(max_size=200))
def test_nothing_but_a_refusal_comes_of_noise(data: bytes) -> None:
    try:
        found = ProxyLine().feed(data)
    except ProxyLineError:
        return
    assert found is None or data.startswith(b"PROXY TCP6 fc00:dead:beef:4dad::")
