# SPDX-License-Identifier: Apache-2.0
"""Kills the example run at every request it makes, and checks that nobody is mailed twice."""
