# SPDX-License-Identifier: AGPL-3.0-or-later
"""When a service counts as published: not at the first upload, and not only at the last."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onion.publication import Publication, Step, Upload

STEPS = {"b": Step.BEGUN, "a": Step.ARRIVED, "f": Step.FAILED}


def after(steps: str, address: str = "x") -> Publication:
    publication = Publication()
    for step in steps:
        publication.hear(Upload(address, STEPS[step]))
    return publication


@pytest.mark.parametrize(
    ("steps", "published"),
    [
        ("", False),
        ("b", False),
        ("ba", True),
        ("bbbbaa", False),
        ("bbbbaaa", True),
        ("b" * 16 + "a" * 11, False),
        ("b" * 16 + "a" * 12, True),
        ("bbbb" + "ffff", False),
        ("bbbb" + "fffa", True),
        ("bbbb" + "afff", True),
        ("ba" + "bbbbbbbb", True),  # tor renews the descriptor; the old one is still there
        ("a", True),  # we began to listen late
        ("ffff", False),
        ("ffffba", True),
    ],
)
def test_published(steps: str, *, published: bool) -> None:
    assert after(steps).covers(["x"]) is published


def test_every_service_is_needed() -> None:
    publication = after("ba", "x")
    assert not publication.covers(["x", "y"])
    publication.hear(Upload("y", Step.BEGUN))
    publication.hear(Upload("y", Step.ARRIVED))
    assert publication.covers(["x", "y"])


@given(st.text("baf", max_size=40))
def test_nothing_is_published_before_something_arrives(steps: str) -> None:
    publication = after(steps)
    if publication.covers(["x"]):
        assert "a" in steps


@given(st.text("baf", max_size=20), st.text("baf", max_size=20))
def test_published_stays_published(before: str, later: str) -> None:
    if after(before).covers(["x"]):
        assert after(before + later).covers(["x"])
