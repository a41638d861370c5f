# SPDX-License-Identifier: MIT
"""mlos.v1, health checking and reflection, driven by grpcio's own stubs."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from tests.support import paths
from tests.support.graphs import scale, slow
from tests.support.grpc_core import GrpcCore
from tests.support.protos import mlos_v1
from tests.support.waiting import wait_until

health, health_grpc = mlos_v1("health")
inference, inference_grpc = mlos_v1("inference")
models_pb, models_grpc = mlos_v1("model")
plugins_pb, plugins_grpc = mlos_v1("plugin")
SCALE = "t/scale@1"
SLOW = "t/slow@1"
SERVING, NOT_SERVING, UNKNOWN_SERVICE = 1, 2, 3


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GrpcCore]:
    folder = tmp_path_factory.mktemp("grpc")
    core = GrpcCore(folder).start()
    assert core.register(SCALE, scale(folder / "scale.onnx", 2.0)).status_code == 200
    yield core
    assert core.stop() == 0


@pytest.fixture
def own_core(tmp_path: Path) -> Iterator[GrpcCore]:
    """A Core of this test alone."""
    core = GrpcCore(tmp_path / "core").start()
    yield core
    assert core.stop() == 0


@pytest.fixture
def channel(core: GrpcCore) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(core.grpc_address) as channel:
        yield channel


def request(values: list[float], model: str = SCALE, **fields):
    data = np.array(values, np.float32).tobytes()
    tensor = inference.Tensor(name="x", dtype="float32", shape=[len(values)], data=data)
    return inference.InferRequest(model_id=model, inputs=[tensor], **fields)


def values(response) -> list[float]:
    assert [(o.name, o.dtype) for o in response.outputs] == [("y", "float32")]
    return np.frombuffer(response.outputs[0].data, np.float32).tolist()


def fails(call, code: grpc.StatusCode, reason: str, field: str | None = None) -> None:
    with pytest.raises(grpc.RpcError) as raised:
        call()
    trailers = dict(raised.value.trailing_metadata())
    assert raised.value.code() == code, raised.value.details()
    assert (trailers["mlos-reason"], trailers.get("mlos-field")) == (reason, field)


def test_health_is_told(core: GrpcCore, channel: grpc.Channel):
    stub = health_grpc.HealthServiceStub(channel)
    told = stub.GetHealth(health.GetHealthRequest())
    assert told.status == "healthy" and set(told.apis) >= {"http", "grpc"}
    assert set(core.get("/health").json()["apis"]) == set(told.apis)
    assert stub.GetReadiness(health.GetReadinessRequest()).ready
    stats = stub.GetStats(health.GetStatsRequest())
    assert SCALE in {m.model_id for m in stats.models} and stats.total_requests > 0


def test_a_model_is_registered_listed_and_removed(channel: grpc.Channel, tmp_path: Path):
    stub = models_grpc.ModelServiceStub(channel)
    graph = scale(tmp_path / "m.onnx", 3.0)
    ask = models_pb.RegisterModelRequest(model_id="t/made@2", path=str(graph))
    made = stub.RegisterModel(ask)
    assert made.changed and made.model.state == "loaded" and made.model.inputs[0].name == "x"
    assert not stub.RegisterModel(ask).changed
    listed = {m.model_id for m in stub.ListModels(models_pb.ListModelsRequest()).models}
    assert {"t/made@2", SCALE} <= listed
    by_id = models_pb.UnloadModelRequest(model_id="t/made@2")
    assert stub.UnloadModel(by_id).model.state == "unloaded"
    infer = inference_grpc.InferenceServiceStub(channel).Infer
    assert stub.LoadModel(models_pb.LoadModelRequest(model_id="t/made@2")).model.state == "loaded"
    assert values(infer(request([1.0, 2.0], "t/made@2"))) == [3.0, 6.0]
    stub.RemoveModel(models_pb.RemoveModelRequest(model_id="t/made@2"))
    listed = {m.model_id for m in stub.ListModels(models_pb.ListModelsRequest()).models}
    assert "t/made@2" not in listed


BATCHING = {
    "left to Core": ({}, (0, 0, -1)),
    "asked for": (
        {"max_batch_size": 8, "preferred_batch_size": 4, "max_queue_delay_us": 300}, (8, 4, 300)
    ),
    "no delay": ({"max_batch_size": 1, "max_queue_delay_us": 0}, (1, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("case", BATCHING)
def test_batching_is_asked_for_with_the_model(core: GrpcCore, channel, tmp_path: Path, case: str):
    fields, expected = BATCHING[case]
    names = ("max_batch_size", "preferred_batch_size", "max_queue_delay_us")
    stub = models_grpc.ModelServiceStub(channel)
    graph = scale(tmp_path / "m.onnx", 4.0)
    made = stub.RegisterModel(
        models_pb.RegisterModelRequest(model_id="t/batched@1", path=str(graph), **fields)
    ).model
    assert tuple(getattr(made, name) for name in names) == expected
    shown = core.get(core.model_path("t/batched@1")).json()
    assert tuple(shown[name] for name in names) == expected
    stub.RemoveModel(models_pb.RemoveModelRequest(model_id="t/batched@1"))


def test_plugins_are_listed(channel: grpc.Channel):
    stub = plugins_grpc.PluginServiceStub(channel)
    listed = stub.ListPlugins(plugins_pb.ListPluginsRequest()).plugins
    builtin = next(p for p in listed if p.builtin)
    assert builtin.state == "loaded" and SCALE in builtin.model_ids
    by_id = plugins_pb.GetPluginRequest(id=builtin.id)
    assert stub.GetPlugin(by_id).plugin.version == builtin.version
    remove = plugins_pb.RemovePluginRequest(id=builtin.id)
    fails(lambda: stub.RemovePlugin(remove),
          grpc.StatusCode.FAILED_PRECONDITION, "PLUGIN_IN_USE", None)  # fmt: skip
    fails(lambda: stub.RegisterPlugin(plugins_pb.RegisterPluginRequest()),
          grpc.StatusCode.INVALID_ARGUMENT, "MISSING_FIELD", "id")  # fmt: skip


def test_inference_answers(channel: grpc.Channel):
    infer = inference_grpc.InferenceServiceStub(channel).Infer
    answer = infer(request([1.0, 2.0]))
    assert values(answer) == [2.0, 4.0] and answer.model_id == SCALE
    without_dtype = request([1.5])
    without_dtype.inputs[0].dtype = ""
    assert values(infer(without_dtype)) == [3.0]
    assert values(infer(request([1.0], outputs=["y"]))) == [2.0]


def test_a_response_stream_ends_in_order(channel: grpc.Channel):
    stub = inference_grpc.InferenceServiceStub(channel)
    assert [values(r) for r in stub.InferStream(request([4.0]))] == [[8.0]]
    fails(lambda: list(stub.InferStream(request([4.0], "t/none@1"))),
          grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND", "model_id")  # fmt: skip


@pytest.fixture(scope="module")
def counter(core: GrpcCore) -> str:
    """A model that answers with as many responses as it is asked for."""
    plugin = paths.product("plugins/samples/libstream_c.so")
    registered = core.post("/plugins/register", json={"id": "stream-c", "path": str(plugin)})
    assert registered.status_code == 200, registered.text
    (core.folder / "count.model").write_text("anything")
    done = core.register(
        "t/count@1", core.folder / "count.model", plugin_id="stream-c", execution_format="count"
    )
    assert done.status_code == 200, done.text
    return "t/count@1"


def count_to(count: int, model: str):
    data = np.array(count, np.int64).tobytes()
    tensor = inference.Tensor(name="count", dtype="int64", shape=[], data=data)
    return inference.InferRequest(model_id=model, inputs=[tensor])


def numbers(responses) -> list[int]:
    return [int(np.frombuffer(r.outputs[0].data, np.int64)[0]) for r in responses]


def test_every_response_of_a_streaming_model_comes_in_order(channel: grpc.Channel, counter: str):
    stub = inference_grpc.InferenceServiceStub(channel)
    assert numbers(stub.InferStream(count_to(7, counter))) == list(range(7))
    assert numbers([stub.Infer(count_to(1, counter))]) == [0]
    fails(lambda: stub.Infer(count_to(2, counter)),
          grpc.StatusCode.UNIMPLEMENTED, "UNIMPLEMENTED")  # fmt: skip
    fails(lambda: list(stub.InferStream(count_to(0, counter))),
          grpc.StatusCode.INVALID_ARGUMENT, "INFERENCE_REJECTED", "count")  # fmt: skip
    messages = [inference.InferBidiRequest(id=str(n), infer=count_to(n, counter)) for n in (3, 5)]
    answers = by_id(stub.InferBidi(iter(messages)))
    for count in (3, 5):
        of_id = answers[str(count)]
        assert numbers(r.response for r in of_id if r.response.outputs) == list(range(count))
        assert [r.final for r in of_id] == [False] * (len(of_id) - 1) + [True]


def by_id(responses) -> dict[str, list]:
    """The responses of a call, those of each request in their order."""
    answers: dict[str, list] = {}
    for response in responses:
        answers.setdefault(response.id, []).append(response)
    return answers


def test_many_requests_share_a_call(channel: grpc.Channel):
    stub = inference_grpc.InferenceServiceStub(channel)
    asked = {str(i): request([float(i)], "t/none@1" if i % 10 == 3 else SCALE) for i in range(200)}
    messages = [inference.InferBidiRequest(id=i, infer=r) for i, r in asked.items()]
    messages.append(inference.InferBidiRequest(id="", infer=request([1.0])))
    messages.append(inference.InferBidiRequest(id="gone", cancel=inference.CancelInference()))
    messages.append(inference.InferBidiRequest(id="empty"))
    answers = by_id(stub.InferBidi(iter(messages)))
    for i, of_id in answers.items():
        assert [r.final for r in of_id] == [False] * (len(of_id) - 1) + [True]
        if i not in asked or int(i) % 10 == 3:
            assert len(of_id) == 1 and of_id[0].code != 0
        else:
            assert values(of_id[0].response) == [2.0 * float(i)]
    assert answers["3"][0].reason == "MODEL_NOT_FOUND"
    assert answers[""][0].field == "id" and answers["gone"][0].field == "id"
    assert answers["empty"][0].field == "action"
    assert len(answers) == 203


def test_one_request_of_a_call_is_cancelled(tmp_path: Path):
    """The first runs while the others wait for the one thread; one of these is given up."""
    one_thread = ("--compute-threads", "1", "--intra-op-threads", "1", "--max-batch-size", "1")
    core = GrpcCore(tmp_path, *one_thread).start()
    assert core.register(SLOW, slow(tmp_path / "slow.onnx", 500)).status_code == 200
    sent: queue.Queue = queue.Queue()
    with grpc.insecure_channel(core.grpc_address) as channel:
        infer = inference_grpc.InferenceServiceStub(channel)
        values(infer.Infer(request([1.0], SLOW)))  # its run time is known from now on
        call = infer.InferBidi(iter(sent.get, None))
        for i in "abcd":
            sent.put(inference.InferBidiRequest(id=i, infer=request([1.0], SLOW)))
        sent.put(inference.InferBidiRequest(id="c", cancel=inference.CancelInference()))
        sent.put(None)
        answers = by_id(call)
    assert core.stop() == 0
    cancelled = answers.pop("c")
    assert [(r.code, r.reason, r.final) for r in cancelled] == [(1, "CANCELLED", True)]
    assert set(answers) == set("abd")
    for of_id in answers.values():
        assert values(of_id[0].response) == [1.0]
        assert [(r.code, r.final) for r in of_id] == [(0, False), (0, True)]


def test_a_call_that_is_taken_back_ends(core: GrpcCore, channel: grpc.Channel):
    stub = inference_grpc.InferenceServiceStub(channel)
    sent: queue.Queue = queue.Queue()
    call = stub.InferBidi(iter(sent.get, None))
    sent.put(inference.InferBidiRequest(id="1", infer=request([1.0])))
    assert values(next(call).response) == [2.0]
    call.cancel()
    sent.put(None)
    stats = health_grpc.HealthServiceStub(channel)
    wait_until(lambda: stats.GetStats(health.GetStatsRequest()).errors["CANCELLED"] >= 1)


def test_health_checks_of_core_and_of_models(core: GrpcCore, channel: grpc.Channel):
    stub = health_pb2_grpc.HealthStub(channel)
    for service in ("", "inference.GRPCInferenceService", "mlos.v1.InferenceService", SCALE):
        assert stub.Check(health_pb2.HealthCheckRequest(service=service)).status == SERVING
    fails(lambda: stub.Check(health_pb2.HealthCheckRequest(service="t/none@1")),
          grpc.StatusCode.NOT_FOUND, "MODEL_NOT_FOUND", "service")  # fmt: skip


def health_list(channel: grpc.Channel) -> dict[str, int]:
    """What `Health/List` answers. The installed grpcio-health-checking does not know the method:
    its messages are those that Core describes."""
    pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    response = pool.FindMessageTypeByName("grpc.health.v1.HealthListResponse")
    read = message_factory.GetMessageClass(response).FromString
    ask = channel.unary_unary("/grpc.health.v1.Health/List", response_deserializer=read)
    return {name: told.status for name, told in ask(b"", timeout=20).statuses.items()}


def test_health_of_all_is_listed(tmp_path: Path, own_core: GrpcCore):
    graph = scale(tmp_path / "m.onnx", 2.0)
    models = {SCALE: True, "t/idle@1": False, "mlos.v1.ModelService": False}
    for name, autoload in models.items():
        assert own_core.register(name, graph, autoload=autoload).status_code == 200
    with grpc.insecure_channel(own_core.grpc_address) as channel:
        listed = health_list(channel)
        stub = health_pb2_grpc.HealthStub(channel)
        for name, status in listed.items():
            assert stub.Check(health_pb2.HealthCheckRequest(service=name)).status == status
    services = {f"mlos.v1.{name}Service" for name in ("Health", "Inference", "Model", "Plugin")}
    serving = {"", "inference.GRPCInferenceService", *services, SCALE}
    assert listed == dict.fromkeys(serving, SERVING) | {"t/idle@1": NOT_SERVING}


def test_health_of_more_than_a_hundred_is_not_listed(tmp_path: Path, own_core: GrpcCore):
    graph = scale(tmp_path / "m.onnx", 2.0)
    with grpc.insecure_channel(own_core.grpc_address) as channel:
        for number in range(100 - len(health_list(channel))):
            reply = own_core.register(f"t/idle@{number}", graph, autoload=False)
            assert reply.status_code == 200
        assert len(health_list(channel)) == 100
        assert own_core.register(SCALE, graph, autoload=False).status_code == 200
        fails(lambda: health_list(channel),
              grpc.StatusCode.RESOURCE_EXHAUSTED, "PAYLOAD_TOO_LARGE")  # fmt: skip


def test_a_watch_tells_every_change(core: GrpcCore, channel: grpc.Channel, tmp_path: Path):
    watched = "t/watched@1"
    stub = health_pb2_grpc.HealthStub(channel)
    watch = stub.Watch(health_pb2.HealthCheckRequest(service=watched), timeout=30)
    assert next(watch).status == UNKNOWN_SERVICE
    assert core.register(watched, scale(tmp_path / "m.onnx", 5.0)).status_code == 200
    while (status := next(watch).status) == NOT_SERVING:  # while it is being loaded
        pass
    assert status == SERVING
    core.post(core.model_path(watched, "unload"))
    assert next(watch).status == NOT_SERVING
    core.delete(core.model_path(watched))
    assert next(watch).status == UNKNOWN_SERVICE
    watch.cancel()


def test_reflection_describes_every_service(channel: grpc.Channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    pool = descriptor_pool.DescriptorPool(database)
    names = database.get_services()
    assert {"mlos.v1.ModelService", "inference.GRPCInferenceService", "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection"} <= set(names)  # fmt: skip
    for name in names:
        service = pool.FindServiceByName(name)
        assert len(service.methods) > 0
    method = pool.FindServiceByName("mlos.v1.InferenceService").FindMethodByName("Infer")
    assert method.input_type.fields_by_name["inputs"].message_type.full_name == "mlos.v1.Tensor"


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_reflection_tells_what_it_does_not_know(channel: grpc.Channel, version: str):
    ask = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    request_of = reflection_pb2.ServerReflectionRequest
    answers = list(ask(iter([
        request_of(file_by_filename="none.proto"), request_of(file_containing_symbol="a.B"),
        request_of(file_by_filename="mlos/v1/model.proto"), request_of(),
        request_of(all_extension_numbers_of_type="mlos.v1.Model"),
    ])))  # fmt: skip
    kinds = [a.WhichOneof("message_response") for a in answers]
    assert kinds == ["error_response", "error_response", "file_descriptor_response",
                     "error_response", "all_extension_numbers_response"]  # fmt: skip
    assert answers[0].error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


def test_every_method_of_the_contracts_is_served(channel: grpc.Channel):
    """None of them is unknown: an empty request is answered or refused for what it lacks."""
    database = ProtoReflectionDescriptorDatabase(channel)
    pool = descriptor_pool.DescriptorPool(database)
    for name in database.get_services():
        for method in pool.FindServiceByName(name).methods:
            path = f"/{name}/{method.name}"
            if path.endswith("/Watch"):
                continue
            call = channel.stream_stream(path)(iter([b""]), timeout=20)
            try:
                list(call)
            except grpc.RpcError as error:
                assert error.code() != grpc.StatusCode.UNIMPLEMENTED, path


def test_core_drains_what_is_under_way(tmp_path: Path):
    core = GrpcCore(tmp_path).start()
    core.register(SCALE, scale(tmp_path / "scale.onnx", 2.0))
    with grpc.insecure_channel(core.grpc_address) as channel:
        stub = inference_grpc.InferenceServiceStub(channel)
        sent: queue.Queue = queue.Queue()
        call = stub.InferBidi(iter(sent.get, None))
        sent.put(inference.InferBidiRequest(id="1", infer=request([1.0])))
        assert values(next(call).response) == [2.0]
        stopping = ThreadPoolExecutor().submit(core.stop)
        wait_until(lambda: "draining" in core.log(), why=core.log)
        assert next(call).final
        sent.put(None)
        assert list(call) == []
        assert stopping.result() == 0


def test_no_grpc_closes_the_door(make_core):
    core = make_core().start()
    assert core.get("/health").json()["apis"] == ["http"]
    assert not (core.state_dir / "grpc.port").exists()


def test_a_port_that_is_taken_is_refused(core: GrpcCore, tmp_path: Path):
    other = GrpcCore(tmp_path, grpc_port=core.grpc_port)
    with pytest.raises(RuntimeError, match="another process listens"):
        other.start()
