# SPDX-License-Identifier: MIT
"""Makes the seeds that are binary, and therefore not in the tree: `python seeds.py FOLDER` writes
FOLDER/<target>/<seed> for the fuzz targets that read files."""

import gzip
import io
import pathlib
import re
import sys
import tarfile
import zlib

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

    matrix = helper.make_tensor("w", TensorProto.FLOAT, [3, 512], bytes(6144), raw=True)
    product = helper.make_node("MatMul", ["x", "w"], ["y"])
    yield "weights", helper.make_model(helper.make_graph([product], "p", [x], [y], [matrix]))

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


def requests():
    """Requests with compressed bodies, and one that says where it comes from and goes to."""
    for coding, pack in {"gzip": gzip.compress, "deflate": zlib.compress}.items():
        body = pack(b'{"x": [1, 2, 3]}')
        yield coding, request("POST /v2/models/a%2Fb/versions/1/infer", body,
                              f"Content-Encoding: {coding}")  # fmt: skip
    yield "bomb", request("POST /models/m/inference", gzip.compress(bytes(1 << 19)),
                          "Content-Encoding: gzip")  # fmt: skip
    target = "DELETE /models/hf%2Forg%2Fm%40v1?include_outputs=%66alse&a=%c3%bc"
    yield "names", request(target, b"", "Origin: https://[::1]:80")


def request(target, body, *headers):
    """A request of HTTP/1.1."""
    lines = [f"{target} HTTP/1.1", "Host: LOCALHOST.:80", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def message(*fields):
    """A protobuf message: numbers are varints, bytes and text are length-delimited."""
    parts = []
    for number, content in fields:
        if isinstance(content, int):
            parts.append(varint(number << 3) + varint(content))
        else:
            data = content.encode() if isinstance(content, str) else content
            parts.append(varint(number << 3 | 2) + varint(len(data)) + data)
    return b"".join(parts)


def varint(value):
    """As protobuf writes numbers."""
    low = []
    while value >= 0x80:
        low.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*low, value])


def inferences():
    """Inference requests of both gRPC services, by hand: protobuf's Python is not wanted for it."""
    shape = varint(1) + varint(2)
    typed = {
        "bool": ("BOOL", (1, b"\1\0")), "int": ("INT8", (2, b"\1\2")),
        "int64": ("INT64", (3, b"\1\2")), "uint": ("UINT16", (4, b"\1\2")),
        "uint64": ("UINT64", (5, b"\1\2")), "fp32": ("FP32", (6, bytes(8))),
        "fp64": ("FP64", (7, bytes(16))), "bytes": ("BYTES", (8, b"ab")),
    }  # fmt: skip
    for name, (datatype, contents) in typed.items():
        both = [contents, (8, b"")] if name == "bytes" else [contents]
        tensor = message((1, "x"), (2, datatype), (3, shape), (5, message(*both)))
        yield f"oip_{name}", message((1, "m"), (3, "7"), (5, tensor))
    raws = {"FP32": bytes(8), "BF16": bytes(4), "BYTES": b"\1\0\0\0a\0\0\0\0", "BOOL": b"\1\0"}
    tensors = [(5, message((1, name), (2, name), (3, shape))) for name in raws]
    parameter = (4, message((1, "timeout"), (2, message((2, 5)))))
    asked = (6, message((1, "y")))
    contents = [(7, raw) for raw in raws.values()]
    yield "oip_raw", message((1, "m"), (2, "1"), parameter, *tensors, asked, *contents)
    numbers = message((1, "x"), (2, "float32"), (3, shape), (4, bytes(8)))
    text = message((1, "t"), (2, "string"), (3, shape), (5, "a"), (5, ""))
    infer = message((1, "m"), (2, numbers), (2, text), (3, "y"))
    yield "mlos", infer
    yield "mlos_bidi", message((1, "7"), (2, infer))


def main(folder):
    seeds = {f"onnx_model/{name}": model.SerializeToString() for name, model in models()}
    seeds |= {"archive/plain": archive("w"), "archive/gzip": archive("w:gz")}
    seeds |= {f"grpc_message/{name}": content for name, content in inferences()}
    vectors = dict(frames())
    seeds |= {f"ipc_frame/{name}": frame for name, frame in vectors.items()}
    seeds["ipc_frame/all"] = b"".join(vectors.values())
    seeds |= {f"request/{name}": content for name, content in requests()}
    for name, content in seeds.items():
        path = pathlib.Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


if __name__ == "__main__":
    main(sys.argv[1])
