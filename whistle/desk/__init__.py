# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk: local web app and commands on the investigator's own computer."""
