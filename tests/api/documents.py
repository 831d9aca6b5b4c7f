# SPDX-License-Identifier: AGPL-3.0-or-later
"""The OpenAPI documents of the two interfaces that others write programs for, made from here.

`python -m tests.api` writes them to docs/spec/. They say what a program can check by itself; why,
and what follows from it, is in the prose beside them.
"""

from collections.abc import Callable
from typing import Any

from case_mgmt.acts import CASE_ID
from case_mgmt.model import ActKind, State
from crypto.promise import PROMISE_LENGTH
from crypto.requests import REQUEST_HEADERS
from whistle.intake.problems import STATUS
from whistle.limits import MAX_BLOBS

Schema = dict[str, Any]
ORIGIN = "http://localhost"
B64 = r"^[A-Za-z0-9_-]*$"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


# ---- small words ---------------------------------------------------------------------------------
def hexadecimal(length: int) -> Schema:
    """So many bytes in lower-case hexadecimal."""
    return {"type": "string", "pattern": rf"^[0-9a-f]{{{2 * length}}}$"}


def b64(length: int | None = None) -> Schema:
    """base64url without padding, of a certain number of bytes or of any."""
    if length is None:
        return {"type": "string", "pattern": B64}
    digits = -(-4 * length // 3)
    return {"type": "string", "pattern": B64, "minLength": digits, "maxLength": digits}


def day() -> Schema:
    """YYYY-MM-DD."""
    return {"type": "string", "pattern": DAY}


def text(most: int | None = None) -> Schema:
    """A text."""
    return {"type": "string"} | ({} if most is None else {"maxLength": most})


def number(least: int = 0) -> Schema:
    """An integer that every JSON reader reads the same."""
    return {"type": "integer", "minimum": least, "maximum": 2**53 - 1}


def listed(item: Schema, most: int | None = None, least: int = 0) -> Schema:
    """A list."""
    return {"type": "array", "items": item, "minItems": least} | (
        {} if most is None else {"maxItems": most}
    )


def obj(*, closed: bool = False, optional: tuple[str, ...] = (), **members: Schema) -> Schema:
    """An object; `closed` refuses other members."""
    return {
        "type": "object",
        "properties": members,
        "required": [name for name in members if name not in optional],
        "additionalProperties": not closed,
    }


def or_null(schema: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def body(schema: Schema) -> Schema:
    """A JSON request body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def answered(schema: Schema | None, *problems: int, kind: str = "application/json") -> Schema:
    """Answers: 200 with this content, and errors."""
    content = {kind: {"schema": schema if schema is not None else {}}}
    answers: Schema = {"200": {"description": "done", "content": content}}
    for status in sorted(problems):
        answers[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return answers


def parameter(name: str, place: str, schema: Schema, *, required: bool = True) -> Schema:
    """A parameter in the path, the query or a header."""
    return {"name": name, "in": place, "required": required, "schema": schema}


def document(title: str, error: Schema, paths: Schema, **components: Schema) -> Schema:
    """A whole document; every error has one form."""
    used = {
        status
        for path in paths.values()
        for operation in path.values()
        for status in operation["responses"]
        if status != "200"
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    responses = {status: {"description": "refused", "content": content} for status in sorted(used)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title, "version": "1.0",
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": ORIGIN, "description": "an onion service, plain HTTP in its circuit"}],
        "paths": paths,
        "components": {"schemas": {"Error": error}, "responses": responses, **components},
    }  # fmt: skip


# ---- the reporter's client -----------------------------------------------------------------------
_SIGNED = {
    "lookup_id": hexadecimal(16), "nonce": hexadecimal(32), "signature": b64(64),
}  # fmt: skip
_CLAIMS = listed(obj(id=hexadecimal(16), size=number(), upload=b64(32)), MAX_BLOBS)
_PEOPLE = listed(text(63), 16, least=1)
_ALWAYS = (400, 403, 408, 413, 415, 503)
_UPLOAD = parameter("Whistle-Upload", "header", b64(32))
_BLOB = parameter("id", "path", hexadecimal(16))


def client() -> Schema:
    """docs/spec/client-api.md."""
    report = obj(
        **_SIGNED, auth_public=hexadecimal(32), mailbox_key=hexadecimal(32),
        commitment=or_null(hexadecimal(32)), dossier=b64(), recipients=_PEOPLE, container=b64(),
        blobs=_CLAIMS, optional=("commitment",),
    )  # fmt: skip
    addition = obj(
        **_SIGNED, intent={"enum": ["message", "contest", "withdraw"]},
        recipients=or_null(_PEOPLE), container=b64(), own=obj(id=hexadecimal(16), box=b64()),
        blobs=_CLAIMS, optional=("recipients",),
    )  # fmt: skip
    thread = obj(
        day=or_null(day()), dossier=or_null(b64()), pad={"type": "string", "pattern": r"^\.*$"},
        boxes=listed(obj(seq=number(), box=b64())),
        own=listed(obj(id=hexadecimal(16), day=day(), box=b64())),
    )  # fmt: skip
    stored = obj(promise=or_null(b64(PROMISE_LENGTH)), day=day(), due=or_null(day()))
    size = parameter("Whistle-Size", "header", {"type": "string", "pattern": "^[1-9][0-9]{0,11}$"})
    piece = parameter("n", "path", {"type": "integer", "minimum": 0, "maximum": 9999})
    binary = {"required": True, "content": {"application/octet-stream": {"schema": {}}}}
    state = obj(size=or_null(number()), received=listed(number()))
    sent = (401, 409, 422)
    paths = {
        "/api/v1/nonce": {"get": {"responses": answered(obj(nonce=hexadecimal(32)))}},
        "/api/v1/blobs/{id}/{n}": {
            "put": {
                "parameters": [_BLOB, piece, _UPLOAD, size], "requestBody": binary,
                "responses": answered(obj(closed=True), *_ALWAYS, 404, 409),
            },
        },
        "/api/v1/blobs/{id}": {
            "get": {"parameters": [_BLOB, _UPLOAD], "responses": answered(state, 400, 404)},
        },
        "/api/v1/reports": {
            "post": {"requestBody": body(report), "responses": answered(stored, *_ALWAYS, *sent)},
        },
        "/api/v1/threads/read": {
            "post": {
                "requestBody": body(obj(**_SIGNED)), "responses": answered(thread, *_ALWAYS, 401),
            },
        },
        "/api/v1/threads/append": {
            "post": {
                "requestBody": body(addition),
                "responses": answered(obj(day=day()), *_ALWAYS, *sent),
            },
        },
    }  # fmt: skip
    codes = sorted(
        {*STATUS, "cross_site", "not_found", "method", "timeout", "media_type", "generic", "busy"}
    )
    return document("whistle: reporters' clients", obj(error={"enum": codes}, closed=True), paths)


# ---- desks ---------------------------------------------------------------------------------------
def _act() -> Schema:
    states, handle = [state.value for state in State], text(63)
    return obj(
        v={"const": 1}, case={"type": "string", "pattern": f"^{CASE_ID.pattern}$"}, seq=number(1),
        prev=hexadecimal(32), kind={"enum": [kind.value for kind in ActKind]},
        **{"from": or_null({"enum": states})}, to={"enum": states}, reason=or_null(text()),
        message=or_null(hexadecimal(32)), day=day(), signer=hexadecimal(32), until=or_null(day()),
        assignee=or_null(handle), closed=True,
    )  # fmt: skip


def _summary() -> Schema:
    move = obj(to=text(), needs_second={"type": "boolean"}, needs_reason={"type": "boolean"})
    dates = {
        name: or_null(day())
        for name in ("next_due", "overall_due", "update_due", "overdue_since", "contest_until")
    }
    return obj(
        case={"type": "string", "pattern": f"^{CASE_ID.pattern}$"},
        state={"enum": [state.value for state in State]}, assignee=or_null(text()), received=day(),
        due_kind=or_null(text()), paused={"type": "boolean"}, new_material={"type": "boolean"},
        proposal=or_null(obj(to=text(), by=text())), allowed=listed(move), **dates,
    )  # fmt: skip


def _case() -> Schema:
    signed = {
        "act": _ref("Act"), "signature": b64(64), "countersigner": or_null(hexadecimal(32)),
        "countersignature": or_null(b64(64)),
    }  # fmt: skip
    message = obj(
        id=hexadecimal(16), kind={"enum": ["report", "follow_up"]}, intent=text(), day=day(),
        container=b64(), blobs=listed(obj(id=hexadecimal(16), size=number())),
    )  # fmt: skip
    pending = obj(
        act=_ref("Act"), act_hash=hexadecimal(32), signature=b64(64), container=b64(), by=text()
    )
    returned = obj(act_hash=hexadecimal(32), to=text(), proposed_by=text(), by=text(), day=day())
    own = obj(
        thread=hexadecimal(16), messages=listed(message), head=hexadecimal(32), next_seq=number(1),
        history=listed(obj(**signed, container=or_null(b64()))), pending=or_null(pending),
        notes=listed(obj(person=text(), day=day(), container=b64())), returns=listed(returned),
    )  # fmt: skip
    return {"allOf": [_ref("Summary"), own]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _publication(get: Callable[..., Schema]) -> Schema:
    """What publishers and auditors ask for, and what they hand in."""
    after = parameter("after", "path", {"type": "string", "pattern": "^(start|[0-9a-f]{32})$"})
    release = parameter("id", "path", {"type": "string", "pattern": "^[0-9]{4}-[a-z0-9]{1,16}$"})
    path = parameter("path", "path", {"type": "string", "pattern": "^[A-Za-z0-9._-]+$"})
    log = obj(
        today=day(), note=text(), entries=listed(b64()), files=obj(),
        releases=listed(obj(id=text(), sha256=hexadecimal(32), day=day())),
    )  # fmt: skip
    cards = obj(cards=listed(obj(case=hexadecimal(16), container=b64())))
    opening = obj(index=number(), act=hexadecimal(32), nonce=hexadecimal(32))
    handed_in = answered(obj(status=text()), 400, 401, 403, 404, 408, 409, 413, 422)
    file = obj(path=text(), content=b64(), closed=True)
    staged = {**_signed([release], handed_in), "requestBody": body(file)}
    return {
        "/v1/publication": get(log),
        "/v1/publication/cards/{after}": get(cards, 404, parameters=[after]),
        "/v1/publication/openings": get(obj(v={"const": 1}, openings=listed(opening))),
        "/v1/publication/releases/{id}/{path}": get(
            obj(content=b64()), 404, parameters=[release, path]
        ),
        "/v1/publication/releases/{id}/files": {"post": staged},
        "/v1/publication/releases/{id}": {"post": _signed([release], handed_in)},
    }


def cases() -> Schema:
    """docs/spec/case-api.md, sections 1 to 6."""
    case = [parameter("case", "path", {"type": "string", "pattern": f"^{CASE_ID.pattern}$"})]
    blob = [*case, parameter("id", "path", hexadecimal(16))]
    asked = (400, 401, 403, 408, 413)
    done = obj(
        status={"enum": ["committed", "awaiting_second", "returned"]}, summary=_ref("Summary")
    )
    files = obj(
        manifest=b64(), signature=b64(), policy=b64(), catalogue=b64(), today=day(),
        log_policy=or_null(b64()),
    )  # fmt: skip
    feed = obj(
        connected={"type": "boolean"}, problem=or_null(text()),
        **{name: number() for name in
           ("collected", "pushed", "unusable", "waiting", "failing", "refused")},
    )  # fmt: skip
    ledger = obj(acts=listed(obj(act=_ref("Act"), signature=b64(64))))
    act = obj(act=_ref("Act"), signature=b64(64), container=or_null(b64()), closed=True)
    confirmation = obj(act_hash=hexadecimal(32), countersignature=b64(64), closed=True)
    returned = obj(act_hash=hexadecimal(32), closed=True)

    def get(schema: Schema, *problems: int, parameters: list[Schema] | None = None) -> Schema:
        return {"get": _signed(parameters or [], answered(schema, *asked, *problems))}

    def post(form: Schema, schema: Schema) -> Schema:
        operation = _signed(case, answered(schema, *asked, 404, 409, 422))
        return {"post": {**operation, "requestBody": body(form)}}

    binary = answered(None, *asked, 404, kind="application/octet-stream")
    paths = {
        "/v1/organisation": {"get": {"responses": answered(files)}},
        "/v1/queue": get(obj(today=day(), cases=listed(_ref("Summary")))),
        "/v1/cases/{case}": get(_ref("Case"), 404, parameters=case),
        "/v1/cases/{case}/blobs/{id}": {"get": _signed(blob, binary)},
        "/v1/cases/{case}/acts": post(act, done),
        "/v1/cases/{case}/proposal/confirm": post(confirmation, done),
        "/v1/cases/{case}/proposal/return": post(returned, done),
        "/v1/cases/{case}/notes": post(obj(container=b64(), closed=True), obj(status=text())),
        "/v1/cases/{case}/card": post(obj(container=b64(), closed=True), obj(status=text())),
        **_publication(get),
        "/v1/ledger": get(ledger),
        "/v1/status": get(obj(feed=feed)),
    }
    error = obj(error=obj(code=text(), message=obj(id=text(), en=text())), closed=True)
    schemes = {
        name: {"type": "apiKey", "in": "header", "name": name,
               "description": "docs/spec/envelope.md, section 10"}
        for name in REQUEST_HEADERS
    }  # fmt: skip
    made = document("whistle: desks", error, paths, securitySchemes=schemes)
    made["components"]["schemas"] |= {"Act": _act(), "Summary": _summary(), "Case": _case()}
    return made


def _signed(parameters: list[Schema], responses: Schema) -> Schema:
    security = [{name: [] for name in REQUEST_HEADERS}]
    found: Schema = {"security": security, "responses": responses}
    return found | ({"parameters": parameters} if parameters else {})


DOCUMENTS = {"client-api.openapi.json": client, "case-api.openapi.json": cases}
