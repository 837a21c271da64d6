# SPDX-License-Identifier: Apache-2.0
"""What a mailing needs beyond one call. Jobs take a way to send calls and a clock, never an Airflow context."""
