# SPDX-License-Identifier: AGPL-3.0-or-later
"""How machines find and understand a release: datapackage.json and dcat.jsonld.

Invariant: both describe the files beside them by relative paths, so that a copy describes itself.

Source: Frictionless Data Package v1 (tabular), W3C DCAT 3; docs/spec/release.md section 3.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from whistle.i18n import LANGUAGES
from whistle.release.inputs import ReleaseInputs
from whistle.release.sheets import SHEETS

LICENCE_NAME: Final = "CC-BY-4.0"
LICENCE_TITLE: Final = "Creative Commons Attribution 4.0 International"
LICENCE_ADDRESS: Final = "https://creativecommons.org/licenses/by/4.0/"
_TITLE: Final = {
    "id": "Tindak lanjut laporan pungli dan suap",
    "en": "Follow-up of reports of illegal charges and bribes",
}
_JSON_FILES: Final = {
    "figures": "City figures",
    "tables": "Tables by office, service and subject",
    "suppression": "What is withheld, and why",
}


def datapackage(inputs: ReleaseInputs, files: Mapping[str, bytes]) -> bytes:
    """The Frictionless descriptor of the CSV and JSON files among `files`."""
    return _pretty(
        {
            "profile": "data-package",
            "name": f"whistle-follow-up-{inputs.id}",
            "title": f"{_TITLE['en']}: {inputs.manifest.name['en']}, {inputs.id}",
            "version": inputs.id,
            "created": f"{inputs.as_of.isoformat()}T00:00:00Z",
            "licenses": [{"name": LICENCE_NAME, "title": LICENCE_TITLE, "path": LICENCE_ADDRESS}],
            "contributors": [{"title": inputs.manifest.name["en"], "role": "publisher"}],
            "resources": [*_tabular(files), *_objects(files)],
        }
    )


def dcat(inputs: ReleaseInputs, files: Mapping[str, bytes]) -> bytes:
    """The DCAT record of the release."""
    names = inputs.manifest.name
    return _pretty(
        {
            "@context": {
                "dcat": "http://www.w3.org/ns/dcat#",
                "dct": "http://purl.org/dc/terms/",
                "foaf": "http://xmlns.com/foaf/0.1/",
                "xsd": "http://www.w3.org/2001/XMLSchema#",
            },
            "@id": "release.json",
            "@type": "dcat:Dataset",
            "dct:identifier": f"{inputs.instance_id.hex()}/{inputs.id}",
            "dct:title": [_in(lang, _TITLE[lang]) for lang in LANGUAGES],
            "dct:publisher": {
                "@type": "foaf:Agent",
                "foaf:name": [_in(lang, names[lang]) for lang in LANGUAGES],
            },
            "dct:issued": {"@type": "xsd:date", "@value": inputs.as_of.isoformat()},
            "dct:temporal": {
                "@type": "dct:PeriodOfTime",
                "dcat:startDate": _day(inputs.period.first.isoformat()),
                "dcat:endDate": _day(inputs.period.last.isoformat()),
            },
            "dct:language": list(LANGUAGES),
            "dct:license": {"@id": LICENCE_ADDRESS},
            "dcat:version": inputs.id,
            "dcat:landingPage": {"@id": "index.html"},
            "dcat:distribution": [
                _distribution(path, data)
                for path, data in sorted(files.items())
                if path.startswith("data/")
            ],
        }
    )


def _tabular(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [
        {
            "profile": "tabular-data-resource",
            "name": sheet.name.replace("_", "-"),
            "path": sheet.path,
            "title": sheet.title,
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "bytes": len(files[sheet.path]),
            "hash": f"sha256:{hashlib.sha256(files[sheet.path]).hexdigest()}",
            "schema": {
                "fields": [{"name": name, "type": kind} for name, kind in sheet.columns.items()],
                "missingValues": [""],
            },
        }
        for sheet in SHEETS
    ]


def _objects(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{name}-json",
            "path": f"data/{name}.json",
            "title": title,
            "format": "json",
            "mediatype": "application/json",
            "encoding": "utf-8",
            "bytes": len(files[f"data/{name}.json"]),
            "hash": f"sha256:{hashlib.sha256(files[f'data/{name}.json']).hexdigest()}",
        }
        for name, title in _JSON_FILES.items()
    ]


def _distribution(path: str, data: bytes) -> dict[str, Any]:
    return {
        "@type": "dcat:Distribution",
        "dcat:downloadURL": {"@id": path},
        "dcat:mediaType": "text/csv" if path.endswith(".csv") else "application/json",
        "dcat:byteSize": len(data),
        "dct:license": {"@id": LICENCE_ADDRESS},
    }


def _in(lang: str, text: str) -> dict[str, str]:
    return {"@language": lang, "@value": text}


def _day(text: str) -> dict[str, str]:
    return {"@type": "xsd:date", "@value": text}


def _pretty(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
