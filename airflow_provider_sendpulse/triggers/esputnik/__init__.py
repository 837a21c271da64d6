# SPDX-License-Identifier: Apache-2.0
"""Triggers that wait for something of eSputnik (Yespo)."""
