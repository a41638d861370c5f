# SPDX-License-Identifier: MIT
"""The contracts of proto/ as Python modules, generated for the test run."""

from __future__ import annotations

import importlib
import sys
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType

from tests.support import paths

PROTO = paths.ROOT / "proto"


@cache
def mlos_v1(name: str) -> tuple[ModuleType, ModuleType]:
    """The messages and the stubs of `mlos/v1/<name>.proto`."""
    folder = _generated()
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return (
        importlib.import_module(f"mlos.v1.{name}_pb2"),
        importlib.import_module(f"mlos.v1.{name}_pb2_grpc"),
    )


@cache
def _generated() -> str:
    """Runs protoc over mlos.v1; raises RuntimeError where it fails."""
    from grpc_tools import protoc

    # Kept until the process ends.
    _generated.folder = tempfile.TemporaryDirectory(prefix="mlos-proto-")
    folder = _generated.folder.name
    files = sorted(str(p.relative_to(PROTO)) for p in (PROTO / "mlos").rglob("*.proto"))
    command = ["protoc", f"-I{PROTO}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    if protoc.main([*command, *files]) != 0:
        raise RuntimeError("protoc failed")
    return folder


def descriptor_text() -> str:
    """All contracts as one descriptor set in protobuf's text format, without comments."""
    from google.protobuf import descriptor_pb2, text_format
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set.binpb"
        files = sorted(str(p.relative_to(PROTO)) for p in PROTO.rglob("*.proto"))
        if protoc.main(["protoc", f"-I{PROTO}", f"--descriptor_set_out={out}", *files]) != 0:
            raise RuntimeError("protoc failed")
        descriptors = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    return text_format.MessageToString(descriptors)
