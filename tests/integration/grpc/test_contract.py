# SPDX-License-Identifier: MIT
"""The gRPC contracts: a change of what clients rely on shows as a diff of proto/api.txt."""

from __future__ import annotations

import os

from google.protobuf import descriptor_pb2, text_format

from tests.support.protos import PROTO, descriptor_text

WITNESS = PROTO / "api.txt"
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
        m.name: (m.input_type, m.output_type, m.client_streaming, m.server_streaming)
        for m in file.service[0].method
    }
