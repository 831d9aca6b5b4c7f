# SPDX-License-Identifier: AGPL-3.0-or-later
"""Names for what codes mean, for pages and commands alike.

Reports come from outside: an unknown field or code keeps its raw form instead of raising, so that
no hostile answer can hide a report or break a page. Escaping is the renderer's duty.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from case_mgmt.catalogue import Catalogue as Services
from case_mgmt.desk.history import CheckedAct, Signatory
from crypto.manifest import Manifest
from whistle.i18n import Catalogue
from whistle.intake.fields import REPORT_FIELDS, Kind

UNIT_FIELDS = frozenset({"unit", "exclude_unit"})
SERVICE_FIELD = "service"
STORY_FIELD = "story"
DANGER_FIELD = "danger"


@dataclass(frozen=True)
class Answer:
    """One answered question. `is_long` asks for a block of its own."""

    field: str
    label: str
    text: str
    is_long: bool = False
    note: str = ""


@dataclass(frozen=True)
class Labels:
    """Names in one language for one organisation."""

    texts: Catalogue
    manifest: Manifest
    services: Services

    def status(self, code: str) -> str:
        """A public code as the reporter reads it."""
        return self._text(f"status.{code}", code)

    def reason(self, code: str | None) -> str:
        """A reason code, or nothing."""
        return "" if code is None else self._text(f"reason.{code}", code)

    def due_kind(self, kind: str | None) -> str:
        """What is due."""
        return "" if kind is None else self._text(f"case.due_kind.{kind}", kind)

    def person(self, person_id: str | None) -> str:
        """A person's name, or the id when the manifest does not know it."""
        if person_id is None:
            return self.texts.t("desk.label.nobody")
        for person in self.manifest.people:
            if person.id == person_id:
                return person.name
        return person_id

    def signer(self, checked: CheckedAct) -> str:
        """Who signed an act."""
        if checked.by_service:
            return self.texts.t("desk.label.service")
        if checked.signer is None:
            return self.texts.t("desk.label.unknown_signer")
        return self.signatory(checked.signer)

    def signatory(self, who: Signatory) -> str:
        """A person who signed; a key of the past is said to be one."""
        return self.texts.t("desk.label.former", name=who.name) if who.is_former else who.name

    def act(self, checked: CheckedAct) -> str:
        """What an act did, in a few words."""
        act = checked.entry.signed.act
        if act.source is not None and act.source != act.target:
            source, target = self.status(act.source), self.status(act.target)
            return f"{source} → {target}"
        name = self._text(f"desk.act.{act.kind.value}", act.kind.value)
        if act.assignee is not None:
            return f"{name}: {self.person(act.assignee)}"
        if act.until is not None:
            return f"{name}: {self.texts.day(act.until)}"
        return name

    def answers(self, fields: Mapping[str, str]) -> tuple[Answer, ...]:
        """Every answer of a report: known questions in the form's order, then the rest."""
        return tuple(self._answers(fields))

    def _answers(self, fields: Mapping[str, str]) -> Iterator[Answer]:
        known = [field for field in REPORT_FIELDS if fields.get(field.name)]
        for field in known:
            value = fields[field.name]
            yield Answer(
                field.name,
                self._text(f"field.{field.name}.label", field.name),
                self._value(field.name, value),
                is_long=field.kind is Kind.TEXT,
                note=self._fee(value) if field.name == SERVICE_FIELD else "",
            )
        names = {field.name for field in known}
        for name in sorted(fields.keys() - names):
            if fields[name]:
                yield Answer(name, name, fields[name], is_long=True)

    def _value(self, field: str, value: str) -> str:
        if field in UNIT_FIELDS:
            return self._named({unit.id: unit.name for unit in self.services.units}, field, value)
        if field == SERVICE_FIELD:
            names = {service.id: service.name for service in self.services.services}
            return self._named(names, field, value)
        return self._text(f"option.{field}.{value}", value)

    def _named(self, names: Mapping[str, Mapping[str, str]], field: str, value: str) -> str:
        if value in names:
            return names[value][self.texts.lang]
        return self._text(f"option.{field}.{value}", value)

    def _fee(self, service_id: str) -> str:
        """The official fee beside the service, the contrast every such report is about."""
        for service in self.services.services:
            if service.id == service_id and service.official_fee is not None:
                fee = self.texts.rupiah(service.official_fee)
                return self.texts.t("desk.label.official_fee", fee=fee)
        return ""

    def _text(self, key: str, fallback: str) -> str:
        return self.texts.texts.get(key, fallback)
