# SPDX-License-Identifier: MIT
"""Real models, taken out of published Python packages. None of them is committed here."""

from __future__ import annotations

import zipfile
from importlib import metadata, resources
from pathlib import Path

from tests.models.draft import Card, Draft, Revision, single


class Wheel:
    """A downloaded package that is read, never installed."""

    def __init__(self, wheels: Path, name: str) -> None:
        """Raises FileNotFoundError where the package is not, or not once, in `wheels`."""
        found = sorted(wheels.glob(f"{name}-*.whl"))
        if len(found) != 1:
            raise FileNotFoundError(f"wanted one {name}-*.whl in {wheels}, found {len(found)}")
        self.path = found[0]
        self.version = self.path.name.split("-")[1]

    def read(self, member: str) -> bytes:
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(member)

    def licence(self) -> dict[str, bytes]:
        """The licence file the package carries, if it carries one."""
        with zipfile.ZipFile(self.path) as archive:
            names = [n for n in archive.namelist() if n.split("/")[-1].startswith("LICENSE")]
            return {"LICENSE": archive.read(names[0])} if names else {}


def _origin(name: str, version: str, licence: str) -> str:
    return (
        f"This graph is taken, unchanged, out of the Python package `{name}` {version}, which its "
        f"authors publish under the licence {licence}. It is collected when the tests are set up "
        "and is no part of this project."
    )


def magika(wheels: Path) -> Draft:
    wheel = Wheel(wheels, "magika")
    folder = "magika/models/standard_v3_3"
    text = (
        "Tells the content type of a file from its bytes: `bytes` int32[batch, 2048] (the first "
        "and the last 1024 bytes of the stripped content, padded with 256) → `target_label` "
        "float32[batch, labels].\n\n" + _origin("magika", wheel.version, "Apache-2.0")
    )
    files = {
        "model.onnx": wheel.read(f"{folder}/model.onnx"),
        "config.min.json": wheel.read(f"{folder}/config.min.json"),
        **wheel.licence(),
    }
    return single("google/magika", Card("apache-2.0", "other", text), files)


def silero_vad(wheels: Path) -> Draft:
    wheel = Wheel(wheels, "silero_vad")
    text = (
        "Tells whether a piece of sound is speech: `input` float32[batch, samples], `state` "
        "float32[2, batch, 128], `sr` int64 scalar → `output` (the probability), `stateN`.\n\n"
        + _origin("silero-vad", wheel.version, "MIT")
    )
    files = {"silero_vad.onnx": wheel.read("silero_vad/data/silero_vad.onnx"), **wheel.licence()}
    card = Card("mit", "voice-activity-detection", text)
    return single("snakers4/silero-vad", card, files)


def rapidocr(wheels: Path) -> Draft:
    """Three graphs on `main`; the branches det, rec and cls hold one each."""
    wheel = Wheel(wheels, "rapidocr_onnxruntime")
    graphs = {
        "det": "ch_PP-OCRv4_det_infer.onnx",
        "rec": "ch_PP-OCRv4_rec_infer.onnx",
        "cls": "ch_ppocr_mobile_v2.0_cls_infer.onnx",
    }
    files = {name: wheel.read(f"rapidocr_onnxruntime/models/{name}") for name in graphs.values()}
    text = (
        "Finds text in an image (det), tells whether a line is upside down (cls) and reads it "
        "(rec): `x` float32[batch, 3, height, width] each.\n\n"
        + _origin("rapidocr-onnxruntime", wheel.version, "Apache-2.0")
    )
    commits = [Revision("Upload the three graphs", files)]
    branches = {"main": 0}
    for branch, name in graphs.items():
        branches[branch] = len(commits)
        commits.append(Revision(f"Only the {branch} graph", {name: files[name]}))
    card = Card("apache-2.0", "image-to-text", text)
    return Draft("rapidai/rapidocr", card, commits, branches=branches)


def resnet50_light() -> Draft:
    """ResNet-50 with constant weights and the output ONNX's own test expects of it."""
    light = resources.files("onnx").joinpath("backend/test/data/light")
    text = (
        "ResNet-50's graph with constant weights, and in `test_data_set_0/output_0.pb` the output "
        "that ONNX's backend test expects for the input 0/n, 1/n, …, (n − 1)/n with n = 150528.\n\n"
        + _origin("onnx", metadata.version("onnx"), "Apache-2.0")
    )
    files = {
        "model.onnx": light.joinpath("light_resnet50.onnx").read_bytes(),
        "test_data_set_0/output_0.pb": light.joinpath("light_resnet50_output_0.pb").read_bytes(),
    }
    card = Card("apache-2.0", "image-classification", text)
    return single("onnxmodelzoo/resnet50-light", card, files)
