# SPDX-License-Identifier: AGPL-3.0-or-later
"""JSON objects, whole, ambiguous and damaged: one meaning or none (envelope.md, section 3)."""

import random
from collections.abc import Iterator
from typing import Any

from tests.support.mutated_sealed import b64
from tests.support.mutations import damaged

Case = dict[str, Any]

WHOLE = (
    b'{"a":{"b":[1,{"c":"d:e"}],"\\"":"\\\\"},"k":-9007199254740991,"t":[true,false,null],"v":1}'
)
CRAFTED: tuple[bytes, ...] = (
    b"{}", b" {} ", b"[]", b'"a"', b"1", b"null", b"", b"{", b"{}{}", b"\xef\xbb\xbf{}", b"{}\x00",
    b'{"a":1,"a":1}', b'{"a":1,"\\u0061":1}', b'{"a":{"b":1,"b":2}}', b'[{"a":1,"a":1}]',
    b'{"a":[{"b":1},{"b":1,"b":1}]}', b'{"":1,"":1}', b'{"a":1,"A":1}', b'{"__proto__":1}',
    b'{"__proto__":1,"__proto__":1}', b'{"__proto__":{"a":1}}', b'{"constructor":1,"toString":2}',
    b'{"a":1.0}', b'{"a":1e0}', b'{"a":1E2}', b'{"a":-1.5}', b'{"a":[1,2.0]}', b'{"a":0.0}',
    b'{"a":1e-1}', b'{"a":1e400}', b'{"a":-0}', b'{"a":-0.0}', b'{"a":01}', b'{"a":+1}',
    b'{"a":.5}', b'{"a":1.}', b'{"a":9007199254740991}', b'{"a":9007199254740992}',
    b'{"a":-9007199254740992}', b'{"a":' + b"9" * 5000 + b"}", b'{"a":NaN}', b'{"a":Infinity}',
    b'{"a":-Infinity}', b'{"a":"1.0"}', b'{"1.0":"1e5"}', b'{"a:b":":"}', b'{"a":"\\":\\""}',
    b'{"a":"\\\\",":":1}', b'{"a":"\\ud83d\\ude00"}', b'{"a":"\\ud83d"}', b'{"a":"\\ude00\\ud83d"}',
    b'{"\\ud800":1}', b'{"a":{"\\udfff":1}}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\xff"}',
    b'{"a":"\xf0\x9f\x98\x80"}', b'{"\xf0\x9f\x98\x80":1,"\xef\xbf\xbf":2}', b'{"a":"\x01"}',
    b'{"a":"\n"}', b'{"a":"\\x41"}', b'{"a":"\\/"}', b"{'a':1}", b'{"a":1,}', b'{"a" : 1 , "b":2}',
    b'{"a":\xc2\xa01}', b'{"a":\x0b1}', b'{"a":"\xe2\x80\xa8"}', b'{"a":"\\u2028:"}', b'{"a":tRue}',
    b'{"a":1/**/}', b'{"v":1}x', b'{"a":"\\u0000"}', b'{"a":undefined}', b'{"a":1:2}',
    *(b'{"a":' + b"[" * depth + b"]" * depth + b"}" for depth in (14, 15, 16, 17, 3000)),
    *(b'{"a":' * depth + b"1" + b"}" * depth for depth in (15, 16, 17)),
    *(b'{"a":' + b"[" * depth + b"1" + b"]" * depth + b"}" for depth in (14, 15, 16)),
)  # fmt: skip


def objects(chance: random.Random) -> Iterator[Case]:
    """Yield texts that are an object, look like one, or mean two."""
    for data in (WHOLE, *CRAFTED):
        yield _case(data)
    for _ in range(400):
        yield _case(damaged(WHOLE, chance))


def _case(data: bytes) -> Case:
    return {"kind": "json", "data": b64(data)}
