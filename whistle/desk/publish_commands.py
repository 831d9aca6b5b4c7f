# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle-desk publish …`: draft, sign, submit a release; calendar; the auditor's own steps."""

import argparse
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

from case_mgmt.figures.errors import FiguresError
from crypto.rng import Rng
from whistle.desk.connection import Surroundings, workbench_of
from whistle.desk.errors import GateRefusedError, UsageError
from whistle.desk.figures import canaries_file
from whistle.desk.keyring import find_keystore, read_passphrase
from whistle.desk.publishing import Draft, Publishing, read_canaries
from whistle.desk.terminal import Terminal
from whistle.desk.trust import Organisation
from whistle.release.build import build
from whistle.release.errors import ReleaseError
from whistle.release.signing import read_signatures, sign

MONTHS = 3
"""A release each quarter."""


async def publish(args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings) -> None:
    """Does the chosen step."""
    steps = {"draft": _draft, "submit": _submit, "reveal": _reveal, "openings": _openings}
    if args.action == "sign":
        _sign(args, terminal, surroundings.rng)
        return
    async with _at_work(args, terminal, surroundings) as (organisation, publishing):
        await steps[args.action](args, terminal, organisation, publishing)


@asynccontextmanager
async def _at_work(
    args: argparse.Namespace, terminal: Terminal, surroundings: Surroundings
) -> AsyncIterator[tuple[Organisation, Publishing]]:
    async with workbench_of(args, terminal, surroundings) as bench:
        yield await bench.organisation(), Publishing(bench.client, bench.identity)


async def _draft(
    args: argparse.Namespace, terminal: Terminal, organisation: Organisation, work: Publishing
) -> None:
    canaries = {} if args.canaries is None else read_canaries(args.canaries)
    release = args.id or default_id(organisation.today)
    try:
        inputs = await work.draft(organisation, Draft(release, canaries, args.reason))
        build(inputs, args.out)
    except FiguresError as error:
        raise GateRefusedError("desk.publish.figures", problem=str(error)) from error
    except ReleaseError as error:
        raise GateRefusedError("desk.publish.release", problem=str(error)) from error
    due = next_release(organisation.today)
    if terminal.as_json:
        terminal.result({"id": release, "folder": str(args.out), "next": due.isoformat()})
        return
    terminal.say("desk.publish.drafted", id=release, folder=str(args.out))
    terminal.say("desk.publish.next_due", day=due.isoformat())


def _sign(args: argparse.Namespace, terminal: Terminal, _rng: Rng) -> None:
    """One of the two signatures; needs no server."""
    keystore = find_keystore(args.keystore)
    prompt = terminal.texts.t("desk.cli.passphrase_prompt", file=keystore.label)
    identity = keystore.unlock(read_passphrase(args.passphrase_file, prompt))
    try:
        sign(args.folder, identity.person, identity.device_seed)
        signed = [each.person for each in read_signatures(args.folder)]
    except ReleaseError as error:
        raise GateRefusedError("desk.publish.release", problem=str(error)) from error
    if terminal.as_json:
        terminal.result({"folder": str(args.folder), "signed": signed})
        return
    terminal.say("desk.publish.signed", people=", ".join(signed))


async def _submit(
    args: argparse.Namespace, terminal: Terminal, _organisation: Organisation, work: Publishing
) -> None:
    release = await work.submit(args.folder)
    if terminal.as_json:
        terminal.result({"id": release, "status": "published"})
        return
    terminal.say("desk.publish.submitted", id=release)


async def _reveal(
    args: argparse.Namespace, terminal: Terminal, organisation: Organisation, work: Publishing
) -> None:
    try:
        codes = [line for line in args.codes.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("desk.publish.canaries_file", file=args.codes.name) from error
    found = await work.reveal(organisation, codes)
    args.out.write_bytes(canaries_file(found))
    if terminal.as_json:
        terminal.result({"revealed": len(found), "of": len(codes), "file": str(args.out)})
        return
    terminal.say("desk.publish.revealed", count=len(found), of=len(codes), file=str(args.out))


async def _openings(
    args: argparse.Namespace, terminal: Terminal, _organisation: Organisation, work: Publishing
) -> None:
    content = await work.openings()
    args.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if terminal.as_json:
        terminal.result({"openings": len(content["openings"]), "file": str(args.out)})
        return
    terminal.say("desk.publish.opened", count=len(content["openings"]), file=str(args.out))


def default_id(today: date) -> str:
    """The quarter that is over: `2026-q3` from October to December."""
    quarter = (today.month - 1) // MONTHS
    return f"{today.year}-q{quarter}" if quarter else f"{today.year - 1}-q4"


def next_release(today: date) -> date:
    """The first day of the next quarter: when the next release is due."""
    quarter = (today.month - 1) // MONTHS + 1
    month = quarter * MONTHS + 1
    return date(today.year + 1, 1, 1) if month > 12 else date(today.year, month, 1)
