# SPDX-License-Identifier: Apache-2.0
"""Mutation testing of the modules that decide what is sent: ``make mutation``."""
