# SPDX-License-Identifier: AGPL-3.0-or-later
"""One browser tab as a person uses it: look, fill in, press, wait until the next page is there.

Nothing here depends on page JavaScript: locating and typing are the browser's own commands, and
the few script calls run in a sandbox of the automation, which Firefox runs with
`javascript.enabled=false` as well.

- A click on a link or on a submit button that will submit waits for the next page; other clicks do
not. - Typing is real key events, so `maxlength` and input types act; only text longer than
TYPED_LIMIT is inserted by the editor in one piece.
"""

import asyncio
import base64
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.bidi import BidiConnection, BidiError, Event

NAVIGATION_TIMEOUT = 90.0  # seconds; a fresh onion circuit on a busy machine
TYPED_LIMIT = 400  # characters
EVENTS = (
    "browsingContext.load",
    "browsingContext.navigationFailed",
    "browsingContext.fragmentNavigated",
    "browsingContext.downloadWillBegin",
)
LOG_EVENT = "log.entryAdded"
_CONTROL, _DELETE, _END = "\ue009", "\ue017", "\ue010"

_WILL_NAVIGATE = """element => {
  const e = element.closest('a[href], button, input');
  if (!e) return false;
  if (e.localName === 'a') return !e.getAttribute('href').startsWith('#');
  if (!e.form || !['submit', 'image'].includes(e.type)) return false;
  return e.form.noValidate || e.formNoValidate || e.form.checkValidity();
}"""
PRESS_TRIES = 5
PRESS_PAUSE = 0.3
SETTLE_TRIES = 40
SETTLE_PAUSE = 0.05  # seconds between two looks at the same place
LOG_LINES = 40
_FOCUS = """element => {
  element.scrollIntoView({block: 'center'});
  element.focus();
  if (element.select) element.select();
}"""
# Where an element stands; scrolled to the middle if something else has scrolled since.
_PLACE = """e => {
  e.scrollIntoView({block: 'center', behavior: 'instant'});
  const r = e.getBoundingClientRect();
  return [r.x, r.y, r.width, r.height].join();
}"""
# Listens for the click that a press will cause; false where scripts are off and nothing can listen.
_LISTEN = """e => {
  const press = globalThis.press = {heard: false, hit: false};
  const at = e.ownerDocument;
  at.addEventListener('heard', () => { press.heard = true; }, {once: true});
  at.dispatchEvent(new Event('heard'));
  const listen = event => { press.hit ||= event.composedPath().includes(e); };
  at.defaultView.addEventListener('click', listen, {capture: true});
  return press.heard;
}"""
_HIT = "() => !globalThis.press || globalThis.press.hit"
_INSERT = "(element, text) => { element.ownerDocument.execCommand('insertText', false, text); }"
_SELECT = """(element, value) => {
  const option = Array.from(element.options).find(o => o.value === value || o.label === value);
  if (!option) throw new Error('no such option');
  option.selected = true;
  element.dispatchEvent(new Event('input', {bubbles: true}));
  element.dispatchEvent(new Event('change', {bubbles: true}));
}"""


class Page:
    """A tab in a user context (cookies, storage, proxy) of its own."""

    def __init__(self, bidi: BidiConnection, context: str, user_context: str) -> None:
        self._bidi = bidi
        self._context = context
        self._user_context = user_context
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        bidi.listen(self._note)

    async def goto(self, url: str, timeout: float = NAVIGATION_TIMEOUT) -> None:
        """Open *url* and wait for its load event."""
        await self._bidi.send(
            "browsingContext.navigate", timeout, context=self._context, url=url, wait="complete"
        )

    async def set_html(self, html: str) -> None:
        """Show *html* as a document of its own, without a server."""
        encoded = base64.b64encode(html.encode()).decode()
        await self.goto(f"data:text/html;charset=utf-8;base64,{encoded}")

    async def count(self, css: str) -> int:
        """Return how many elements match."""
        return len(await self._locate(css))

    async def fill(self, css: str, text: str) -> None:
        """Replace the content of a text field."""
        element = await self._one(css)
        await self._call(_FOCUS, element)
        await self._keys(f"{_CONTROL}a", chord=True)
        await self._keys(_DELETE)
        if len(text) > TYPED_LIMIT:
            await self._call(_INSERT, element, {"type": "string", "value": text})
        else:
            await self._keys(text)

    async def press(self, keys: str) -> None:
        """Type into whatever has the focus."""
        await self._keys(keys)

    async def select(self, css: str, value: str) -> None:
        """Choose the option of a `select` with this value or label."""
        await self._call(_SELECT, await self._one(css), {"type": "string", "value": value})

    async def set_files(self, css: str, paths: Sequence[Path | str]) -> None:
        """Choose files in a file field."""
        element = await self._one(css)
        files = [str(Path(path).resolve()) for path in paths]
        await self._bidi.send("input.setFiles", context=self._context, element=element, files=files)

    async def click(
        self, css: str, *, navigates: bool | None = None, timeout: float = NAVIGATION_TIMEOUT
    ) -> None:
        """Press the first element that matches, and wait for the next page if one is to come.

        *navigates*: None works it out from the element; False also means "the browser will refuse
        it".
        """
        element = await self._one(css)
        if navigates is None:
            navigates = bool(await self._call(_WILL_NAVIGATE, element))
        arrival = self._bidi.expect(self._is_arrival)
        await self._press_element(element)
        if not navigates:
            arrival.cancel()
            return
        try:
            method, params = await asyncio.wait_for(arrival, timeout)
        except TimeoutError:
            raise BidiError("no page came after the click") from None
        if method == "browsingContext.navigationFailed":
            raise BidiError(f"navigation failed: {params.get('message', '')}")

    async def text(self, css: str = "body") -> str:
        """Return the visible text."""
        return str(await self._call("e => e.innerText", await self._one(css)))

    async def html(self) -> str:
        """Return the document as the browser understood it."""
        return str(await self._evaluate("document.documentElement.outerHTML"))

    async def value(self, css: str) -> str:
        """Return a field's current value."""
        return str(await self._call("e => e.value", await self._one(css)))

    async def attribute(self, css: str, name: str) -> str | None:
        """Return an attribute of the first match."""
        element = await self._one(css)
        found = await self._call("(e, n) => e.getAttribute(n)", element, _string(name))
        return None if found is None else str(found)

    async def evaluate(self, expression: str) -> Any:
        """Evaluate in the page itself: sees what page scripts see, the probe for levels."""
        return await self._evaluate(expression, sandbox=None)

    @property
    def log(self) -> list[str]:
        """What the page and its workers wrote to the console, and errors nobody caught."""
        return list(self._log)

    def _note(self, method: str, params: Event) -> None:
        if method == LOG_EVENT and params["source"].get("context", self._context) == self._context:
            self._log.append(f"{params['level']}: {params.get('text')}")

    @property
    async def url(self) -> str:
        """The current address: `await page.url`."""
        tree = await self._bidi.send("browsingContext.getTree", root=self._context, maxDepth=0)
        return str(tree["contexts"][0]["url"])

    async def resize(self, width: int, height: int) -> None:
        """Set the viewport in CSS pixels."""
        await self._bidi.send(
            "browsingContext.setViewport",
            context=self._context,
            viewport={"width": width, "height": height},
        )

    async def screenshot(self, path: Path | str, *, full: bool = True) -> None:
        """Write a PNG of the document (or of the viewport only)."""
        shot = await self._bidi.send(
            "browsingContext.captureScreenshot",
            context=self._context,
            origin="document" if full else "viewport",
        )
        await asyncio.to_thread(Path(path).write_bytes, base64.b64decode(shot["data"]))

    async def pdf(self) -> bytes:
        """Return the document as it would be printed on A4."""
        margin = dict.fromkeys(("top", "bottom", "left", "right"), 1.5)
        answer = await self._bidi.send(
            "browsingContext.print",
            NAVIGATION_TIMEOUT,
            context=self._context,
            page={"width": 21.0, "height": 29.7},
            margin=margin,
        )
        return base64.b64decode(answer["data"])

    async def overflow(self) -> int:
        """Return how many pixels the document is wider than the viewport."""
        found = await self._evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return int(found)

    async def close(self) -> None:
        """Close the tab and forget its cookies."""
        await self._bidi.send("browser.removeUserContext", userContext=self._user_context)

    def _is_arrival(self, method: str, params: Event) -> bool:
        return method in EVENTS and params.get("context") == self._context

    async def _locate(self, css: str) -> list[dict[str, Any]]:
        found = await self._bidi.send(
            "browsingContext.locateNodes",
            context=self._context,
            locator={"type": "css", "value": css},
        )
        return [{"sharedId": node["sharedId"]} for node in found["nodes"]]

    async def _one(self, css: str) -> dict[str, Any]:
        nodes = await self._locate(css)
        if not nodes:
            raise BidiError(f"nothing matches {css!r} at {await self.url}")
        return nodes[0]

    async def _call(self, function: str, *arguments: dict[str, Any]) -> Any:
        return _plain(
            await self._bidi.send(
                "script.callFunction",
                functionDeclaration=function,
                arguments=list(arguments),
                target={"context": self._context, "sandbox": "automation"},
                awaitPromise=True,
            )
        )

    async def _evaluate(self, expression: str, sandbox: str | None = "automation") -> Any:
        target = {"context": self._context} | ({"sandbox": sandbox} if sandbox else {})
        return _plain(
            await self._bidi.send(
                "script.evaluate", expression=expression, target=target, awaitPromise=True
            )
        )

    async def _keys(self, text: str, *, chord: bool = False) -> None:
        if chord:
            actions = [{"type": "keyDown", "value": key} for key in text]
            actions += [{"type": "keyUp", "value": key} for key in reversed(text)]
        else:
            actions = [
                {"type": kind, "value": "\ue007" if key == "\n" else key}
                for key in text
                for kind in ("keyDown", "keyUp")
            ]
        await self._perform({"type": "key", "id": "keyboard", "actions": actions})

    async def _press_element(self, element: dict[str, Any]) -> None:
        """Press the element; again if the page moved it away between looking and pressing."""
        for _ in range(PRESS_TRIES):
            await self._settle(element)
            listening = await self._call(_LISTEN, element)
            try:
                await self._pointer(element)
            except BidiError as error:
                if "out of bounds" not in str(error):
                    raise
            else:
                if not listening or await self._was_hit():
                    return
            await asyncio.sleep(PRESS_PAUSE)
        raise BidiError(f"the press reached something else at {await self.url}")

    async def _settle(self, element: dict[str, Any]) -> None:
        """Wait until the element stays in the middle: choosing files and typing scroll later."""
        before = ""
        for _ in range(SETTLE_TRIES):
            place = str(await self._call(_PLACE, element))
            if place == before:
                return
            before = place
            await asyncio.sleep(SETTLE_PAUSE)

    async def _was_hit(self) -> bool:
        """Whether the click was heard; a page that went away has been pressed."""
        try:
            return bool(await self._call(_HIT))
        except BidiError:
            return True

    async def _pointer(self, element: dict[str, Any]) -> None:
        origin = {"type": "element", "element": element}
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": origin}
        press = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        await self._perform({"type": "pointer", "id": "mouse", "actions": [move, *press]})

    async def _perform(self, source: dict[str, Any]) -> None:
        await self._bidi.send("input.performActions", context=self._context, actions=[source])


def _string(value: str) -> dict[str, Any]:
    return {"type": "string", "value": value}


def _plain(answer: dict[str, Any]) -> Any:
    if answer["type"] == "exception":
        raise BidiError(f"script failed: {answer['exceptionDetails']['text']}")
    return _value(answer["result"])


def _value(remote: dict[str, Any]) -> Any:
    kind = remote["type"]
    if kind == "array":
        return [_value(item) for item in remote["value"]]
    if kind == "object":
        return {key: _value(item) for key, item in remote["value"]}
    return remote.get("value")
