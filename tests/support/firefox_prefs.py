# SPDX-License-Identifier: AGPL-3.0-or-later
"""Preferences that make Firefox ESR quiet, and behave as Tor Browser does at each security level.

- QUIET: no update, telemetry, portal probe or prefetch; nothing but the pages asked for.
- TOR: what Tor Browser changes for every page, proxying apart.
- LEVELS: its security slider, with switches of Firefox's own in place of NoScript's.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

Level = Literal["standard", "safer", "safest"]
Pref = bool | int | str

_OFF = """ app.normandy.enabled app.update.auto app.update.enabled browser.aboutConfig.showWarning
browser.discovery.enabled browser.formfill.enable browser.newtabpage.enabled
browser.pagethumbnails.capturing_disabled browser.safebrowsing.downloads.enabled
browser.safebrowsing.malware.enabled browser.safebrowsing.phishing.enabled browser.search.update
browser.shell.checkDefaultBrowser browser.tabs.warnOnClose browser.translations.enable
datareporting.healthreport.uploadEnabled datareporting.policy.dataSubmissionEnabled
dom.push.connection.enabled extensions.getAddons.cache.enabled
extensions.systemAddon.update.enabled extensions.update.enabled network.captive-portal-
service.enabled network.connectivity-service.enabled network.prefetch-next
privacy.trackingprotection.enabled signon.rememberSignons toolkit.telemetry.enabled
toolkit.telemetry.unified
"""

QUIET: Mapping[str, Pref] = {
    **dict.fromkeys(_OFF.split(), False),
    "browser.pagethumbnails.capturing_disabled": True,
    "browser.region.network.url": "",
    "browser.startup.homepage": "about:blank",
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "dom.ipc.processPrelaunch.enabled": False,
    "media.gmp-manager.url": "",
    "network.dns.disablePrefetch": True,
    "network.http.speculative-parallel-limit": 0,
    "security.sandbox.warn_unprivileged_namespaces": False,
    "toolkit.startup.max_resumed_crashes": -1,
}

TOR: Mapping[str, Pref] = {
    "dom.security.https_only_mode.upgrade_onion": False,
    "dom.securecontext.allowlist_onions": True,
    "network.dns.blockDotOnion": False,
    "network.dns.disabled": True,
    "network.http.http3.enable": False,
    "network.proxy.socks_remote_dns": True,
    "network.trr.mode": 5,
    "privacy.resistFingerprinting": True,
}

_JIT = (
    "javascript.options.ion",
    "javascript.options.baselinejit",
    "javascript.options.native_regexp",
    "javascript.options.asmjs",
    "javascript.options.wasm",
    "gfx.font_rendering.graphite.enabled",
    "gfx.font_rendering.opentype_svg.enabled",
)


def _level(*, slow: bool, blocked: bool) -> Mapping[str, Pref]:
    return {
        **dict.fromkeys(_JIT, not slow),
        "mathml.disabled": slow,
        "media.mediasource.enabled": not slow,
        "webgl.disabled": slow,
        "gfx.downloadable_fonts.enabled": not blocked,
        "javascript.enabled": not blocked,
        "svg.disabled": blocked,
        **dict.fromkeys(
            ("media.ogg.enabled", "media.wave.enabled", "media.webm.enabled", "media.mp4.enabled"),
            not blocked,
        ),
    }


LEVELS: Mapping[Level, Mapping[str, Pref]] = {
    "standard": _level(slow=False, blocked=False),
    "safer": _level(slow=True, blocked=False),
    "safest": _level(slow=True, blocked=True),
}


def proxy_prefs(socks_port: int | None) -> Mapping[str, Pref]:
    """Everything through *socks_port*; without one, loopback directly and everything else to a
    dead port.
    """
    return {
        "network.proxy.type": 1,
        "network.proxy.socks": "127.0.0.1",
        "network.proxy.socks_port": 9 if socks_port is None else socks_port,
        "network.proxy.socks_version": 5,
        "network.proxy.no_proxies_on": "127.0.0.1,localhost" if socks_port is None else "",
        "network.proxy.allow_hijacking_localhost": socks_port is not None,
    }


def appearance(*, dark: bool) -> Mapping[str, Pref]:
    """Dark needs fingerprinting resistance off: with it every page is told `light`."""
    return {
        "layout.css.prefers-color-scheme.content-override": 0 if dark else 1,
        "privacy.resistFingerprinting": not dark,
    }


def write_user_js(profile: Path, prefs: Mapping[str, Pref]) -> None:
    """Write the profile's start preferences."""
    lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in sorted(prefs.items())]
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")


def set_prefs_script(prefs: Mapping[str, Pref]) -> str:
    """Return chrome-scope JavaScript that sets *prefs* in the running browser."""
    calls = []
    for name, value in prefs.items():
        kind = "Bool" if isinstance(value, bool) else "Int" if isinstance(value, int) else "String"
        calls.append(f"Services.prefs.set{kind}Pref({json.dumps(name)}, {json.dumps(value)});")
    return " ".join(calls)
