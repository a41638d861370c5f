# SPDX-License-Identifier: MIT
"""The servers people use instead of Core, over the same models, each from its own package in an
environment of its own (tools/setup/peers): Triton with its Python backend, which is what installs
without NVIDIA's registry, FastAPI, and MLServer. Each is started as its documentation says, with
the settings that were found to make it fast. They listen on 127.0.0.1 only."""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np

from servers import ROOT, Core, Process, fetch, free_port

MODELS = ("null", "tiny", "bigin")
HERE = Path(__file__).resolve().parent
DEPS = ROOT / ".deps"
TRITON = DEPS / "triton/pytriton/tritonserver"
# Names of the variants of `tiny`: Triton's best is taken.
TRITON_TINY = ("tiny", "tiny_two", "tiny_batch", "tiny_batch_two")


def tree_bytes(folder, without=()):
    """Size of the regular files below a folder, each once."""
    sizes = {}
    for path in Path(folder).rglob("*"):
        if path.is_file() and not path.is_symlink() and not set(path.parts) & set(without):
            stat = path.stat()
            sizes[stat.st_ino] = stat.st_size
    return sum(sizes.values())


def _environment(**variables):
    """This process's, without what belongs to its own Python."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return kept | variables


def _packages_bytes(name):
    """An environment's packages without pip, which only installs them."""
    return tree_bytes(DEPS / "peers" / name / "lib", without=("pip", "setuptools", "__pycache__"))


class Peer(Process):
    """A server at `self.port` that speaks the Open Inference Protocol."""

    def __init__(self, command, folder, port, **variables):
        self.port = port
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "log"
        super().__init__(list(map(str, command)), log=self.log, cwd=folder,
                         env=_environment(**variables))

    def oip_url(self, model_id):
        """Where the model is run."""
        return f"http://127.0.0.1:{self.port}/v2/models/{model_id}/infer"


class FastApi(Peer):
    """One uvicorn worker with uvloop and httptools."""
    name = "FastAPI + orjson"

    def __init__(self, folder, models):
        port = free_port()
        super().__init__(
            [DEPS / "peers/fastapi/bin/python", "-m", "uvicorn", "fastapi_app:app",
             "--app-dir", HERE / "peers", "--host", "127.0.0.1", "--port", port,
             "--no-access-log", "--loop", "uvloop", "--http", "httptools"],
            folder, port, MODELS=str(models))

    @staticmethod
    def disk_bytes():
        """Its packages."""
        return _packages_bytes("fastapi")


class MlServer(Peer):
    """Models in the server's own process, which is its fastest way here."""
    name = "MLServer"

    def __init__(self, folder, models):
        settings = {"host": "127.0.0.1", "http_port": free_port(), "grpc_port": free_port(),
                    "metrics_port": free_port(), "parallel_workers": 0, "debug": False}
        for name in MODELS:
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name / "model-settings.json").write_text(
                json.dumps({"name": name, "implementation": "mlserver_model.OnnxModel"}))
        (folder / "settings.json").write_text(json.dumps(settings))
        super().__init__(
            [DEPS / "peers/mlserver/bin/mlserver", "start", folder], folder,
            settings["http_port"], MODELS=str(models), PYTHONPATH=str(HERE / "peers"))

    @staticmethod
    def disk_bytes():
        """Its packages."""
        return _packages_bytes("mlserver")


def _triton_config(path, shape, more=""):
    """Configuration of a model over one float input and output; `shape` is (input, output)."""
    tensors = [f'{kind} [ {{ name: "{name}" data_type: TYPE_FP32 dims: {list(dims)} }} ]'
               for kind, name, dims in zip(("input", "output"), "xy", shape)]
    return "\n".join(['backend: "python"', *tensors, more,
                      f'parameters {{ key: "path" value: {{ string_value: "{path}" }} }}', ""])


class Triton(Peer):
    """Its Python backend over ONNX Runtime; HTTP only."""
    name = "Triton (Python backend)"

    def __init__(self, folder, models):
        port = free_port()
        self._write_models(folder / "models", models)
        command = [TRITON / "bin/tritonserver", f"--model-repository={folder / 'models'}",
                   f"--backend-directory={self._backends(folder)}",
                   f"--cache-directory={TRITON / 'caches'}", "--http-address=127.0.0.1",
                   f"--http-port={port}", "--allow-grpc=false", "--allow-metrics=false"]
        super().__init__(command, folder, port,
                         LD_LIBRARY_PATH=str(DEPS / "triton/nvidia_pytriton.libs"))

    @staticmethod
    def _backends(folder):
        """The Python backend with what runs Python 3.11."""
        backends = folder / "backends"
        if not backends.exists():
            stub = TRITON / "python_backend_stubs/3.11/triton_python_backend_stub"
            shutil.copytree(TRITON / "backends/python", backends / "python")
            shutil.copy(stub, backends / "python")
            (backends / "python" / stub.name).chmod(0o755)
        return backends

    @staticmethod
    def _write_models(repository, models):
        # The backend's Python does not read PYTHONPATH.
        site = str(DEPS / "peers/triton/lib/python3.11/site-packages")
        code = (f"import sys\n\nsys.path.insert(0, {site!r})\n"
                + (HERE / "peers/triton_model.py").read_text())
        two = "instance_group [ { count: 2 kind: KIND_CPU } ]"
        batch = "max_batch_size: 32\ndynamic_batching { }"
        flat, vector = ((-1, 784), (-1, 10)), ((784,), (10,))
        configs = {
            "null": ("null", ((-1, 4), (-1, 4)), ""),
            "bigin": ("bigin", ((-1, 3, 224, 224), (-1,)), ""),
            "tiny": ("tiny", flat, ""),
            "tiny_two": ("tiny", flat, two),
            "tiny_batch": ("tiny", vector, batch),
            "tiny_batch_two": ("tiny", vector, f"{batch}\n{two}"),
        }
        for name, (model, shape, more) in configs.items():
            version = repository / name / "1"
            version.mkdir(parents=True, exist_ok=True)
            (version / "model.py").write_text(code)
            (version.parent / "config.pbtxt").write_text(
                _triton_config(models / f"{model}.onnx", shape, more))

    @staticmethod
    def disk_bytes():
        """What its package unpacks to, and the packages that its Python backend runs."""
        return tree_bytes(DEPS / "triton", without=("site",)) + _packages_bytes("triton")


class CorePeer(Core):
    """Core as a user starts it, but for the one thread that the peers' engines have too."""
    name = "**MLOS Core**"

    def __init__(self, folder, models):
        first = not folder.exists()
        super().__init__(folder)
        if first:
            for name in MODELS:
                self.register(name, models / f"{name}.onnx")

    @staticmethod
    def disk_bytes():
        """What `make install` puts in place, ONNX Runtime and axon included."""
        target = ROOT / "build/bench/installed"
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["cmake", "--install", str(ROOT / "build"), "--prefix", str(target),
                        "--component", "runtime"], check=True, capture_output=True)
        size = tree_bytes(target)
        shutil.rmtree(target)
        return size


def first_answer_s(server, body, expected, timeout_s=90.0):
    """From the start of the process to the first answer of `tiny`; raises where it is wrong."""
    while True:
        try:
            answer = fetch(server.oip_url("tiny"), body.read())
            break
        except OSError as error:
            if server.process.poll() is not None:
                raise RuntimeError(f"{server.name} ended by itself") from error
            if time.perf_counter() - server.started > timeout_s:
                raise TimeoutError(f"{server.name} does not answer: {error}") from error
            time.sleep(0.002)
    elapsed = time.perf_counter() - server.started
    np.testing.assert_allclose(answer["outputs"][0]["data"], expected.ravel(), rtol=1e-4)
    return elapsed
