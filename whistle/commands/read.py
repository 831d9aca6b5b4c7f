# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle read`: what became of a report, with the code alone (docs/spec/offline.md).

The code is typed unseen or read from standard input, never given as an argument: arguments are
visible to other programs and stay in the shell's history.
"""

import argparse
import asyncio
import getpass
import sys
from typing import Any

from crypto.errors import ReceiptError
from crypto.receipt import Receipt, parse_receipt
from crypto.rng import system_rng
from whistle import clock
from whistle.commands.errors import CommandError
from whistle.hardening import harden_process
from whistle.intake import status_page
from whistle.intake.contexts import ReceiptProblem, StatusContext
from whistle.tool import reading
from whistle.tool.errors import ToolError
from whistle.tool.network import Address, connected
from whistle.tool.reading import Reading
from whistle.tool.sharing import UTC_OFFSET, Voice, add_trust_arguments, trust_of
from whistle.tool.source import from_site

EXIT_UNVERIFIED = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of `whistle read`."""
    parser.add_argument("--site", required=True, metavar="URL", help="http://….onion")
    parser.add_argument("--proxy", metavar="URL", help="Tor: socks5://127.0.0.1:9150")
    add_trust_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Fetches, opens, checks, shows."""
    harden_process()
    voice = Voice.of(args)
    try:
        return asyncio.run(_run(args, voice))
    except ToolError as error:
        raise CommandError(voice.texts.t(error.key, **error.details)) from error


async def _run(args: argparse.Namespace, voice: Voice) -> int:
    address = Address.parse(args.site, args.proxy)
    trust = trust_of(args, voice, clock.today(UTC_OFFSET))
    receipt = _receipt(voice)
    async with connected(address, system_rng) as site:
        keys = await from_site(site, trust)
        today = clock.today(keys.policy.utc_offset_hours)
        shown = await reading.read(site, receipt, keys, today)
    voice.describe(keys)
    _show(voice, shown)
    voice.result(result(shown))
    return 0 if shown.is_verified else EXIT_UNVERIFIED


def _receipt(voice: Voice) -> Receipt:
    """The code, unseen on a terminal. Raises: CommandError: no code."""
    if sys.stdin.isatty():
        typed = getpass.getpass(voice.texts.t("tool.code_prompt"))
    else:
        typed = sys.stdin.readline()
    if not typed.strip():
        raise CommandError(voice.texts.t("tool.code_missing"))
    try:
        return parse_receipt(typed)
    except ReceiptError as error:
        problem = ReceiptProblem(error.kind, error.position, error.suggestions)
        context = StatusContext(kind="malformed", receipt_error=problem)
        sentences = status_page.code_problems(context, voice.texts)
        raise CommandError(" ".join(sentences)) from error


def _show(voice: Voice, shown: Reading) -> None:
    texts, context = voice.texts, shown.history.context
    voice.line()
    voice.line(texts.t(f"status.{context.state}"))
    voice.line(texts.t(f"meaning.{context.state}"))
    for key, day in (
        ("overdue", context.overdue_since),
        ("due", None if context.overdue_since else context.due),
        ("overall", context.overall_due),
        ("contest", context.contest_until),
    ):
        if day is not None:
            voice.say(key, day=texts.day(day))
    if context.paused:
        voice.say("paused")
    voice.line()
    for item in reversed(context.timeline):
        label = status_page.item_label(item, texts)
        voice.line(f"{texts.day(item.day)}  {label}")
        for line in (status_page.item_reason(item, texts), *item.text.splitlines()):
            if line:
                voice.line(f"    {line}")
        if item.files:
            voice.line("    " + texts.t("tool.files", count=item.files))
    voice.line()
    _show_signatures(voice, shown)


def _show_signatures(voice: Voice, shown: Reading) -> None:
    for act in shown.acts:
        name = voice.texts.t("tool.signer.cases") if act.signer == "cases" else act.signer
        label = "" if act.act is None else voice.texts.t(f"status.{act.act.target.value}")
        if act.problems:
            for problem in act.problems:
                voice.line(f"! {act.seq}  {label}  " + voice.texts.t(f"tool.problem.{problem}"))
        else:
            voice.line(f"  {act.seq}  {label}  " + voice.texts.t("tool.signed_by", name=name))
    voice.say("verified" if shown.is_verified else "unverified")


def result(shown: Reading) -> dict[str, Any]:
    """The JSON of docs/spec/offline.md."""
    context = shown.history.context

    def day(value: Any) -> str | None:
        return None if value is None else str(value.isoformat())

    return {
        "state": context.state,
        "received": day(context.received),
        "due": day(context.due),
        "due_kind": context.due_kind,
        "overall_due": day(context.overall_due),
        "overdue_since": day(context.overdue_since),
        "contest_until": day(context.contest_until),
        "paused": context.paused,
        "verified": shown.is_verified,
        "timeline": [
            {
                "day": day(item.day),
                "code": item.code,
                "author": item.author,
                "reason": item.reason,
                "text": item.text,
                "files": item.files,
            }
            for item in reversed(context.timeline)
        ],
        "acts": [
            {
                "seq": act.seq,
                "kind": None if act.act is None else act.act.kind.value,
                "to": None if act.act is None else act.act.target.value,
                "signer": act.signer,
                "problems": list(act.problems),
            }
            for act in shown.acts
        ],
    }
