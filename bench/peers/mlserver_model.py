# SPDX-License-Identifier: MIT
"""A model of MLServer that runs ONNX Runtime with one thread; MODELS is the folder of models."""

import os

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class OnnxModel(MLModel):
    """Float inputs and outputs."""

    async def load(self) -> bool:
        """Makes the session."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        path = os.path.join(os.environ["MODELS"], f"{self.name}.onnx")
        self.session = onnxruntime.InferenceSession(path, options)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Runs it."""
        feed = {tensor.name: np.asarray(tensor.data.root, np.float32).reshape(tensor.shape)
                for tensor in payload.inputs}
        outputs = [ResponseOutput(name=output.name, datatype="FP32", shape=list(array.shape),
                                  data=array.ravel().tolist())
                   for output, array in zip(self.session.get_outputs(),
                                            self.session.run(None, feed))]
        return InferenceResponse(model_name=self.name, outputs=outputs)
