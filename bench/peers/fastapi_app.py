# SPDX-License-Identifier: MIT
"""The Open Inference Protocol as people write it by hand: FastAPI, orjson, ONNX Runtime with one
thread. Run by uvicorn with uvloop and httptools; MODELS is the folder of models."""

import os
from pathlib import Path

import numpy as np
import onnxruntime
import orjson
from fastapi import FastAPI, Request, Response

_options = onnxruntime.SessionOptions()
_options.intra_op_num_threads = 1
_options.inter_op_num_threads = 1
_sessions = {path.stem: onnxruntime.InferenceSession(str(path), _options)
             for path in Path(os.environ["MODELS"]).glob("*.onnx")}
app = FastAPI()


@app.post("/v2/models/{model}/infer")
async def infer(model: str, request: Request):
    """Runs the model on float inputs."""
    session = _sessions[model]
    feed = {tensor["name"]: np.asarray(tensor["data"], np.float32).reshape(tensor["shape"])
            for tensor in orjson.loads(await request.body())["inputs"]}
    outputs = [{"name": output.name, "datatype": "FP32", "shape": list(array.shape),
                "data": array.ravel().tolist()}
               for output, array in zip(session.get_outputs(), session.run(None, feed))]
    return Response(orjson.dumps({"model_name": model, "outputs": outputs}),
                    media_type="application/json")
