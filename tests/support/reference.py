# SPDX-License-Identifier: MIT
"""ONNX Runtime in Python: what every answer of Core is compared with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime


class OrtReference:
    """A graph run by ONNX Runtime directly, on one thread, so that results repeat."""

    def __init__(self, graph: Path | bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        source = graph if isinstance(graph, bytes) else str(graph)
        self._session = onnxruntime.InferenceSession(
            source, options, providers=["CPUExecutionProvider"]
        )

    @property
    def input_names(self) -> list[str]:
        return [value.name for value in self._session.get_inputs()]

    @property
    def output_names(self) -> list[str]:
        return [value.name for value in self._session.get_outputs()]

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All outputs by name."""
        return dict(zip(self.output_names, self._session.run(None, inputs), strict=True))
