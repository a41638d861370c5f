# SPDX-License-Identifier: MIT
"""Everything that needs running programs: the test hub, models, harness, integration tests."""
