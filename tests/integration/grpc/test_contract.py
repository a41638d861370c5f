# SPDX-License-Identifier: MIT
"""The gRPC contracts: a change of what clients rely on shows as a diff of proto/api.txt."""

from __future__ import annotations

import os

from google.protobuf import descriptor_pb2, text_format

from tests.support import paths
from tests.support.protos import PROTO, descriptor_text

WITNESS = PROTO / "api.txt"
FIRST = paths.ROOT / "tests/abi/first/api.txt"
HEADER = """\
# SPDX-License-Identifier: MIT
# proto-file: google/protobuf/descriptor.proto
# proto-message: google.protobuf.FileDescriptorSet
# Every gRPC contract as it is compiled. Made by
# MLOS_UPDATE_DOCS=1 tools/test/pytest.sh tests/integration/grpc/test_contract.py
"""


def test_the_contracts_are_those_that_were_committed():
    if os.environ.get("MLOS_UPDATE_DOCS"):
        WITNESS.write_text(HEADER + descriptor_text())
    assert WITNESS.read_text() == HEADER + descriptor_text()


def test_the_open_inference_protocol_is_tritons():
    """Field by field: number, type and label are those of Triton's own client."""
    from tritonclient.grpc import service_pb2

    theirs = descriptor_pb2.FileDescriptorProto()
    service_pb2.DESCRIPTOR.CopyToProto(theirs)
    sets = text_format.Parse(WITNESS.read_text(), descriptor_pb2.FileDescriptorSet())
    ours = next(f for f in sets.file if f.name == "inference/grpc_service.proto")
    their_fields = fields("", theirs.message_type)
    our_fields = fields("", ours.message_type)
    assert len(our_fields) > 80
    assert our_fields.items() <= their_fields.items()
    assert methods(ours).items() <= methods(theirs).items()


def test_nothing_of_the_first_contracts_has_changed():
    """What a client was compiled with keeps its number, type and label, and its values."""
    first, now = (
        text_format.Parse(path.read_text(), descriptor_pb2.FileDescriptorSet())
        for path in (FIRST, WITNESS)
    )
    files = {file.name: file for file in now.file}
    for old in first.file:
        new = files[old.name]
        assert fields("", old.message_type).items() <= fields("", new.message_type).items()
        assert enumerators(old).items() <= enumerators(new).items()
        if old.service:
            assert methods(old).items() <= methods(new).items()


def enumerators(file) -> dict[str, int]:
    """Of enums beside messages and inside of them."""
    enums = [*file.enum_type, *(enum for m in file.message_type for enum in m.enum_type)]
    return {f"{enum.name}.{value.name}": value.number for enum in enums for value in enum.value}


def fields(scope: str, messages) -> dict[str, tuple]:
    found = {}
    for message in messages:
        name = f"{scope}.{message.name}"
        for field in message.field:
            found[f"{name}.{field.name}"] = (field.number, field.type, field.label, field.type_name)
        found |= fields(name, message.nested_type)
    return found


def methods(file) -> dict[str, tuple]:
    return {
        f"{service.name}.{m.name}": (
            m.input_type, m.output_type, m.client_streaming, m.server_streaming
        )
        for service in file.service
        for m in service.method
    }  # fmt: skip
