# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk as pages on loopback: guard, vault, handlers, views. No script, nothing stored."""
