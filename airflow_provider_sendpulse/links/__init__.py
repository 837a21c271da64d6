# SPDX-License-Identifier: Apache-2.0
"""Extra links of tasks in the Airflow UI."""
