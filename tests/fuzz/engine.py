# SPDX-License-Identifier: AGPL-3.0-or-later
"""Targets under libFuzzer: `python -m tests.fuzz.engine NAME[,NAME…] ARGUMENTS…`.

libFuzzer ends the process when it is done. Several targets share one start: each gets a child. The
arguments are libFuzzer's, `{}` in them is the target's name; the exit status is that of the first
child that found something.
"""

import logging
import os
import sys

import atheris

MEASURED = ["crypto", "case_mgmt", "whistle", "multipart", "tests.fuzz.planted"]

with atheris.instrument_imports(include=MEASURED):
    from tests.fuzz.planted import PLANTED
    from tests.fuzz.registry import TARGETS


def fuzz(name: str, arguments: list[str]) -> None:
    """Fuzz one target; does not return."""
    target = PLANTED if name == PLANTED.name else TARGETS[name]

    def once(data: bytes) -> None:
        target.run(data)

    atheris.Setup(["fuzz", *(one.replace("{}", name) for one in arguments)], once)
    atheris.Fuzz()


def main(names: list[str], arguments: list[str]) -> int:
    """Fuzz one after the other."""
    logging.disable(logging.CRITICAL)
    if len(names) == 1:
        fuzz(names[0], arguments)
    for name in names:
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            fuzz(name, arguments)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status:
            print(f"{name}: exit status {status}", file=sys.stderr)
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].split(","), sys.argv[2:]))
