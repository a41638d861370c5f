# SPDX-License-Identifier: MIT
"""Makes the seeds that are binary, and therefore not in the tree: `python seeds.py FOLDER` writes
FOLDER/<target>/<seed> for the fuzz targets that read files."""

import io
import pathlib
import re
import sys
import tarfile

from onnx import TensorProto, helper

IPC_PAGE = pathlib.Path(__file__).parents[2] / "docs" / "IPC-PROTOCOL.md"
MANIFEST = pathlib.Path(__file__).parent / "corpus" / "manifest" / "strict.yaml"


def models():
    """Small graphs that between them use every part of the format that the reader looks into."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 3])
    weight = helper.make_tensor("w", TensorProto.FLOAT, [3], [1.0, 2.0, 3.0])
    add = helper.make_node("Add", ["x", "w"], ["y"])
    yield "add", helper.make_model(helper.make_graph([add], "add", [x], [y], [weight]))

    outside = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3])
    outside.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", "0"), ("length", "12")):
        outside.external_data.add(key=key, value=value)
    yield "external", helper.make_model(helper.make_graph([add], "add", [x], [y], [outside]))

    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    branch = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "branch", [], [y])
    choose = helper.make_node("If", ["flag"], ["y"], then_branch=branch, else_branch=branch)
    yield "branches", helper.make_model(helper.make_graph([choose], "if", [flag, x], [y]))

    words = helper.make_tensor_sequence_value_info("words", TensorProto.STRING, None)
    copy = helper.make_node("Identity", ["words"], ["y"])
    yield "sequence", helper.make_model(helper.make_graph([copy], "words", [words], [words]))


def archive(mode):
    """A tar of a manifest, a folder and a file."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as tar:
        files = {"manifest.yaml": MANIFEST.read_bytes(), "onnx/model.onnx": b"abc"}
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def frames():
    """The test vectors of the IPC protocol."""
    page = IPC_PAGE.read_text()
    for name, text in re.findall(r"```hex (\w+)\n(.*?)```", page, re.DOTALL):
        yield name, bytes.fromhex(text)


def main(folder):
    seeds = {f"onnx_model/{name}": model.SerializeToString() for name, model in models()}
    seeds |= {"archive/plain": archive("w"), "archive/gzip": archive("w:gz")}
    seeds |= {f"ipc_frame/{name}": frame for name, frame in frames()}
    for name, content in seeds.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1])
