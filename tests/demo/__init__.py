# SPDX-License-Identifier: MIT
"""The demonstration behind `make demo` and `make try`."""
