# SPDX-License-Identifier: MIT
"""The real Triton, and what it and Core are compared by."""

from tests.support.triton.server import Triton

__all__ = ["Triton"]
