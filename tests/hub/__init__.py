# SPDX-License-Identifier: MIT
"""A small hub that speaks the Hugging Face protocol, for tests and the demo. See README.md."""
