# SPDX-License-Identifier: MIT
"""The real Triton Inference Server, out of PyPI's nvidia-pytriton wheel, with its Python backend:
what other servers are compared with. Fetched by `tools/setup/setup.sh deep`."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import requests

from tests.support import paths, process

_START_S = 240.0

# Each output is the input of the same place, floats of `factor` times it.
_MODEL_PY = """
import sys
sys.path.insert(0, SITE)
import triton_python_backend_utils as pb

class TritonPythonModel:
    def execute(self, requests):
        return [pb.InferenceResponse([
            pb.Tensor(out, pb.get_input_tensor_by_name(request, name).as_numpy() * factor
                      if factor != 1 else pb.get_input_tensor_by_name(request, name).as_numpy())
            for name, out, factor in TENSORS]) for request in requests]
"""


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for sock in (one, other):
            sock.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _config(tensors: list[tuple[str, str, str, list[int]]]) -> str:
    """`tensors` are (input, output, datatype, dims)."""
    lines = ['backend: "python"', "max_batch_size: 0"]
    for name, out, datatype, dims in tensors:
        kind = "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"
        for key, tensor in (("input", name), ("output", out)):
            lines.append(f'{key} [ {{ name: "{tensor}" data_type: {kind} dims: {dims} }} ]')
    return "\n".join(lines) + "\n"


class Triton:
    """One `tritonserver` on the loopback address over models of its own, which it does not load by
    itself. Thread-compatible."""

    def __init__(self, folder: Path) -> None:
        """Everything it needs is kept below `folder`. Raises FileNotFoundError where Triton was
        not fetched."""
        self._wheel = paths.DEPS / "triton"
        if not self._wheel.exists():
            raise FileNotFoundError("Triton is not there; run tools/setup/setup.sh deep")
        self.folder = folder
        self.models = folder / "models"
        self.models.mkdir(parents=True)
        self.log_path = folder / "triton.log"
        self.port, self.grpc_port = _free_ports()
        self._process: subprocess.Popen | None = None

    def add_model(self, name: str, tensors: list[tuple[str, str, str, list[int], int]]) -> None:
        """A model of version 1; `tensors` are (input, output, datatype, dims, factor)."""
        version = self.models / name / "1"
        version.mkdir(parents=True)
        (version.parent / "config.pbtxt").write_text(_config([tensor[:4] for tensor in tensors]))
        known = [(tensor[0], tensor[1], tensor[4]) for tensor in tensors]
        site = str((self._wheel / "site").resolve())
        (version / "model.py").write_text(f"TENSORS = {known!r}\nSITE = {site!r}\n{_MODEL_PY}")

    def start(self) -> Triton:
        """Starts it and waits until it is ready; raises RuntimeError with its log otherwise."""
        server = self._wheel / "pytriton/tritonserver"
        stub = server / "python_backend_stubs/3.11/triton_python_backend_stub"
        backends = self.folder / "backends"
        shutil.copytree(server / "backends/python", backends / "python")
        shutil.copy(stub, backends / "python")
        (backends / "python" / stub.name).chmod(0o755)
        env = process.clean_environment(
            self.folder,
            LD_LIBRARY_PATH=str(self._wheel / "nvidia_pytriton.libs"),
        )
        loopback = [f"--{kind}-address=127.0.0.1" for kind in ("http", "grpc", "metrics")]
        command = [
            str(server / "bin/tritonserver"), f"--model-repository={self.models}",
            f"--backend-directory={backends}", f"--cache-directory={server / 'caches'}",
            *loopback, f"--http-port={self.port}", f"--grpc-port={self.grpc_port}",
            "--allow-metrics=false", "--model-control-mode=explicit",
        ]  # fmt: skip
        command += [f"--load-model={path.name}" for path in sorted(self.models.iterdir())]
        with self.log_path.open("wb") as log:
            self._process = process.spawn(
                command, env=env, cwd=self.folder, stdout=log, stderr=log
            )
        deadline = time.monotonic() + _START_S
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"Triton does not start:\n{self.log_path.read_text()}")
            time.sleep(0.1)
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def grpc_address(self) -> str:
        return f"127.0.0.1:{self.grpc_port}"

    def stop(self) -> None:
        process.stop(self._process, 20.0)

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/v2/health/ready", timeout=5).status_code == 200
        except OSError:
            return False
