# SPDX-License-Identifier: MIT
"""Model files made to hurt whoever loads them: each is refused with its reason, and only it."""

from __future__ import annotations

import json
import os
import pickle
import random
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.support.graphs import scale, value

INVALID = (422, "INVALID_MODEL", "path")
UNSUPPORTED = (422, "UNSUPPORTED_MODEL", "path")


def weights(entries: dict[str, str], name: str = "w") -> TensorProto:
    """Four floats that lie in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    for key, text in entries.items():
        tensor.external_data.add(key=key, value=text)
    return tensor


def identity(**parts: list) -> onnx.GraphProto:
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    graph = helper.make_graph(nodes, "g", [value("x", [4])], [value("y", [4])])
    for part, items in parts.items():
        getattr(graph, part).extend(items)
    return graph


def write(path: Path, graph: onnx.GraphProto, **parts: list) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    for part, items in parts.items():
        getattr(model, part).extend(items)
    path.write_bytes(model.SerializeToString())
    return path


def sparse(tensor: TensorProto) -> onnx.SparseTensorProto:
    return onnx.SparseTensorProto(values=tensor, indices=TensorProto(data_type=7), dims=[4])


def node(**attribute: object) -> onnx.NodeProto:
    made = onnx.NodeProto(op_type="Constant", output=["c"])
    made.attribute.add(name="value", **attribute)
    return made


@pytest.mark.parametrize(
    "location",
    ["../../etc/passwd", "/etc/passwd", "a/../../b", "/proc/self/mem", "/dev/zero", "C:\\w",
     "..\\w", "*/_ORT_MEM_ADDR_/*", "", "./../w", "w/", "//w"],
)  # fmt: skip
def test_weights_that_lie_elsewhere(guarded, tmp_path, location):
    graph = identity(initializer=[weights({"location": location})])
    path = write(tmp_path / "m.onnx", graph)
    guarded.refuses(path, *INVALID, says="is not a plain path")


PLACES: dict[str, Callable[[TensorProto], tuple[onnx.GraphProto, dict]]] = {
    "initializer": lambda t: (identity(initializer=[t]), {}),
    "sparse initializer": lambda t: (identity(sparse_initializer=[sparse(t)]), {}),
    "constant": lambda t: (identity(node=[node(type=4, t=t)]), {}),
    "sparse constant": lambda t: (identity(node=[node(type=11, sparse_tensor=sparse(t))]), {}),
    "list of tensors": lambda t: (identity(node=[node(type=9, tensors=[t])]), {}),
    "subgraph": lambda t: (identity(node=[node(type=5, g=identity(initializer=[t]))]), {}),
    "function": lambda t: (
        identity(),
        {"functions": [onnx.FunctionProto(name="f", domain="d", node=[node(type=4, t=t)])]},
    ),
    "training": lambda t: (
        identity(),
        {"training_info": [onnx.TrainingInfoProto(initialization=identity(initializer=[t]))]},
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_weights_that_lie_elsewhere_wherever_they_are_named(guarded, tmp_path, place):
    graph, parts = PLACES[place](weights({"location": "../../../etc/passwd"}))
    path = write(tmp_path / "m.onnx", graph, **parts)
    guarded.refuses(path, *INVALID, says="is not a plain path")


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"offset": "-1"}, "not a whole number"),
        ({"length": "-16"}, "not a whole number"),
        ({"length": "18446744073709551616"}, "not a whole number"),
        ({"offset": "4096"}, "ends before its offset"),
        ({"length": "1125899906842624"}, "has 16 bytes at its offset"),
        ({"offset": "9223372036854775807", "length": "9223372036854775807"}, "ends before"),
        ({"length": "8"}, "takes 8 bytes, not 16"),
        ({"__class__": "x"}, "unknown key '__class__'"),
        ({"basepath": "/etc"}, "unknown key 'basepath'"),
        ({"location": "gone"}, "which does not exist"),
        ({"location": "link"}, "symbolic link"),
        ({"location": "folder"}, "not a regular file"),
        ({"location": "pipe"}, "not a regular file"),
    ],
)
def test_weights_that_are_not_as_the_graph_says(guarded, tmp_path, entries, says):
    (tmp_path / "w").write_bytes(bytes(16))
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    graph = identity(initializer=[weights({"location": "w"} | entries)])
    guarded.refuses(write(tmp_path / "m.onnx", graph), *INVALID, says=says)


def test_weights_swapped_under_an_unchanged_graph(guarded, tmp_path):
    core = guarded.core
    (tmp_path / "w").write_bytes(np.ones(4, np.float32).tobytes())
    graph = identity(initializer=[weights({"location": "w"})])
    graph.node[0].op_type = "Add"
    graph.node[0].input.append("w")
    path = write(tmp_path / "m.onnx", graph)
    assert core.register("swapped", path).status_code == 200
    assert core.post("/models/swapped/unload").status_code == 200
    (tmp_path / "w").write_bytes(np.zeros(4, np.float32).tobytes())
    refused = core.post("/models/swapped/load")
    assert (refused.status_code, refused.json()["reason"]) == (422, "CHECKSUM_MISMATCH")
    assert str(tmp_path) not in refused.text
    assert core.post("/models/swapped/inference", json={"x": [1, 2, 3, 4]}).status_code == 409
    assert core.delete("/models/swapped").status_code == 200
    guarded.is_unharmed()


def test_weights_flipped_under_their_old_size_and_time(guarded, tmp_path):
    """Core does not read files again that nobody has changed; it is not told who changed them."""
    core = guarded.core
    graph = identity(initializer=[weights({"location": "w"})])
    graph.node[0].op_type = "Add"
    graph.node[0].input.append("w")
    path = write(tmp_path / "m.onnx", graph)
    (tmp_path / "w").write_bytes(np.ones(4, np.float32).tobytes())
    time.sleep(2.5)  # what has only just changed is read again in any case
    assert core.register("flipped", path).status_code == 200
    assert core.post("/models/flipped/unload").status_code == 200
    assert core.post("/models/flipped/load").status_code == 200
    assert core.post("/models/flipped/unload").status_code == 200
    before = (tmp_path / "w").stat()
    with (tmp_path / "w").open("r+b") as file:
        file.write(b"!")
    os.utime(tmp_path / "w", ns=(before.st_atime_ns, before.st_mtime_ns))
    after = (tmp_path / "w").stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    refused = core.post("/models/flipped/load")
    assert (refused.status_code, refused.json()["reason"]) == (422, "CHECKSUM_MISMATCH")
    assert core.delete("/models/flipped").status_code == 200
    guarded.is_unharmed()


def custom(**fields: object) -> onnx.GraphProto:
    made = helper.make_node("Evil", ["x"], ["y"], domain="acme.ops", library="/tmp/evil.so")
    for name, text in fields.items():
        setattr(made, name, text)
    return helper.make_graph([made], "g", [value("x", [4])], [value("y", [4])])


def context() -> onnx.GraphProto:
    """A graph that has been compiled for a device, and names the file of what came out."""
    made = helper.make_node(
        "EPContext", ["x"], ["y"], domain="com.microsoft", embed_mode=0, main_context=1,
        ep_cache_context="../../../etc/passwd", source="QNN",
    )  # fmt: skip
    return helper.make_graph([made], "g", [value("x", [4])], [value("y", [4])])


@pytest.mark.parametrize(("graph", "domain"), [(custom, "acme.ops"), (context, "com.microsoft")])
def test_operators_that_bring_code_along(guarded, tmp_path, graph, domain):
    path = write(tmp_path / "m.onnx", graph(), opset_import=[helper.make_opsetid(domain, 1)])
    guarded.refuses(path, *UNSUPPORTED)


def test_settings_that_a_model_carries_are_not_read(guarded, tmp_path):
    settings = {"session_options": {"session.load_config_from_model": "1",
                                    "register_custom_ops_library": "/tmp/evil.so"}}  # fmt: skip
    keys = ("ort_config", "session.register_custom_ops_library", "custom_ops_library_path")
    properties = [onnx.StringStringEntryProto(key=k, value=json.dumps(settings)) for k in keys]
    path = write(tmp_path / "m.onnx", identity(), metadata_props=properties)
    assert guarded.core.register("annotated", path).status_code == 200
    assert "evil" not in Path(f"/proc/{guarded.core.pid}/maps").read_text()
    assert guarded.core.delete("/models/annotated").status_code == 200
    guarded.is_unharmed()


def test_a_graph_that_wants_a_terabyte_while_it_is_loaded(guarded, tmp_path):
    """ONNX Runtime gives up folding it, and leaves it for a run, which is refused."""
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0),
        helper.make_node("Add", ["x", "sum"], ["y"]),
    ]
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [1 << 20, 1 << 18])
    graph = helper.make_graph(nodes, "g", [value("x", [4])], [value("y", [4])], [shape])
    reply = guarded.core.register("terabyte", write(tmp_path / "m.onnx", graph))
    assert reply.status_code == 200, reply.text
    reply = guarded.core.post("/models/terabyte/inference", json={"x": [1, 2, 3, 4]})
    assert (reply.status_code, reply.json()["reason"]) == (507, "OUT_OF_MEMORY"), reply.text
    assert guarded.core.delete("/models/terabyte").status_code == 200
    guarded.is_unharmed()


def test_damaged_graphs_are_refused_or_served(guarded, tmp_path):
    """Whatever a flipped, cut or repeated byte makes of a graph, it is never the server's fault."""
    rng = random.Random(58)
    good = scale(tmp_path / "good.onnx", 3.0).read_bytes()
    for number in range(40):
        data = bytearray(good)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(data))
            if rng.random() < 0.2:
                data[at:at] = data[at : at + rng.randrange(1, 20)]
            data[at] = rng.randrange(256)
        path = tmp_path / f"{number}.onnx"
        path.write_bytes(data)
        reply = guarded.core.register("damaged", path)
        assert reply.status_code in (200, 422), (bytes(data), reply.text)
        if reply.status_code == 200:
            assert guarded.core.delete("/models/damaged").status_code == 200
    guarded.is_unharmed()


class Exploit:
    """What every unpickler runs."""

    def __reduce__(self) -> tuple:
        return os.system, ("touch /tmp/mlos_was_unpickled",)


PICKLE = pickle.dumps(Exploit())
NPY = b"\x93NUMPY\x01\x00" + struct.pack("<H", 118)
FOREIGN = {
    "model.gguf": b"GGUF" + struct.pack("<IQQ", 3, 1 << 62, 1 << 62),
    "model.safetensors": struct.pack("<Q", (1 << 63) - 1) + b"{",
    "overlap.safetensors": struct.pack("<Q", 2) + b"{}",
    "model.pt": PICKLE,
    "model.bin": PICKLE,
    "model.pkl": PICKLE,
    "model.joblib": PICKLE,
    "weights.npy": NPY + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}" + PICKLE,
    "model.keras": b"PK\3\4" + bytes(30),
    "saved_model.pb": b"\x08\x01" + bytes(30),
    "hubconf.py": b"import os; os.system('touch /tmp/mlos_was_unpickled')",
    "model.tflite": b"\x1c\0\0\0TFL3" + bytes(30),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_formats_that_nothing_here_reads(guarded, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FOREIGN[name])
    suffix = path.suffix[1:]
    guarded.refuses(path, 409, "NO_PLUGIN", "execution_format", says=suffix)
    os.truncate(path, 1 << 40)  # which to read would take all day
    guarded.refuses(path, 409, "NO_PLUGIN", "execution_format", says=suffix)
    os.truncate(path, len(FOREIGN[name]))
    # Called something else, they are still not what that is.
    disguised = tmp_path / "model.onnx"
    disguised.write_bytes(FOREIGN[name])
    guarded.refuses(disguised, *INVALID)
    guarded.refuses(path, *INVALID, execution_format="onnx")
    guarded.refuses(tmp_path, *INVALID)
    assert not Path("/tmp/mlos_was_unpickled").exists()


def test_nothing_is_fetched_because_a_path_looks_like_an_address(guarded):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        port = listener.getsockname()[1]
        for address in (
            f"http://127.0.0.1:{port}/m.onnx", f"https://127.0.0.1:{port}/m.onnx",
            f"//127.0.0.1:{port}/m.onnx", "file:///etc/passwd", "hf/google/magika@latest",
            "unix:///run/x.sock",
        ):  # fmt: skip
            reply = guarded.core.register("hostile/m@v1", address)
            assert reply.status_code in (400, 404), reply.text
            assert reply.json()["field"] == "path"
        with pytest.raises(BlockingIOError):
            listener.accept()
    guarded.is_unharmed()


@pytest.mark.parametrize("name", ["m.onnx", "m.axon", "m.gguf"])
@pytest.mark.parametrize("field", ["path", "manifest_path"])
def test_what_is_no_file_is_not_waited_for(guarded, tmp_path, name, field):
    good = scale(tmp_path / "good.onnx", 2.0)
    os.mkfifo(tmp_path / name)
    (tmp_path / "mem.onnx").symlink_to("/proc/self/mem")
    special = ["/dev/zero", "/dev/full", "/proc/self/mem"]
    for path in (tmp_path / name, tmp_path / "mem.onnx", *special):
        fields = {"path": str(good), field: str(path)}
        reply = guarded.core.post("/models/register", json={"model_id": "m", **fields})
        assert reply.status_code in (400, 403, 404, 422), reply.text
        assert reply.json()["field"] == field, reply.text
    guarded.is_unharmed()


OTHERS = {
    "a Git LFS pointer": (b"version https://git-lfs.github.com/spec/v1\nsize 9\n", "git lfs pull"),
    "a web page": (b"<!doctype html><title>Sign in</title>", "is a web page"),
    "an empty file": (b"", "is empty"),
    "a pickle": (PICKLE, "export the model to ONNX"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_no_model_is_named_as_what_it_is(shared_core, tmp_path, kind):
    bytes_, said = OTHERS[kind]
    path = tmp_path / "model.onnx"
    path.write_bytes(bytes_)
    told = shared_core.register("f", path)
    assert (told.status_code, told.json()["reason"]) == (422, "INVALID_MODEL")
    assert "model.onnx is no ONNX model: it" in told.json()["message"]
    assert said in told.json()["message"]
