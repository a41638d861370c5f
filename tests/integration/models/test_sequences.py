# SPDX-License-Identifier: MIT
"""Sequences over every door: Core keeps the state that a model's graph carries, and the answers
are those of ONNX Runtime when it is handed along."""

from __future__ import annotations

import itertools
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

from tests.demo import sounds
from tests.support.graphs import running_sum, scale
from tests.support.ipc import Client, MlosError
from tests.support.open_core import OpenCore
from tests.support.protos import mlos_v1
from tests.support.reference import OrtReference
from tests.support.tensors import from_reply, to_json
from tests.support.waiting import wait_until

VAD, SUM, SCALE = "snakers4/silero-vad@v6", "t/sum@1", "t/scale@1"
SECONDS, PIECE, CONTEXT = 0.5, 512, 64  # samples the model looks at, and those before it
RATE = np.array(sounds.SAMPLE_RATE, np.int64)
DTYPES = {"float32": "FP32", "int64": "INT64"}
inference, inference_grpc = mlos_v1("inference")
# A numeric id that no signed integer of 64 bits holds is as good as any.
IDS = itertools.count(2**63)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[OpenCore]:
    folder = tmp_path_factory.mktemp("sequences")
    core = OpenCore(folder, "--sequences-max", "4").start()
    for name, path in (
        (VAD, models / "snakers4/silero-vad/silero_vad.onnx"),
        (SUM, running_sum(folder / "sum.onnx")),
        (SCALE, scale(folder / "scale.onnx", 2.0)),
    ):
        reply = core.register(name, path)
        assert reply.status_code == 200, reply.text
    yield core
    assert core.stop() == 0


@pytest.fixture(scope="module")
def vad(models: Path) -> OrtReference:
    return OrtReference(models / "snakers4/silero-vad/silero_vad.onnx")


class Refused(Exception):
    """A refusal by any door; `field` where that tells it."""

    def __init__(self, message: str, field: str | None = None):
        super().__init__(message)
        self.field = field


Infer = Callable[..., dict[str, np.ndarray]]


def triton_inputs(client, inputs: dict[str, np.ndarray]):
    made = []
    for name, array in inputs.items():
        made.append(client.InferInput(name, list(array.shape), DTYPES[str(array.dtype)]))
        made[-1].set_data_from_numpy(array)
    return made


def triton_outputs(client, names):
    return [client.InferRequestedOutput(name) for name in names] or None


def over_triton_http(core: OpenCore) -> Iterator[Infer]:
    with triton_http.InferenceServerClient(f"127.0.0.1:{core.port}") as client:

        def infer(model, inputs, outputs=(), **sequence):
            try:
                result = client.infer(
                    model, triton_inputs(triton_http, inputs),
                    outputs=triton_outputs(triton_http, outputs), **sequence,
                )  # fmt: skip
            except InferenceServerException as error:
                raise Refused(str(error)) from error
            return {o["name"]: result.as_numpy(o["name"]) for o in result.get_response()["outputs"]}

        yield infer


def over_triton_grpc(core: OpenCore) -> Iterator[Infer]:
    with triton_grpc.InferenceServerClient(core.grpc_address) as client:

        def infer(model, inputs, outputs=(), **sequence):
            sequence["sequence_id"] = signed(sequence["sequence_id"])
            try:
                result = client.infer(
                    model, triton_inputs(triton_grpc, inputs),
                    outputs=triton_outputs(triton_grpc, outputs), **sequence,
                )  # fmt: skip
            except InferenceServerException as error:
                raise Refused(str(error)) from error
            return {o.name: result.as_numpy(o.name) for o in result.get_response().outputs}

        yield infer


def over_triton_stream(core: OpenCore) -> Iterator[Infer]:
    answers: queue.Queue = queue.Queue()
    with triton_grpc.InferenceServerClient(core.grpc_address) as client:
        client.start_stream(lambda result, error: answers.put((result, error)))

        def infer(model, inputs, outputs=(), **sequence):
            sequence["sequence_id"] = signed(sequence["sequence_id"])
            client.async_stream_infer(
                model, triton_inputs(triton_grpc, inputs),
                outputs=triton_outputs(triton_grpc, outputs), **sequence,
            )  # fmt: skip
            result, error = answers.get(timeout=30)
            if error is not None:
                raise Refused(str(error))
            return {o.name: result.as_numpy(o.name) for o in result.get_response().outputs}

        yield infer
        client.stop_stream()


def signed(sequence_id):
    """tritonclient's gRPC has numbers of 63 bits only; the others it gives as text."""
    large = isinstance(sequence_id, int) and sequence_id >= 2**63
    return str(sequence_id) if large else sequence_id


def over_http(core: OpenCore) -> Iterator[Infer]:
    def infer(model, inputs, outputs=(), **sequence):
        assert not outputs, "this door gives all of them"
        query = {k: str(v).lower() for k, v in sequence.items() if v}
        body = {name: to_json(array) for name, array in inputs.items()}
        reply = core.post(core.model_path(model, "inference"), json=body, params=query)
        if reply.status_code != 200:
            raise Refused(reply.text, reply.json().get("field"))
        return from_reply(reply.json())

    yield infer


def over_mlos_grpc(core: OpenCore) -> Iterator[Infer]:
    with grpc.insecure_channel(core.grpc_address) as channel:
        stub = inference_grpc.InferenceServiceStub(channel)

        def infer(model, inputs, outputs=(), sequence_id=0, **flags):
            tensors = [
                inference.Tensor(name=name, dtype=str(a.dtype), shape=a.shape, data=a.tobytes())
                for name, a in inputs.items()
            ]
            request = inference.InferRequest(
                model_id=model, inputs=tensors, outputs=outputs, sequence_id=str(sequence_id),
                **flags,
            )  # fmt: skip
            try:
                response = stub.Infer(request)
            except grpc.RpcError as error:
                field = dict(error.trailing_metadata()).get("mlos-field")
                raise Refused(error.details(), field) from error
            return {o.name: np.frombuffer(o.data, o.dtype).reshape(o.shape)
                    for o in response.outputs}  # fmt: skip

        yield infer


def over_ipc(core: OpenCore) -> Iterator[Infer]:
    with Client(str(core.socket)) as client:

        def infer(model, inputs, outputs=(), **sequence):
            try:
                return client.infer(model, inputs, outputs=outputs, **sequence).outputs
            except MlosError as error:
                raise Refused(str(error), error.field) from error

        yield infer


DOORS = {
    "tritonclient HTTP": over_triton_http,
    "tritonclient gRPC": over_triton_grpc,
    "tritonclient stream": over_triton_stream,
    "HTTP": over_http,
    "mlos.v1": over_mlos_grpc,
    "IPC": over_ipc,
}


@pytest.fixture(params=DOORS.values(), ids=DOORS.keys())
def infer(request: pytest.FixtureRequest, core: OpenCore) -> Iterator[Infer]:
    yield from request.param(core)


def pieces(clip: np.ndarray) -> list[dict[str, np.ndarray]]:
    """What the model is given of a clip, without its state."""
    padded = np.concatenate([np.zeros(CONTEXT, np.float32), clip])
    starts = range(0, len(clip) - PIECE + 1, PIECE)
    return [{"input": padded[None, s : s + CONTEXT + PIECE], "sr": RATE} for s in starts]


def probabilities(vad: OrtReference, clip: np.ndarray) -> list[np.ndarray]:
    """ONNX Runtime's own answers, with the state handed along."""
    state = np.zeros((2, 1, 128), np.float32)
    found = []
    for piece in pieces(clip):
        outputs = vad.run({**piece, "state": state})
        found.append(outputs["output"])
        state = outputs["stateN"]
    return found


def steps(count: int) -> Iterator[dict[str, bool]]:
    """The flags of each of `count` requests."""
    for i in range(count):
        yield {"sequence_start": i == 0, "sequence_end": i + 1 == count}


def same(ours: dict[str, np.ndarray], theirs: np.ndarray) -> None:
    assert list(ours) == ["output"], "the state is no output of a request that has not asked for it"
    np.testing.assert_allclose(ours["output"], theirs, rtol=1e-5, atol=1e-6)


def total(infer: Infer, x: float, sequence_id, outputs=(), **fields) -> float:
    """The next `y` of the running sum."""
    inputs = {"x": np.array([x], np.float32)}
    if "given" in fields:
        inputs["total"] = np.array([fields.pop("given")], np.float32)
    flags = {"sequence_start": False, "sequence_end": False} | fields
    return float(infer(SUM, inputs, outputs, sequence_id=sequence_id, **flags)["y"][0])


def live(core: OpenCore) -> int:
    """The gauge of sequences under way."""
    lines = core.get("/metrics").text.splitlines()
    return int(float(next(line for line in lines if line.startswith("mlos_sequences ")).split()[1]))


def test_silero_vad_hears_piece_by_piece_what_onnx_runtime_hears(infer, vad):
    clip = sounds.speech(SECONDS)
    expected = probabilities(vad, clip)
    assert max(float(p[0, 0]) for p in expected) > 0.5
    name = next(IDS)
    for piece, flags, theirs in zip(pieces(clip), steps(len(expected)), expected, strict=True):
        same(infer(VAD, piece, sequence_id=name, **flags), theirs)


def test_two_sequences_that_alternate_do_not_mix(infer, vad):
    clips = [sounds.speech(SECONDS), sounds.tone(SECONDS)]
    names = [next(IDS), f"call {next(IDS)}"]
    expected = [probabilities(vad, clip) for clip in clips]
    count = len(expected[0])
    for i, flags in enumerate(steps(count)):
        for name, clip, theirs in zip(names, clips, expected, strict=True):
            same(infer(VAD, pieces(clip)[i], sequence_id=name, **flags), theirs[i])


def test_sequences_of_callers_at_once_do_not_mix(core, vad):
    clips = {next(IDS): clip for clip in
             (sounds.speech(SECONDS), sounds.tone(SECONDS), sounds.silence(SECONDS))}  # fmt: skip
    doors = (over_triton_http, over_triton_grpc, over_ipc)

    def listen(door, name, clip):
        with_door = door(core)
        infer = next(with_door)
        answers = [infer(VAD, piece, sequence_id=name, **flags)
                   for piece, flags in zip(pieces(clip), steps(len(pieces(clip))), strict=True)]
        next(with_door, None)
        return answers

    with ThreadPoolExecutor(len(clips)) as pool:
        runs = list(pool.map(listen, doors, clips, clips.values()))
    for answers, clip in zip(runs, clips.values(), strict=True):
        for ours, theirs in zip(answers, probabilities(vad, clip), strict=True):
            same(ours, theirs)


def test_a_sequence_goes_on_through_another_door(core):
    name = next(IDS)
    for i, door in enumerate(DOORS.values()):
        with_door = door(core)
        last = i + 1 == len(DOORS)
        assert total(next(with_door), 1, name, sequence_start=i == 0, sequence_end=last) == i + 1
        next(with_door, None)


def test_state_may_be_given_and_asked_for(core):
    for door in (over_triton_http, over_triton_grpc, over_mlos_grpc, over_ipc):
        with_door = door(core)
        infer = next(with_door)
        name = next(IDS)
        assert total(infer, 1, name, given=10, sequence_start=True) == 11
        x = {"x": np.array([2], np.float32)}
        flags = {"sequence_start": False, "sequence_end": False}
        both = infer(SUM, x, ["total_out", "y"], sequence_id=name, **flags)
        assert {k: v.tolist() for k, v in both.items()} == {"total_out": [13], "y": [13]}
        assert total(infer, 1, name, given=100) == 101
        assert total(infer, 1, name, sequence_end=True) == 102
        next(with_door, None)


def test_a_second_start_begins_anew(infer):
    name = next(IDS)
    assert total(infer, 5, name, sequence_start=True) == 5
    assert total(infer, 1, name, sequence_start=True) == 1
    assert total(infer, 1, name, sequence_end=True) == 2


def test_what_is_wrong_is_refused_and_named(infer):
    under_way, x = next(IDS), {"x": np.array([1], np.float32)}
    assert total(infer, 1, under_way, sequence_start=True) == 1
    started = {"sequence_start": True, "sequence_end": False}
    going_on = {"sequence_start": False, "sequence_end": False}
    cases = [
        ("sequence_start", SUM, x, next(IDS), going_on),
        ("sequence_start", SUM, x, next(IDS), {**going_on, "sequence_end": True}),
        ("sequence_id", SCALE, x, next(IDS), started),
        ("sequence_id", SUM, x, "i" * 129, started),
        ("x", SUM, {}, under_way, going_on),
        ("total", SUM, {**x, "total": np.zeros((1, 1), np.float32)}, under_way, going_on),
    ]
    for field, model_id, inputs, name, flags in cases:
        with pytest.raises(Refused) as refused:
            infer(model_id, inputs, sequence_id=name, **flags)
        # tritonclient keeps the message only.
        assert refused.value.field in (field, None), str(refused.value)
    assert total(infer, 1, under_way, sequence_end=True) == 2


def test_flags_without_an_id_are_refused_by_their_names(core):
    x = [{"name": "x", "shape": [1], "datatype": "FP32", "data": [1]}]
    for field, id in itertools.product(("sequence_start", "sequence_end"), (None, 0, "")):
        parameters = {field: True} | ({} if id is None else {"sequence_id": id})
        body = {"inputs": x, "parameters": parameters}
        reply = core.post(f"/v2/models/{SUM}/infer", json=body)
        assert (reply.status_code, reply.json()["field"]) == (400, field)
        reply = core.post(core.model_path(SUM, "inference"), json={"x": [1]}, params=parameters)
        assert (reply.status_code, reply.json()["field"]) == (400, field)


def test_one_sequence_more_than_the_limit_is_refused_at_once(core):
    body = {"x": [1]}

    def ask(name, **flags):
        params = {"sequence_id": name} | dict.fromkeys(flags, "true")
        return core.post(core.model_path(SUM, "inference"), json=body, params=params)

    names = [next(IDS) for _ in range(5)]
    assert [ask(name, sequence_start=1).status_code for name in names] == [200] * 4 + [503]
    assert ask(names[4], sequence_start=1).headers["Retry-After"]
    assert [ask(name, sequence_end=1).status_code for name in names[:4]] == [200] * 4
    wait_until(lambda: live(core) == 0)


def test_nothing_is_left_of_a_model_that_is_unloaded(core):
    door = over_ipc(core)
    infer, name, before = next(door), next(IDS), live(core)
    assert total(infer, 1, name, sequence_start=True) == 1
    assert live(core) == before + 1
    assert core.post(core.model_path(SUM, "unload")).status_code == 200
    wait_until(lambda: live(core) == before)
    assert core.post(core.model_path(SUM, "load")).status_code == 200
    with pytest.raises(Refused) as refused:
        total(infer, 1, name)
    assert refused.value.field == "sequence_start"
    next(door, None)


def test_who_is_idle_is_forgotten(tmp_path):
    core = OpenCore(tmp_path, "--sequence-idle-timeout-ms", "50").start()
    assert core.register(SUM, running_sum(tmp_path / "sum.onnx")).status_code == 200
    params = {"sequence_id": "7", "sequence_start": "true"}
    path = core.model_path(SUM, "inference")
    assert core.post(path, json={"x": [1]}, params=params).status_code == 200
    wait_until(lambda: live(core) == 0)
    reply = core.post(path, json={"x": [1]}, params={"sequence_id": "7"})
    assert (reply.status_code, reply.json()["field"]) == (400, "sequence_start")
    assert core.stop() == 0


def test_a_models_state_is_told_and_declared(core, tmp_path):
    assert core.get(core.model_path(VAD)).json()["state_pairs"] == {"state": "stateN"}
    assert core.get(core.model_path(SCALE)).json()["state_pairs"] == {}
    with triton_http.InferenceServerClient(f"127.0.0.1:{core.port}") as client:
        extensions = client.get_server_metadata()["extensions"]
        assert {"sequence", "sequence(string_id)"} <= set(extensions)
        state = client.get_model_config(VAD)["sequence_batching"]["state"]
        assert "sequence_batching" not in client.get_model_config(SCALE)
    assert state == [{"input_name": "state", "output_name": "stateN", "data_type": "TYPE_FP32",
                      "dims": [2, -1, 128]}]  # fmt: skip
    # Names that tell nothing.
    graph = running_sum(tmp_path / "other.onnx", state="before", after="afterwards")
    assert core.register("t/other@1", graph).status_code == 200
    assert core.get(core.model_path("t/other@1")).json()["state_pairs"] == {}
    for pairs, status in (
        ({"before": "afterwards"}, 200), ({"before": "none"}, 400), ({"x": 1}, 400), ([], 400),
    ):  # fmt: skip
        reply = core.register("t/other@1", graph, state_pairs=pairs)
        assert reply.status_code == status, reply.text
        assert status == 200 or reply.json()["field"] == "state_pairs"
    assert core.get(core.model_path("t/other@1")).json()["state_pairs"] == {"before": "afterwards"}
    answers = [core.post(core.model_path("t/other@1", "inference"), json={"x": [1]},
                         params={"sequence_id": "a", "sequence_start": start}).json()
               for start in ("true", "false")]  # fmt: skip
    assert [a["outputs"] for a in answers] == [{"y": [1]}, {"y": [2]}]
    assert core.delete(core.model_path("t/other@1")).status_code == 200
