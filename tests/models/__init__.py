# SPDX-License-Identifier: MIT
"""Makes and collects the models the test hub serves. See README.md."""
