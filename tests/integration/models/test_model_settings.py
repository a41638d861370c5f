# SPDX-License-Identifier: MIT
"""Settings of one model: given with its registration over every door, or by its package."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import yaml

from tests.support.graphs import scale
from tests.support.ipc import Client, MlosError
from tests.support.open_core import OpenCore
from tests.support.protos import mlos_v1
from tests.support.waiting import wait_until

models_pb, models_grpc = mlos_v1("model")
NAME = "t/scale@1"


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenCore]:
    core = OpenCore(tmp_path_factory.mktemp("settings")).start()
    yield core
    assert core.stop() == 0


@pytest.fixture
def graph(core: OpenCore, tmp_path: Path) -> Iterator[Path]:
    yield scale(tmp_path / "scale.onnx", 3.0)
    core.delete(core.model_path(NAME))


Answer = tuple[str, str] | dict


def over_http(core: OpenCore, graph: Path, settings: dict) -> Answer:
    reply = core.register(NAME, graph, **settings)
    if reply.status_code == 200:
        return shown(core)
    assert reply.status_code in (400, 422), reply.text
    error = reply.json()
    return error["reason"], error["field"]


def over_ipc(core: OpenCore, graph: Path, settings: dict) -> Answer:
    with Client(str(core.socket)) as client:
        try:
            client.register_model(NAME, graph, **settings)
        except MlosError as error:
            return error.reason, error.field
        return client.get_model(NAME)


def over_grpc(core: OpenCore, graph: Path, settings: dict) -> Answer:
    ask = models_pb.RegisterModelRequest(
        model_id=NAME, path=str(graph), settings_json=json.dumps(settings)
    )
    with grpc.insecure_channel(core.grpc_address) as channel:
        try:
            made = models_grpc.ModelServiceStub(channel).RegisterModel(ask)
        except grpc.RpcError as error:
            told = dict(error.trailing_metadata())
            return told["mlos-reason"], told["mlos-field"]
    given = shown(core)
    assert json.loads(made.model.settings_json).items() <= given.items()
    return given


def shown(core: OpenCore) -> dict:
    return core.get(core.model_path(NAME)).json()


DOORS = pytest.mark.parametrize("door", [over_http, over_ipc, over_grpc])
Door = Callable[[OpenCore, Path, dict], Answer]


def nested(depth: int) -> dict:
    return {} if depth == 1 else {"a": nested(depth - 1)}


# settings, reason, field
REFUSED = {
    "options that are no object": ({"options": [1]}, "INVALID_FIELD", "options"),
    "options as text": ({"options": '{"a": 1}'}, "INVALID_FIELD", "options"),
    "options too large": ({"options": {"a": "x" * 65_536}}, "INVALID_FIELD", "options"),
    "options too deep": ({"options": nested(17)}, "INVALID_FIELD", "options"),
    "options of no plugin's": ({"options": {"beam_width": 4}}, "INVALID_FIELD", "options"),
    "a batch below 0": ({"max_batch_size": -1}, "VALUE_OUT_OF_RANGE", "max_batch_size"),
    "a batch of 2^40": ({"max_batch_size": 1 << 40}, "VALUE_OUT_OF_RANGE", "max_batch_size"),
    "a batch in words": ({"preferred_batch_size": "8"}, "INVALID_FIELD", "preferred_batch_size"),
    "a delay of 2 s": (
        {"max_queue_delay_us": 2_000_000}, "VALUE_OUT_OF_RANGE", "max_queue_delay_us"),
    "a delay of 2^63": ({"max_queue_delay_us": 1 << 63}, "INVALID_FIELD", "max_queue_delay_us"),
    "257 threads": ({"intra_op_threads": 257}, "VALUE_OUT_OF_RANGE", "intra_op_threads"),
    "threads below 0": ({"intra_op_threads": -1}, "VALUE_OUT_OF_RANGE", "intra_op_threads"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_settings_that_cannot_be_are_refused(core: OpenCore, graph: Path, case: str):
    settings, *refusal = REFUSED[case]
    for door in (over_http, over_ipc, over_grpc):
        assert door(core, graph, settings) == tuple(refusal), door.__name__
        assert core.get(core.model_path(NAME)).status_code == 404


def test_the_onnx_plugin_names_the_option_it_does_not_know(core: OpenCore, graph: Path):
    error = core.register(NAME, graph, options={"beam_width": 4, "depth": 1}).json()
    assert 'option "beam_width" is not known' in error["message"]


@DOORS
def test_settings_are_shown_as_they_were_given(core: OpenCore, graph: Path, door: Door):
    given = {"max_batch_size": 4, "max_queue_delay_us": 0, "options": {}}
    model = door(core, graph, given)
    assert model.items() >= given.items()
    assert (model["preferred_batch_size"], model["state_pairs"]) == (0, {})


def test_a_setting_is_given_to_grpc_in_one_way(core: OpenCore, graph: Path):
    ask = models_pb.RegisterModelRequest(model_id=NAME, path=str(graph), max_batch_size=4)
    faults = {
        '{"max_batch_size": 4}': "max_batch_size",
        '{"preferred_batch_size": 70000}': "preferred_batch_size",
        "[]": "settings_json",
        "{": "settings_json",
    }
    with grpc.insecure_channel(core.grpc_address) as channel:
        register = models_grpc.ModelServiceStub(channel).RegisterModel
        for text, field in faults.items():
            ask.settings_json = text
            with pytest.raises(grpc.RpcError) as raised:
                register(ask)
            assert dict(raised.value.trailing_metadata())["mlos-field"] == field
        ask.settings_json = '{"preferred_batch_size": 2}'
        made = register(ask).model
    assert (made.max_batch_size, made.preferred_batch_size) == (4, 2)


@pytest.fixture
def package(tmp_path: Path) -> Callable[[dict], Path]:
    """Makes packages with that section `serving`."""

    def make(serving: dict) -> Path:
        folder = tmp_path / "package"
        folder.mkdir(exist_ok=True)
        scale(folder / "model.onnx", 3.0)
        file = {"path": "model.onnx", "format": "onnx"}
        manifest = {
            "apiVersion": "v1",
            "kind": "Model",
            "metadata": {"name": "scale", "namespace": "t", "version": "1"},
            "spec": {
                "format": {"execution_format": "onnx", "execution_files": [file]},
                "serving": serving,
            },
        }
        (folder / "manifest.yaml").write_text(yaml.safe_dump(manifest))
        return folder

    return make


@pytest.mark.usefixtures("graph")
def test_a_package_says_how_it_is_served_where_its_registration_does_not(core: OpenCore, package):
    folder = package({"max_batch_size": 8, "max_queue_delay_us": 7, "options": {}})
    model = over_http(core, folder, {"max_queue_delay_us": -1, "preferred_batch_size": 4})
    names = ("max_batch_size", "preferred_batch_size", "max_queue_delay_us")
    assert tuple(model[name] for name in names) == (8, 4, -1)
    core.restart()
    assert tuple(shown(core)[name] for name in names) == (8, 4, -1)


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize(
    ("serving", "field"),
    [
        ({"max_batch_size": "many"}, "max_batch_size"),
        ({"state_pairs": ["x"]}, "state_pairs"),
        ({"options": "none"}, "options"),
    ],
)
def test_a_package_that_cannot_be_served_so_is_refused(core, package, serving: dict, field: str):
    assert over_http(core, package(serving), {}) == ("INVALID_MANIFEST", f"spec.serving.{field}")


@DOORS
def test_a_model_with_threads_of_its_own_has_them_while_it_is_loaded(
    core: OpenCore, graph: Path, door: Door
):
    door(core, graph, {})  # with those of all models
    without = core.resources().threads
    assert door(core, graph, {"intra_op_threads": 4})["intra_op_threads"] == 4
    # The thread that runs the model is one of the four.
    assert core.resources().threads == without + 3
    y = core.infer(NAME, {"x": np.array([1, 2], np.float32)})["y"]
    np.testing.assert_array_equal(y, np.array([3, 6], np.float32))
    assert core.post(core.model_path(NAME, "unload")).status_code == 200
    # The last run may hold the model for a moment after its answer.
    wait_until(lambda: core.resources().threads == without)
