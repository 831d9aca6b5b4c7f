# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reporter without a browser: the HTTP forms of docs/spec/http.md, nothing else."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

_TOKEN = re.compile(r'name="token" value="([^"]+)"')
_WORDS = re.compile(r'<ol class="words">(.*?)</ol>', re.S)
_ITEM = re.compile(r"<li>([a-z]+)</li>")
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Draft:
    """One filled-in form: sent twice, it is the same press of the button twice."""

    token: str
    fields: Mapping[str, str]
    files: Sequence[tuple[str, bytes]] = field(default=())


class UnexpectedAnswerError(Exception):
    """The service answered something else than a reporter may expect."""


class HttpReporter:
    """Speaks to one intake. Keeps cookies the way a browser does."""

    def __init__(
        self, base: str, lang: str = "id", connector: aiohttp.BaseConnector | None = None
    ) -> None:
        self._base = base.rstrip("/")
        self.lang = lang
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=60),
            headers={"Origin": self._base},
        )

    async def __aenter__(self) -> "HttpReporter":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    def cookies(self) -> list[str]:
        """The values of the cookies it was given."""
        return [cookie.value for cookie in self._session.cookie_jar]

    async def draft(
        self, fields: Mapping[str, str], files: Sequence[tuple[str, bytes]] = ()
    ) -> Draft:
        """Opens the form and fills it in."""
        page = await self.get(f"/{self.lang}/report")
        return Draft(_token(page), fields, files)

    async def send(self, draft: Draft) -> list[str]:
        """Presses the button; returns the words of the receipt."""
        page = await self._post(f"/{self.lang}/report", _form(draft), 200)
        return words_of(page)

    async def look(self, words: Sequence[str]) -> str:
        """Types the code; returns the status page."""
        return await self._post(f"/{self.lang}/status", {"code": " ".join(words)}, 200)

    async def write(
        self, status_page: str, text: str, files: Sequence[tuple[str, bytes]] = ()
    ) -> str:
        """Sends a later message from the status page."""
        draft = Draft(_token(status_page), {"text": text}, files)
        return await self._post(f"/{self.lang}/status/message", _form(draft), 200)

    async def get(self, path: str) -> str:
        """Fetches a page that must be there."""
        async with self._session.get(self._base + path) as answer:
            if answer.status != 200:
                raise UnexpectedAnswerError(f"{path}: {answer.status}")
            return await answer.text()

    async def _post(
        self, path: str, data: aiohttp.FormData | Mapping[str, str], wanted: int
    ) -> str:
        async with self._session.post(self._base + path, data=data) as answer:
            text = await answer.text()
            if answer.status != wanted:
                raise UnexpectedAnswerError(f"{path}: {answer.status}: {visible(text)[:500]}")
            return text


def words_of(page: str) -> list[str]:
    """The twelve words of a receipt page."""
    listed = _WORDS.search(page)
    if listed is None:
        raise UnexpectedAnswerError(f"no receipt on the page: {visible(page)[:500]}")
    return _ITEM.findall(listed[1])


def visible(page: str) -> str:
    """The text of a page without its tags."""
    return html.unescape(_TAG.sub(" ", page))


def _token(page: str) -> str:
    found = _TOKEN.search(page)
    if found is None:
        raise UnexpectedAnswerError("no token in the form")
    return found[1]


def _form(draft: Draft) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("token", draft.token)
    for name, value in draft.fields.items():
        form.add_field(name, value)
    for name, content in draft.files:
        form.add_field("file", content, filename=name, content_type="application/octet-stream")
    return form
