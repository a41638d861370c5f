# SPDX-License-Identifier: MIT
"""A model of Triton's Python backend that runs ONNX Runtime with one thread, all requests it is
given at once in one run; the parameter `path` of its configuration is the model's file."""

import json

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb


class TritonPythonModel:
    """One input `x`, one output `y`, floats."""

    def initialize(self, args):
        """Makes the session."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        path = json.loads(args["model_config"])["parameters"]["path"]["string_value"]
        self.session = onnxruntime.InferenceSession(path, options)

    def execute(self, requests):
        """Runs it."""
        arrays = [pb.get_input_tensor_by_name(request, "x").as_numpy() for request in requests]
        batch = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        output = self.session.run(None, {"x": batch})[0]
        ends = np.cumsum([len(array) for array in arrays])[:-1]
        return [pb.InferenceResponse([pb.Tensor("y", part)]) for part in np.split(output, ends)]
