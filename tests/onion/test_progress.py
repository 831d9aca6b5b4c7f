# SPDX-License-Identifier: AGPL-3.0-or-later
"""tor's log in plain sentences: nothing of tor's own wording, nothing twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onion.progress import Narrator, Progress

LOG = """
Nov 21 19:46:45.450 [notice] Tor 0.4.9.11 running on Linux with Libevent 2.1.12-stable.
Nov 21 19:46:45.450 [notice] Opening Control listener on /x/control.sock
Nov 21 19:46:45.000 [notice] Bootstrapped 0% (starting): Starting
Nov 21 19:46:46.000 [notice] Bootstrapped 5% (conn): Connecting to a relay
Nov 21 19:46:46.000 [notice] Bootstrapped 10% (conn_done): Connected to a relay
Nov 21 19:46:47.000 [notice] Bootstrapped 10% (conn_done): Connected to a relay
Nov 21 19:46:47.000 [notice] Bootstrapped 45% (requesting_descriptors): Asking for relay descriptors
Nov 21 19:46:48.000 [notice] Bootstrapped 77% (something_new): Something new
Nov 21 19:46:49.000 [notice] Bootstrapped 100% (done): Done
""".strip().splitlines()


def told(narrator: Narrator, lines: list[str]) -> list[Progress]:
    heard = [narrator.hear(line) for line in lines]
    return [progress for progress in heard if progress is not None]


def test_a_start_in_sentences() -> None:
    assert told(Narrator(), LOG) == [
        Progress(5, "tor is connecting, 5 %: connecting to a relay."),
        Progress(10, "tor is connecting, 10 %: connected to a relay."),
        Progress(45, "tor is connecting, 45 %: asking for the relays' descriptions."),
        Progress(77, "tor is connecting, 77 %."),
        Progress(100, "tor is connected."),
    ]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (
            "[warn] Problem bootstrapping. Stuck at 5% (NOROUTE; host AB at 203.0.113.9:443)",
            "trouble connecting",
        ),
        ("[warn] Received NETINFO cell with skewed time (OR:203.0.113.9:443): clock", "clock"),
        ("[warn] Your system clock just jumped 900 seconds forward", "clock"),
        ("[warn] Our clock is 3 hours, 1 minutes behind the time published", "clock"),
        ("[warn] It looks like another Tor process is running with the same data", "another tor"),
        ("[warn] Error writing to file: No space left on device", "disk is full"),
        ("[warn] Permissions on directory /x are too permissive.", "permissions"),
    ],
)
def test_a_trouble_is_told_once_and_in_our_words(line: str, word: str) -> None:
    narrator = Narrator()
    first = narrator.hear(line)
    assert first is not None
    assert word in first.text
    assert "203.0.113.9" not in first.text
    assert narrator.hear(line) is None


def test_a_trouble_may_come_back_after_progress() -> None:
    line = "[warn] Problem bootstrapping. Stuck at 5%"
    narrator = Narrator()
    assert narrator.hear(line) is not None
    narrator.hear("[notice] Bootstrapped 5% (conn): Connecting")
    assert narrator.hear(line) is not None


def test_silence_is_told_once_and_not_when_connected() -> None:
    narrator = Narrator()
    first = narrator.silence()
    assert first is not None
    assert "cannot reach the network" in first.text
    assert "goes on trying" in first.text
    assert narrator.silence() is None
    narrator.hear("[notice] Bootstrapped 100% (done): Done")
    assert narrator.silence() is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[warn] You are running Tor as root.",
        "[warn] Something about 203.0.113.9 that nobody knows",
        "[notice] Problem bootstrapping",  # not a warning
        "[notice] Bootstrapped 101% (done): Done",
        "[notice] Bootstrapped 9999% (done): Done",
        "[notice] Bootstrapped -5% (conn): x",
        "Bootstrapped 5% (conn): x",
    ],
)
def test_what_is_not_in_the_tables_is_left_out(line: str) -> None:
    assert Narrator().hear(line) is None


@given(st.lists(st.text(max_size=60).map(lambda tail: f"[warn] {tail}")))
def test_no_sentence_repeats_tors_words(lines: list[str]) -> None:
    quiet = {progress.text for progress in told(Narrator(), lines)}
    assert all(text.startswith(("tor ", "this ", "another ", "the ", "a ")) for text in quiet)
