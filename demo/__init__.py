# SPDX-License-Identifier: Apache-2.0
"""Two weekly mailings under a real Airflow, against the emulator: ``make demo``."""
