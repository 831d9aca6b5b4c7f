# SPDX-License-Identifier: AGPL-3.0-or-later
"""The generated parts of docs/spec/acts.md: tables, lists, and the worked example.

`python -m tests.support.acts_document` writes them into the document.
"""

import re
from datetime import date, timedelta
from pathlib import Path

from case_mgmt.acts import Act, SignedAct, act_hash, countersign_act, sign_act
from case_mgmt.deadlines import due
from case_mgmt.diagram import markdown_table, mermaid
from case_mgmt.errors import REFUSALS
from case_mgmt.model import (
    EXTENSION_REASONS,
    NO_ACT,
    REASONS,
    ActHash,
    ActKind,
    CaseId,
    DeviceKey,
    State,
)
from case_mgmt.policy import Policy, default_policy
from crypto.signing import public_from_seed

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "spec" / "acts.md"
SERVICE, FIRST, SECOND = bytes([1]) * 32, bytes([2]) * 32, bytes([3]) * 32
ARRIVAL = date(2026, 4, 7)


def key(seed: bytes) -> DeviceKey:
    return DeviceKey(public_from_seed(seed).hex())


def example() -> list[SignedAct]:
    """A report that is received, assessed, and found to be somebody else's."""
    steps = (
        (ActKind.RECEIVED, None, State.RECEIVED, SERVICE, None, None),
        (ActKind.TRANSITION, State.RECEIVED, State.ASSESSING, FIRST, "aa" * 32, None),
        (ActKind.TRANSITION, State.ASSESSING, State.OUTSIDE_MANDATE, FIRST, "bb" * 32, "kpk"),
    )
    chain: list[SignedAct] = []
    head = NO_ACT
    for number, (kind, source, target, seed, message, reason) in enumerate(steps):
        act = Act(
            case=CaseId("WH-0123ABCD"),
            seq=number + 1,
            prev=head,
            kind=kind,
            source=source,
            target=target,
            reason=reason,
            message=message,
            day=ARRIVAL + timedelta(days=number),
            signer=key(seed),
        )
        closing = target is State.OUTSIDE_MANDATE
        chain.append(
            SignedAct(
                act,
                sign_act(seed, act),
                key(SECOND) if closing else None,
                countersign_act(SECOND, act) if closing else None,
            )
        )
        head = chain[-1].hash
    return chain


def worked_example() -> str:
    lines = ["```text"]
    for signed in example():
        data = signed.act.encode()
        lines += [
            f"act {signed.act.seq}      {data.decode()}",
            f"hash       {act_hash(data)}",
            f"signature  {signed.signature.hex()}",
        ]
        if signed.countersignature is not None:
            lines += [
                f"second     {signed.countersigner}",
                f"signature  {signed.countersignature.hex()}",
            ]
    return "\n".join([*lines, "```"]) + "\n"


def clock_example() -> str:
    """The limits after each act of the example, and of a question that pauses."""
    policy = default_policy(2025, 2029)
    acts = [signed.act for signed in example()]
    asked = ask(acts[1])
    answered = answer(asked)
    rows = [
        ("received on 2026-04-07", acts[:1]),
        ("`assessing` on 2026-04-08", acts[:2]),
        ("then `needs_info` on 2026-04-09", [*acts[:2], asked]),
        ("then an answer on 2026-04-13", [*acts[:2], asked, answered]),
        ("instead `outside_mandate` on 2026-04-09", acts),
    ]
    lines = ["| after | next limit | overall limit | may be contested until |", "|---|---|---|---|"]
    for words, history in rows:
        lines.append(f"| {words} | {limits(history, policy)} |")
    return "\n".join(lines) + "\n"


def ask(after: Act) -> Act:
    return follow(after, ActKind.TRANSITION, State.NEEDS_INFO, date(2026, 4, 9))


def answer(after: Act) -> Act:
    return follow(after, ActKind.FOLLOW_UP, State.NEEDS_INFO, date(2026, 4, 13))


def follow(after: Act, kind: ActKind, target: State, day: date) -> Act:
    return Act(
        case=after.case,
        seq=after.seq + 1,
        prev=ActHash("00" * 32),
        kind=kind,
        source=after.target,
        target=target,
        day=day,
        signer=after.signer,
    )


def limits(history: list[Act], policy: Policy) -> str:
    clock = due(history, policy, history[-1].day)
    step = "-" if clock.next_due is None else f"{clock.next_due} ({clock.next_kind})"
    return f"{step} | {clock.overall_due or '-'} | {clock.contest_until or '-'}"


def reasons() -> str:
    lines = ["| to | reason codes |", "|---|---|"]
    for target, codes in REASONS.items():
        lines.append(f"| `{target}` | {', '.join(f'`{code}`' for code in codes)} |")
    lines.append(f"| an extension | {', '.join(f'`{code}`' for code in EXTENSION_REASONS)} |")
    return "\n".join(lines) + "\n"


def refusals() -> str:
    lines = ["| code | said to the signer |", "|---|---|"]
    lines += [f"| `{code}` | {texts['en']} |" for code, texts in REFUSALS.items()]
    return "\n".join(lines) + "\n"


def parts() -> dict[str, str]:
    """Every generated part by its name."""
    return {
        "table": markdown_table(),
        "diagram": f"```mermaid\n{mermaid()}```\n",
        "reasons": reasons(),
        "example": worked_example(),
        "clock": clock_example(),
        "refusals": refusals(),
    }


def render(text: str) -> str:
    """The document with its generated parts made anew."""
    for name, content in parts().items():
        pattern = rf"(<!-- generated: {name} -->\n).*?(<!-- end: {name} -->)"
        text, count = re.subn(
            pattern, lambda match, new=content: match[1] + new + match[2], text, flags=re.DOTALL
        )
        if count != 1:
            raise ValueError(f"the document must have one place for {name}")
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(render(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
