# SPDX-License-Identifier: AGPL-3.0-or-later
"""Log policy: which logs, which witnesses, and how many of them must have cosigned.

Invariants
* Groups and the quorum name only what is defined above them, so there is no circle; each name is a
  member once, so no witness counts twice; no two witnesses, and no two logs, share a key.
* `require` is the one judgement: a log of the policy signed under its own origin, no known
  signature is wrong, and the quorum has cosigned.

Source: C2SP tlog-policy (untagged; text of 2026-07).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crypto.tlog.checkpoint import Checkpoint, parse_checkpoint
from crypto.tlog.errors import LogFormatError, QuorumError, SignatureError
from crypto.tlog.lines import KeyType
from crypto.tlog.note import Note, VerifierKey, open_note

MAX_POLICY: Final = 262_144  # bytes
MAX_NAMED: Final = 64  # logs; witnesses; groups
NONE: Final = "none"


@dataclass(frozen=True)
class Log:
    """A log whose checkpoints are accepted."""

    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True)
class Witness:
    """A witness under the name this policy gives it; `url` is its submission prefix."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True)
class Group:
    """At least `threshold` of the members (witnesses or groups) must have cosigned."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Accepted:
    """A checkpoint that satisfies the policy."""

    checkpoint: Checkpoint
    note: Note
    log: Log
    witnesses: tuple[Witness, ...]
    """Those that cosigned; `note.times` tells when."""


@dataclass(frozen=True)
class Policy:
    """What `parse_policy` found; `quorum` is the name of a witness or group, or `none`."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def encode(self) -> str:
        """The policy file.  Raises LogFormatError: it would not be read back as this policy."""
        lines = [_joined("log", each.key.encode(), each.url) for each in self.logs]
        lines += [
            _joined("witness", each.name, each.key.encode(), each.url) for each in self.witnesses
        ]
        lines += [
            _joined("group", each.name, str(each.threshold), *each.members) for each in self.groups
        ]
        text = "".join(f"{line}\n" for line in [*lines, f"quorum {self.quorum}"])
        if parse_policy(text) != self:
            raise LogFormatError("the policy cannot be written")
        return text

    def require(self, note: str | bytes) -> Accepted:
        """Return the checkpoint if log and quorum have signed it.

        Raises:
            LogFormatError: not a checkpoint.
            SignatureError: no log of the policy signed, or a known key's signature is wrong.
            QuorumError: too few cosigned; names the witnesses that did not.
        """
        known = [*(each.key for each in self.logs), *(each.key for each in self.witnesses)]
        opened = open_note(note, known)
        log = next((each for each in self.logs if each.key in opened.verified), None)
        if log is None:
            raise SignatureError("absent", ", ".join(each.key.name for each in self.logs))
        checkpoint = parse_checkpoint(opened.text)
        if checkpoint.origin != log.key.name:
            raise SignatureError("absent", log.key.name)
        cosigned = tuple(each for each in self.witnesses if each.key in opened.verified)
        if not self._is_satisfied({each.name for each in cosigned}):
            raise QuorumError(tuple(each.name for each in self.witnesses if each not in cosigned))
        return Accepted(checkpoint, opened, log, cosigned)

    def is_quorum(self, names: Sequence[str]) -> bool:
        """Say whether these witnesses, by the policy's names, are enough."""
        return self._is_satisfied({each.name for each in self.witnesses if each.name in names})

    def _is_satisfied(self, satisfied: set[str]) -> bool:
        if self.quorum == NONE:
            return True
        for group in self.groups:
            if sum(member in satisfied for member in group.members) >= group.threshold:
                satisfied.add(group.name)
        return self.quorum in satisfied


def simple_policy(log: Log, witnesses: Sequence[Witness], threshold: int) -> Policy:
    """One log, and `threshold` of these witnesses; 0 with no witness at all.

    Raises LogFormatError: it would not be a policy.
    """
    groups: tuple[Group, ...] = ()
    if threshold:
        groups = (Group("quorum-group", threshold, tuple(each.name for each in witnesses)),)
    quorum = groups[0].name if groups else NONE
    policy = Policy((log,), tuple(witnesses), groups, quorum)
    policy.encode()
    return policy


def parse_policy(data: str | bytes) -> Policy:
    """Read a policy file.  Raises LogFormatError, naming the line by its number."""
    text = _decoded(data)
    reader = _Reader()
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reader.line(words)
        except LogFormatError as error:
            raise LogFormatError(f"line {number} of the policy: {error}") from error
    return reader.policy()


def _decoded(data: str | bytes) -> str:
    if len(data) > MAX_POLICY:
        raise LogFormatError("policy is too large")
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
    except UnicodeDecodeError as error:
        raise LogFormatError("policy is not UTF-8") from error
    if any((each < " " and each not in "\t\n") or each == "\x7f" for each in text):
        raise LogFormatError("policy holds a control character")
    if not text.endswith("\n"):
        raise LogFormatError("the policy's last line has no end")
    return text


class _Reader:
    """Takes the lines of a policy in their order."""

    def __init__(self) -> None:
        self._logs: list[Log] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._names: set[str] = set()
        self._members: set[str] = set()
        self._quorum: str | None = None

    def line(self, words: list[str]) -> None:
        """Take one line that is neither empty nor a comment."""
        table = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._set_quorum,
        }
        if words[0] not in table:
            raise LogFormatError("unknown keyword")
        table[words[0]](words[1:])

    def policy(self) -> Policy:
        """All lines together."""
        if self._quorum is None:
            raise LogFormatError("the policy has no quorum line")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _log(self, words: list[str]) -> None:
        _require(1 <= len(words) <= 2, "a log is a key and perhaps an address")
        key = _key(words[0], KeyType.ED25519)
        _require(all(each.key.public != key.public for each in self._logs), "a log's key again")
        _require(len(self._logs) < MAX_NAMED, "too many logs")
        self._logs.append(Log(key, *words[1:]))

    def _witness(self, words: list[str]) -> None:
        _require(2 <= len(words) <= 3, "a witness is a name, a key and perhaps an address")
        key = _key(words[1], KeyType.COSIGNATURE)
        known = [each.key.public for each in self._witnesses]
        _require(key.public not in known, "a witness's key again")
        _require(len(self._witnesses) < MAX_NAMED, "too many witnesses")
        self._define(words[0])
        self._witnesses.append(Witness(words[0], key, *words[2:]))

    def _group(self, words: list[str]) -> None:
        _require(len(words) >= 3, "a group is a name, a number and members")
        name, rule, *members = words
        _require(len(self._groups) < MAX_NAMED, "too many groups")
        for each in members:
            _require(each in self._names, "a member that is not defined above")
            _require(each not in self._members, "a name that is a member already")
            self._members.add(each)
        self._define(name)
        self._groups.append(Group(name, _threshold(rule, len(members)), tuple(members)))

    def _set_quorum(self, words: list[str]) -> None:
        _require(len(words) == 1, "a quorum is one name")
        _require(self._quorum is None, "a second quorum")
        _require(words[0] == NONE or words[0] in self._names, "a quorum that is not defined above")
        self._quorum = words[0]

    def _define(self, name: str) -> None:
        _require(name != NONE and name not in self._names, "a name that is taken")
        self._names.add(name)


def _threshold(rule: str, members: int) -> int:
    words = {"all": members, "any": 1}
    if rule in words:
        return words[rule]
    _require(rule.isascii() and rule.isdigit() and not rule.startswith("0"), "not a threshold")
    _require(len(rule) <= 4 and int(rule) <= members, "a threshold above the number of members")
    return int(rule)


def _key(vkey: str, kind: KeyType) -> VerifierKey:
    key = VerifierKey.parse(vkey)
    _require(key.kind is kind, "a key of the wrong type")
    return key


def _joined(*words: str | None) -> str:
    return " ".join(word for word in words if word is not None)


def _require(condition: bool, message: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise LogFormatError(message)
