# SPDX-License-Identifier: AGPL-3.0-or-later
"""Flags and small duties that the reporter's commands share."""

import argparse
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from crypto.encoding import canonical_json
from crypto.manifest import instance_fingerprint_words
from whistle import clock
from whistle.i18n import Catalogue
from whistle.texts import choose_language, load_tool_texts, printable
from whistle.tool.errors import KeyListError
from whistle.tool.keylist import KeyList, Pin, SerialMemory
from whistle.tool.source import Trust

UTC_OFFSET = 7
"""Western Indonesian time: the calendar a key list's dates are in, unless its policy says other."""


def add_trust_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares whose organisation is meant, and what is remembered of it."""
    parser.add_argument("--instance", metavar="HEX", help="root key of the organisation, 64 digits")
    parser.add_argument(
        "--words",
        metavar="WORDS",
        help="its 12 check words, in quotation marks, in either language",
    )
    parser.add_argument(
        "--remember", type=Path, metavar="FILE",
        help="keep the serial of the list here and refuse lower ones (default: keep nothing)",
    )  # fmt: skip
    parser.add_argument("--lang", choices=("id", "en"), help="language (default: from LANG)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


@dataclass(frozen=True)
class Voice:
    """Where a command speaks, and in which language."""

    texts: Catalogue
    as_json: bool

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Voice":
        """From the shared flags."""
        return cls(load_tool_texts(choose_language(args.lang)), args.json)

    def line(self, text: str = "") -> None:
        """One line for people; with --json people read standard error."""
        stream = sys.stderr if self.as_json else sys.stdout
        stream.write(printable(text) + "\n")
        stream.flush()

    def say(self, key: str, **details: object) -> None:
        """One translated line for people."""
        self.line(self.texts.t(f"tool.{key}", **details))

    def result(self, value: dict[str, Any]) -> None:
        """The JSON object, when asked for."""
        if self.as_json:
            sys.stdout.write(canonical_json(value).decode() + "\n")
            sys.stdout.flush()

    def describe(self, keys: KeyList) -> None:
        """Whose keys are used."""
        lang = self.texts.lang
        self.say(
            "organisation",
            name=keys.manifest.name[lang],
            serial=keys.manifest.serial,
            day=self.texts.day(keys.manifest.not_after),
        )
        words = " ".join(instance_fingerprint_words(keys.instance_id, lang))
        self.say("check_words", words=words)
        if keys.manifest.demo:
            self.say("demo")


def trust_of(args: argparse.Namespace, voice: Voice, today: date | None = None) -> Trust:
    """What was pinned; asks for the check words when a person can answer. Raises: KeyListError."""
    words = args.words
    if words is None and args.instance is None:
        if not sys.stdin.isatty():
            raise KeyListError("tool.pin_missing")
        words = ask(voice.texts.t("tool.ask_words") + "\n> ")
    return Trust(
        Pin.parse(args.instance, words),
        SerialMemory(args.remember),
        today or clock.today(UTC_OFFSET),
    )


def ask(prompt: str) -> str:
    """One line from the terminal."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line.rstrip("\n")
