# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an investigator may do on their own computer: open, compose, keep evidence."""
