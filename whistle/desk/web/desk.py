# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk as one object, which handlers get from the application."""

from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web

from whistle.desk.casefile import CaseFile
from whistle.desk.errors import DeskError
from whistle.desk.labels import Labels
from whistle.desk.terminal import error_text
from whistle.desk.web.copies import Copies
from whistle.desk.web.drafts import Drafts
from whistle.desk.web.guard import Door
from whistle.desk.web.pages import DeskPages, Frame
from whistle.desk.web.vault import Vault
from whistle.i18n import Catalogue, Language


@dataclass
class Desk:
    """What a running desk consists of; `lang` is the language of its one user."""

    door: Door
    vault: Vault
    drafts: Drafts
    lang: Language
    pages: DeskPages = field(default_factory=DeskPages)
    copies: Copies = field(default_factory=Copies)

    def __post_init__(self) -> None:
        self.vault.on_change = self.forget

    def forget(self) -> None:
        """Lets go of what belonged to whoever was at the desk."""
        self.drafts.clear()
        self.copies.clear()

    @property
    def texts(self) -> Catalogue:
        """The words in use."""
        return self.pages.texts[self.lang]

    async def labels(self) -> Labels:
        """Names for codes."""
        organisation = await self.vault.organisation()
        return Labels(self.texts, organisation.manifest, organisation.catalogue)

    async def open_case(self, request: web.Request) -> CaseFile:
        """The case of the path, opened and verified now."""
        organisation = await self.vault.organisation()
        return await self.vault.bench().open(request.match_info["case"], organisation)

    async def page(
        self, request: web.Request, name: str, status: int = 200, **values: Any
    ) -> web.Response:
        """A rendered page."""
        frame = None
        if self.vault.identity is not None and name != "unlock":
            frame = await self._frame(request)
        body = self.pages.render(self.lang, name, frame, **values)
        return web.Response(body=body, status=status, content_type="text/html", charset="utf-8")

    def error_page(self, error: DeskError, status: int) -> web.Response:
        """An error in plain words; needs neither keys nor server."""
        text = error_text(error, self.texts)
        body = self.pages.render(self.lang, "error", None, text=text)
        return web.Response(body=body, status=status, content_type="text/html", charset="utf-8")

    def unlock_values(self, error: DeskError | None = None, chosen: str = "") -> dict[str, Any]:
        """What the unlock page shows."""
        return {
            "keystores": [keystore.label for keystore in self.vault.keystores],
            "needs_passphrase": self.vault.needs_passphrase,
            "chosen": chosen,
            "error": "" if error is None else error_text(error, self.texts),
        }

    async def _frame(self, request: web.Request) -> Frame:
        organisation = await self.vault.organisation()
        keystore = self.vault.keystore
        return Frame(
            person=organisation.me.name,
            organisation=organisation.manifest.name[self.lang],
            is_demo=organisation.manifest.demo,
            keystores=tuple(each.label for each in self.vault.keystores),
            current="" if keystore is None else keystore.label,
            can_switch=not self.vault.needs_passphrase,
            path=request.rel_url.path if request.method == "GET" else "/",
        )


DESK: Final = web.AppKey("desk", Desk)
