# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measured in processes of their own: how memory is freed is decided before Python starts."""

import os
import subprocess
import sys

import pytest

from whistle.overwriting import ENVIRONMENT, TUNABLES, is_asked_for

ASK = "from whistle.overwriting import is_overwriting; print(is_overwriting())"
AGAIN = """
import os, sys
from whistle.overwriting import is_overwriting, start_again_overwriting
before = os.environ.get("SEEN")
os.environ["SEEN"] = str(os.getpid())
start_again_overwriting()
print(is_overwriting(), before == str(os.getpid()), os.environ["GLIBC_TUNABLES"], sys.argv[1:])
"""


def python(script: str, *words: str, **more: str) -> str:
    plain = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
    done = subprocess.run(
        [sys.executable, "-P", "-c", script, *words],
        capture_output=True, text=True, check=True, env={**plain, **more}, timeout=30,
    )  # fmt: skip
    return done.stdout.strip()


def test_the_proof_tells_with_and_without() -> None:
    assert python(ASK) == "False"
    assert python(ASK, **ENVIRONMENT) == "True"


def test_half_of_it_is_not_enough() -> None:
    assert python(ASK, PYTHONMALLOC="malloc") == "False"
    assert python(ASK, GLIBC_TUNABLES=TUNABLES) == "False"
    without_cache = TUNABLES.split(":", 1)[0]
    assert python(ASK, PYTHONMALLOC="malloc", GLIBC_TUNABLES=without_cache) == "False"


def test_a_process_starts_itself_again_once_as_the_same_process() -> None:
    assert python(AGAIN, "a b", "c") == f"True True {TUNABLES} ['a b', 'c']"


def test_it_does_not_start_again_when_it_is_so_or_was_in_vain() -> None:
    assert python(AGAIN, **ENVIRONMENT) == f"True False {TUNABLES} []"
    in_vain = python(AGAIN, WHISTLE_OVERWRITING="1", GLIBC_TUNABLES="x")
    assert in_vain == "False False x []"


def test_other_tunables_are_kept() -> None:
    given = "glibc.malloc.arena_max=2"
    told = python(AGAIN, GLIBC_TUNABLES=given)
    assert told == f"True True {given}:{TUNABLES} []"


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, False),
        ({"PYTHONMALLOC": "malloc"}, False),
        ({"PYTHONMALLOC": "debug", "GLIBC_TUNABLES": TUNABLES}, False),
        (dict(ENVIRONMENT), True),
        ({"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": f"a.b=1:{TUNABLES}:c.d=2"}, True),
    ],
)
def test_asked_for(environment: dict[str, str], *, asked: bool) -> None:
    assert is_asked_for(environment) is asked
