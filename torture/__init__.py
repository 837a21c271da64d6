# SPDX-License-Identifier: Apache-2.0
"""Kills the examples at every request they make, and checks that nobody is reached twice."""
