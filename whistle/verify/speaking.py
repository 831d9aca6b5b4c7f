# SPDX-License-Identifier: AGPL-3.0-or-later
"""A verdict in words on a terminal, or as one JSON object.

Invariants
* First the verdict, then what was checked with its numbers, then each fault: what it means, what to
  do.  Nothing that was not checked looks like something that was.
* Text from files under examination is cleaned of what could rewrite a terminal.

Source: docs/spec/verify.md section 2.
"""

import sys
import textwrap
from dataclasses import dataclass
from typing import Any, Final

from crypto.encoding import canonical_json
from crypto.manifest import instance_fingerprint_words
from whistle.i18n import Catalogue
from whistle.texts import choose_language, printable
from whistle.verify.faults import Check, Found, State, Verdict
from whistle.verify.release import Result
from whistle.verify.texts import advice, load_verify_texts, sentence

WIDTH: Final = 88
LONG: Final = 12
"""A line is left whole when it is but so much too long: a digest stays with its name."""
_MARKS: Final[dict[State, str]] = {"passed": "+", "failed": "!", "skipped": "-"}


@dataclass(frozen=True)
class Speaker:
    """Where a command speaks, and in which language; with JSON, people read standard error."""

    texts: Catalogue
    as_json: bool

    @classmethod
    def of(cls, lang: str | None, *, as_json: bool) -> "Speaker":
        """From the flags."""
        return cls(load_verify_texts(choose_language(lang)), as_json)

    def t(self, key: str, **details: object) -> str:
        """A sentence."""
        return self.texts.t(f"verify.{key}", **details)

    def line(self, text: str = "", indent: str = "") -> None:
        """One paragraph, wrapped; later lines are indented."""
        stream = sys.stderr if self.as_json else sys.stdout
        wrapped = textwrap.wrap(
            printable(text), WIDTH, subsequent_indent=indent, break_long_words=False,
            break_on_hyphens=False,
        ) if len(text) > WIDTH + LONG else [printable(text)]  # fmt: skip
        stream.write("\n".join(wrapped) + "\n")
        stream.flush()

    def say(self, key: str, **details: object) -> None:
        """One translated paragraph."""
        self.line(self.t(key, **details))

    def result(self, value: dict[str, Any]) -> None:
        """The JSON object, when asked for."""
        if self.as_json:
            sys.stdout.write(canonical_json(value).decode() + "\n")
            sys.stdout.flush()

    def checklist(self, verdict: Verdict) -> None:
        """What was checked, line by line, then the faults."""
        self.line()
        self.say("checked")
        for check in verdict.checks:
            self.line(f"  {_MARKS[check.state]} {self.describe(check)}", "    ")
        if verdict.faults:
            self.line()
            self.say("found")
        last = ""
        for number, found in enumerate(verdict.faults, start=1):
            self.line(f"  {number}. {sentence(self.texts, found)}", "     ")
            words = advice(self.texts, found)
            if words != last:
                self.line(f"     {self.t('what_to_do')}: {words}", "     ")
            last = words

    def describe(self, check: Check) -> str:
        """One line of the checklist."""
        if check.state == "passed":
            numbers = {
                name: self.texts.number(each) if isinstance(each, int) else each
                for name, each in check.numbers.items()
            }
            return self.t(f"check.{check.key}", **numbers)
        return f"{self.t(f'step.{check.key}')}: {self.t(f'mark_{check.state}')}"

    def verdict_line(self, verdict: Verdict) -> None:
        """The first line: good, partly good, or not."""
        if verdict.is_good:
            self.say("good_partly" if verdict.is_partial else "good")
        elif len(verdict.faults) == 1:
            self.say("bad_one")
        else:
            self.say("bad", count=len(verdict.faults))

    def release(self, result: Result, *, is_pinned: bool) -> None:
        """The whole verdict on a release."""
        self.verdict_line(result.verdict)
        if result.base is not None and result.release is not None:
            organisation, log = result.base.organisation, result.base.log
            head = result.release.head
            name = organisation.manifest.name[self.texts.lang]
            self.line()
            self.say("about", name=name, id=head.id, day=self.texts.day(head.as_of))
            words = instance_fingerprint_words(organisation.instance_id, self.texts.lang)
            self.say("words", words=" ".join(words))
            if not is_pinned:
                self.say("words_compare")
            size = self.texts.number(len(log.entries))
            self.say("log_line", size=size, root=log.checkpoint.root.hex())
            self.say("digest_line", digest=result.release.sha256)
        self.checklist(result.verdict)


def as_object(verdict: Verdict, texts: Catalogue) -> dict[str, Any]:
    """The JSON of docs/spec/verify.md section 2."""
    return {
        "v": 1,
        "good": verdict.is_good,
        "checks": [
            {"check": each.key, "state": each.state, "numbers": dict(each.numbers)}
            for each in verdict.checks
        ],
        "faults": [_fault(each, texts) for each in verdict.faults],
    }


def _fault(found: Found, texts: Catalogue) -> dict[str, str]:
    return {
        "fault": str(found.fault),
        "where": found.where,
        "text": sentence(texts, found),
        "advice": advice(texts, found),
    }
