# SPDX-License-Identifier: AGPL-3.0-or-later
"""The table of threads that the page without scripts and the one with scripts must read alike."""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from case_mgmt.acts import SignedAct, countersign_act, message_hash, sign_act
from case_mgmt.lifecycle import TABLE
from case_mgmt.model import NO_ACT, ActHash, ActKind, CaseId, State
from crypto.encoding import b64, canonical_json
from crypto.frame import FrameType
from tests.support.history import OFFICER, SERVICE, seed
from tests.support.thread_story import (
    ARRIVAL,
    GONE,
    MESSAGE_ACTS,
    OLD_KEY,
    OLD_SERVICE,
    SECOND,
    STRANGER,
    Story,
    resigned,
)

S, K = State, ActKind


def begun(name: str) -> Story:
    """Received and under assessment."""
    return Story(name).received().pass_days(1).move(S.ASSESSING)


def examined(name: str, **more: Any) -> Story:
    return begun(name).move(S.EXAMINING, **more)


def closed(name: str, second: str | None = SECOND, **more: Any) -> Story:
    return examined(name).move(S.UPHELD_FIXED, second=second, **more)


def honest() -> Iterator[Story]:
    """What an office does that follows its rules."""
    yield Story("nothing yet")
    yield Story("nothing yet, late").pass_days(30)
    yield Story("received").received()
    yield Story("only own words").wrote("message")
    yield closed("closed")
    yield closed("may still object").pass_days(14)
    yield closed("may object no more").pass_days(15)
    yield (
        closed("news after the end").pass_days(3).stay(K.UPDATE).wrote("message").stay(K.FOLLOW_UP)
    )
    yield begun("overdue").pass_days(40)
    yield begun("asked").move(S.NEEDS_INFO)
    yield begun("asked, pause over").move(S.NEEDS_INFO).pass_days(40)
    answered = begun("asked and answered").move(S.NEEDS_INFO).pass_days(4).wrote("message")
    yield answered.stay(K.FOLLOW_UP).pass_days(2).move(S.EXAMINING).pass_days(9)
    again = begun("asked twice").move(S.NEEDS_INFO).pass_days(4).move(S.EXAMINING)
    yield again.pass_days(2).move(S.NEEDS_INFO).pass_days(1)
    until = ARRIVAL + timedelta(days=120)
    more = {"until": until, "reason": "awaiting_documents"}
    yield examined("extended").pass_days(20).stay(K.EXTEND, **more).pass_days(5)
    yield examined("extended too late").pass_days(110).stay(K.EXTEND, **more)
    yield begun("extended while asked").move(S.NEEDS_INFO).pass_days(2).stay(K.EXTEND, **more)
    late = examined("extended in a pause that bears the limit").pass_days(91).move(S.NEEDS_INFO)
    yield late.pass_days(6).stay(K.EXTEND, **{**more, "until": ARRIVAL + timedelta(days=150)})
    yield examined("extended, then asked").stay(K.EXTEND, **more).pass_days(2).move(S.NEEDS_INFO)
    reopened = closed("contested").pass_days(3).wrote("contest").act(K.CONTEST, S.REOPENED)
    yield reopened
    once_more = closed("contested and examined").wrote("contest").act(K.CONTEST, S.REOPENED)
    yield once_more.pass_days(2).move(S.EXAMINING).pass_days(33)
    yield examined("withdrawn").wrote("withdraw", "").act(K.WITHDRAW, S.WITHDRAWN)
    back = examined("taken back").wrote("withdraw", "").act(K.WITHDRAW, S.WITHDRAWN)
    yield back.pass_days(60).wrote("contest").act(K.CONTEST, S.REOPENED)
    handed = begun("handed over")
    handed.history.add(K.ASSIGN, S.ASSESSING, handed.day, signer=SERVICE, assignee="penyidik-2")
    yield handed.move(S.EXAMINING)
    yield examined("referred").move(S.REFERRED, reason="kpk").pass_days(4)
    yield begun("an assignment is told").stay(K.ASSIGN, assignee="pengawas")


def keys() -> Iterator[Story]:
    """Whose keys count, and for how much."""
    yield examined("by a former person", signer=GONE)
    yield examined("former, then present", signer=GONE).stay(K.UPDATE)
    yield examined("by the old key of a present person", signer=OLD_KEY)
    yield Story("by the old service").received(signer=OLD_SERVICE)
    yield examined("by nobody known", signer=STRANGER)
    yield examined("by nobody known, then on", signer=STRANGER).move(S.REFERRED)
    yield (
        begun("a wish by nobody known")
        .wrote("withdraw")
        .act(K.WITHDRAW, S.WITHDRAWN, signer=STRANGER)
    )
    twice = begun("a wish spent by nobody known").wrote("withdraw")
    twice.act(K.WITHDRAW, S.WITHDRAWN, signer=STRANGER)
    del twice.history.items[-1]
    twice.history.update(twice.day)
    yield twice.act(K.WITHDRAW, S.WITHDRAWN)
    for second in (None, OFFICER, OLD_KEY, SERVICE, OLD_SERVICE, STRANGER, GONE):
        yield closed(f"closed with {second}", second=second)
    yield closed("both gone", second=GONE, signer=GONE)
    yield closed("one unknown key twice", second=STRANGER, signer=STRANGER)
    yield closed("one of them unknown", second=STRANGER, signer=GONE)
    yield closed("the second by their old key", second=OFFICER, signer=OLD_KEY)
    yield closed("closed by the service", signer=SERVICE)
    yield closed("closed by the old service", signer=OLD_SERVICE)
    yield examined("a step by the service", signer=SERVICE)
    yield (
        examined("withdrawn by the office")
        .wrote("withdraw")
        .act(K.WITHDRAW, S.WITHDRAWN, signer=OFFICER)
    )
    yield examined("needless second", second=SECOND)
    yield examined("needless second by oneself", second=OFFICER)
    yield examined("needless second by nobody known", second=STRANGER)


def signatures() -> Iterator[Story]:
    """Signatures that are wrong, halved or in another place."""
    wrong: tuple[dict[str, Any], ...] = (
        {"signature": "A" * 86}, {"signature": ""}, {"signature": None}, {"signature": 5},
        {"signature": "=" * 86}, {"countersigner": "zz" * 32},
        {"countersigner": 7, "countersignature": "A" * 86},
        {"countersigner": "ab" * 32, "countersignature": "A" * 86},
        {"countersigner": "ab" * 32}, {"countersignature": "A" * 86}, {"countersigner": ""},
        {"countersignature": ""}, {"act": {"v": 1}}, {"act": None}, {"act": []}, {"act": "x"},
    )  # fmt: skip
    for change in wrong:
        yield examined(f"examined {change}", notice=change)
    for change in (
        {"countersigner": None}, {"countersignature": None}, {"countersignature": "A" * 86},
        {"countersigner": None, "countersignature": None}, {"countersigner": "ab" * 32},
        {"countersignature": 1}, {"countersignature": ""},
    ):  # fmt: skip
        yield closed(f"closed {change}", notice=change)
    for name, proof in (("signature", sign_act), ("wrong act", countersign_act)):
        story = closed(f"countersignature: {name}")
        act = story.history.items[-1 if name == "signature" else -2].act
        del story.boxes[-1]
        story.tell(story.last_reply, countersignature=b64(proof(seed(SECOND), act)))
        yield story
    story = examined("signed as a countersignature")
    act = story.history.items[-1].act
    del story.boxes[-1]
    yield story.tell(story.last_reply, signature=b64(countersign_act(seed(OFFICER), act)))


def places() -> Iterator[Story]:
    """Acts that do not belong where they stand."""
    moved = examined("in another place")
    yield moved.tell(moved.last_reply, seq=5)
    moved = examined("in the place before")
    del moved.boxes[-1]
    yield moved.tell(moved.last_reply, seq=2)
    gap = examined("kept back")
    del gap.boxes[1]
    yield gap.move(S.REFERRED)
    yield shuffled()
    for days in (-2, -1, 0, 1, 2, 2_000_000):
        story = begun(f"dated {days} days off")
        story.day += timedelta(days=days)
        yield story.move(S.EXAMINING)
    yield Story("received before it arrived", day=ARRIVAL - timedelta(days=1)).received()
    future = begun("a future day, then today")
    future.day += timedelta(days=1)
    future.move(S.EXAMINING)
    future.day -= timedelta(days=1)
    yield future.move(S.REFERRED)
    for changes in (
        {"case": CaseId("WH-99999999")}, {"day": ARRIVAL}, {"prev": ActHash("1" * 64)},
        {"source": State.RECEIVED, "target": State.ASSESSING}, {"seq": 9}, {"prev": NO_ACT},
        {"source": State.REOPENED}, {"source": None}, {"message": "cd" * 32}, {"message": None},
        {"kind": K.UPDATE}, {"target": State.JOINED}, {"target": State.WITHDRAWN},
        {"until": date(2027, 1, 1)}, {"reason": "kpk"},
    ):  # fmt: skip
        story = examined(f"changed: {changes}").change(OFFICER, **changes)
        yield story.tell(story.last_reply).move(S.REFERRED)
    for changes in ({"prev": ActHash("1" * 64)}, {"source": State.RECEIVED}, {"target": S.JOINED}):
        story = Story(f"first: {changes}").received().change(SERVICE, **changes)
        yield story.tell(None)
    false = begun("a false act does not take the next with it")
    false.stay(K.UPDATE, notice={"signature": "A" * 86})
    del false.history.items[-1]
    yield false.act(K.UPDATE, S.ASSESSING).move(S.EXAMINING)


def shuffled() -> Story:
    story = examined("handed out in another order")
    story.boxes.reverse()
    return story


def wishes() -> Iterator[Story]:
    """Objections and withdrawals that the reporter did or did not send."""
    yield examined("invented withdrawal").act(K.WITHDRAW, S.WITHDRAWN)
    yield closed("invented objection").act(K.CONTEST, S.REOPENED)
    yield examined("another wish").wrote("contest").act(K.WITHDRAW, S.WITHDRAWN)
    once = closed("each objection once").wrote("contest").act(K.CONTEST, S.REOPENED)
    once.move(S.INSUFFICIENT, second=SECOND, reason="no_contact")
    yield once.act(K.CONTEST, S.REOPENED)
    yield closed("objection unreadable").wrote("contest", copy="{").act(K.CONTEST, S.REOPENED)
    for copy in ("[]", "null", '{"intent":"withdraw"}', '{"intent":"withdraw","text":"x"}', "x"):
        yield examined(f"own copy {copy}").wrote("withdraw", copy=copy)
    yield examined("own words with files").wrote("message", files=3)
    damaged = examined("own copy damaged").wrote("withdraw")
    one = damaged.own.pop()
    damaged.own.append(type(one)(one.message_id, one.day, one.box[:-1] + b"\0"))
    yield damaged.act(K.WITHDRAW, S.WITHDRAWN)


def messages() -> Iterator[Story]:
    """Replies that are missing, exchanged, or not what they should be."""
    missing = examined("message missing")
    del missing.boxes[-1]
    yield missing.tell(None)
    yield begun("no message named").move(S.EXAMINING, message=None)
    other = examined("another message")
    del other.boxes[-1]
    yield other.tell(other.reply("Lain.", OFFICER, S.EXAMINING))
    yield Story("a message on arrival").received(reply=b"x")
    story = Story("a message unasked")
    yield story.received(message="ab" * 32)
    forged: tuple[dict[str, Any], ...] = (
        {"signer": SECOND}, {"sender": None}, {"type": FrameType.FOLLOW_UP},
        {"thread_id": bytes(16)}, {"instance_id": bytes(32)}, {"seed": seed("somebody else")},
    )  # fmt: skip
    for change in forged:
        story = begun(f"reply {sorted(change)}")
        fields = {"signer": OFFICER, **change}
        reply = story.reply("Palsu.", target=S.EXAMINING, **fields)
        yield story.move(S.EXAMINING, reply=reply)
    good = {"v": 1, "lang": "id", "status": None, "reason": None, "text": "x", "day": "2026-04-08"}
    bodies = [canonical_json({**good, **change}) for change in (
        {}, {"lang": "en"}, {"lang": "fr"}, {"status": 1}, {"status": "x" * 65}, {"text": None},
        {"day": "2026-02-30"}, {"day": None}, {"v": 2}, {"v": True}, {"more": 1}, {"reason": []},
        {"reason": "\U0001f600" * 64},
    )]  # fmt: skip
    text = canonical_json(good).decode()
    bodies += [(text[:-1] + end).encode() for end in (
        ',"v":1}', ',"text":"y"}', ',"n":1.0}', ',"n":1e3}', ',"n":-0}', ',"n":9007199254740992}',
        ',"n":{"a":1,"a":1}}', ',"n":"\\ud800"}', ',"\\ud800":1}', ',"n":[":",{"\\"":":"}]}',
        ',"a:b":"c:d"}', ',"n":' + "[" * 16 + "]" * 16 + "}", ',"n":' + "[" * 15 + "]" * 15 + "}",
        ',"text":1,"te\\u0078t":"z"}', ',"__proto__":1}', ', "n" : 1 }', "", "}",
    )]  # fmt: skip
    for body in bodies:
        story = begun(f"body {body!r}")
        yield story.move(S.EXAMINING, reply=story.reply("", OFFICER, S.EXAMINING, body=body))


def facts() -> Iterator[Story]:
    """Facts that lie, or are not strict JSON; and boxes that do not open."""
    lies = {"due": "2031-01-01", "due_kind": "overall", "overall_due": "2031-01-01",
            "paused": True, "contest_until": "2031-01-01", "state": "upheld_fixed"}  # fmt: skip
    yield examined("lies", notice=lies)
    damaged = examined("damaged box")
    seq, box = damaged.boxes.pop()
    damaged.boxes.append((seq, box[:-1] + bytes([box[-1] ^ 1])))
    yield damaged.move(S.REFERRED)
    cut = examined("half a box")
    cut.boxes[-1] = (cut.boxes[-1][0], cut.boxes[-1][1][:100])
    yield cut
    elsewhere = examined("box of another place")
    elsewhere.boxes[-1] = (9, elsewhere.boxes[-1][1])
    yield elsewhere
    for old, new in (
        (b'"v":1}', b'"v":1,"v":1}'), (b'"seq":3', b'"seq":3.0'), (b'"seq":3', b'"seq":3e0'),
        (b'"seq":3', b'"seq":4,"seq":3'), (b'{"act"', b' { "act"'),
        (b'"paused":', b'"paused":-0,"x":'),
        (b'"kind":"t', b'"kind":"\\u0074'), (b'"state":', b'"state":NaN,"s":'),
        (b'"state":', b'"\xff":'), (b'"state":', b'"s":"\\ud800","t":'),
        (b'{"act"', b'\xef\xbb\xbf{"act"'),
    ):  # fmt: skip
        story = examined(f"facts {new!r}")
        del story.boxes[-1]
        meta = canonical_json(story.meta())
        yield story.put(meta.replace(old, new), story.last_reply)
    strange: tuple[Any, ...] = (None, True, 0, 1, -1, "", "x", [], {}, "2026-02-30", 2**31, ...)
    for name in (*begun("names").history.items[-1].act.to_object(), "extra"):
        for value in strange:
            yield begun(f"act with {name}: {value!r}").raw(**{name: value})
    yield examined("assignee of nobody").raw(assignee="-x")
    yield examined("odd case").raw(case="WH-0123ABCI")
    yield examined("a step from nowhere").raw(
        **{"from": "nowhere", "to": "nowhere", "kind": "update"}
    )
    yield examined("built in").raw(**{"from": "constructor", "kind": "transition"})


def steps() -> Iterator[Story]:
    """Every step of the table, and many that are not in it, by every sort of signer."""
    dice = random.Random(3)
    for kind in ActKind:
        for source in (None, *State):
            for target in State:
                for signer in (OFFICER, SERVICE, STRANGER):
                    if (kind, source, target) in TABLE or dice.randrange(20) == 0:
                        yield _step(kind, source, target, signer)


def _step(kind: ActKind, source: State | None, target: State, signer: str) -> Story:
    """One act alone: what came before is kept back, so that any code may stand there."""
    story = Story(f"{kind} {source} {target} {signer}").wrote("contest").wrote("withdraw")
    history = story.history
    if source is not None:
        history.received(story.day)
    reply = story.reply("x", signer, target) if kind in MESSAGE_ACTS else None
    named = None if reply is None else message_hash(reply)
    act = history.next(kind, target, story.day, signer, message=named)
    second = None if reply is None else SECOND
    history.items.append(resigned(SignedAct(act, b""), signer, second, source=source))
    return story.tell(reply)


def stories() -> Iterator[Story]:
    """The whole table."""
    for make in (honest, keys, signatures, places, wishes, messages, facts, steps):
        yield from make()
