# SPDX-License-Identifier: AGPL-3.0-or-later
"""Containers as we write them; the second implementation opens them in test_cross_open.py."""

import pytest

from crypto.age import writer as subject
from crypto.age.header import parse_header
from crypto.age.stream import sealed_length
from crypto.errors import MalformedError
from crypto.private.age_open import open_all
from crypto.xwing import recipient_from_seed
from tests.support.vectors import counting_rng, seed

SEEDS = [seed(f"writer/{n}") for n in range(17)]
RECIPIENTS = [recipient_from_seed(each) for each in SEEDS]


@pytest.mark.parametrize("count", [1, 2, 3, 16])
def test_every_recipient_opens(count: int) -> None:
    container = subject.seal_all(RECIPIENTS[:count], b"content", counting_rng())
    assert len(container) == subject.header_length(count) + 16 + sealed_length(7)
    assert len(container) == 86 + 1557 * count + 7 + 16
    assert parse_header(container).length == subject.header_length(count)
    for each in SEEDS[:count]:
        assert open_all(each, container) == b"content"


def test_stream_and_whole_agree() -> None:
    """The stanzas differ, as encapsulation is random; everything else is the same."""
    data = bytes(200_000)
    sealer = subject.Sealer(RECIPIENTS[:1], counting_rng())
    streamed = sealer.header + sealer.update(data) + sealer.final()
    whole = subject.seal_all(RECIPIENTS[:1], data, counting_rng())
    assert streamed[subject.header_length(1) :] == whole[subject.header_length(1) :]
    assert open_all(SEEDS[0], streamed) == data


def test_randomness_is_asked_for_once_per_secret() -> None:
    asked: list[int] = []

    def rng(length: int) -> bytes:
        asked.append(length)
        return bytes(length)

    subject.seal_all(RECIPIENTS[:3], b"", rng)
    subject.Sealer(RECIPIENTS[:3], rng)
    assert asked == [16, 16, 16, 16]


@pytest.mark.parametrize(
    "recipients",
    [[], RECIPIENTS, [RECIPIENTS[0], RECIPIENTS[0]]],
    ids=["none", "seventeen", "the same twice"],
)
def test_bad_recipients(recipients: list[subject.Recipient]) -> None:
    with pytest.raises(MalformedError):
        subject.seal_all(recipients, b"", counting_rng())
    with pytest.raises(MalformedError):
        subject.Sealer(recipients, counting_rng())
