# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong at the desk, by culprit, and the exit code that tells a script which it was.

The text of an error is a key into the translations plus harmless details; nothing secret, nothing a
reporter wrote. A refusal by the server keeps the server's own sentence in both languages.
"""

from collections.abc import Mapping

EXIT_OK = 0
EXIT_REFUSED = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_KEYS = 4


class DeskError(Exception):
    """Base of the desk's errors; never raised itself."""

    exit_code = EXIT_REFUSED

    def __init__(self, key: str, **details: str | int) -> None:
        super().__init__(key)
        self.key = key
        self.details = details


class UsageError(DeskError):
    """The person asked for something that cannot be asked like this."""

    exit_code = EXIT_USAGE


class UnreachableError(DeskError):
    """The case server did not answer, or what answered is not one."""

    exit_code = EXIT_UNREACHABLE


class KeysError(DeskError):
    """A keystore, root key, passphrase or manifest is missing, damaged or the wrong one."""

    exit_code = EXIT_KEYS


class GateRefusedError(DeskError):
    """The desk itself refuses: the message, the act or the material breaks a rule it can see."""

    exit_code = EXIT_REFUSED


class SandboxError(DeskError):
    """This computer lacks what a sandbox needs, or a file asked too much of it."""

    exit_code = EXIT_REFUSED


class ServerRefusedError(DeskError):
    """The case server refused; `code` names the rule, `sentences` says it in each language."""

    exit_code = EXIT_REFUSED

    def __init__(self, code: str, sentences: Mapping[str, str], status: int) -> None:
        super().__init__("desk.error.server_refused", code=code)
        self.code = code
        self.sentences = dict(sentences)
        self.status = status
