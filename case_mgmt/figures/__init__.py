# SPDX-License-Identifier: AGPL-3.0-or-later
"""The numbers of a release: counted from the log, cut to what harms nobody, attacked before use."""
