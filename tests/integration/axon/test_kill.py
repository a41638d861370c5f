# SPDX-License-Identifier: MIT
"""kill -9 at any moment: what was acknowledged is there, and nothing half done is to be seen."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.support import Axon, Hub

# Different sizes, shared files, external weights; `dev/feature` changes what a version is.
MODELS = [
    "hf/mlos-test/bert-tiny",
    "hf/mlos-test/external-data",
    "hf/mlos-test/many-files",
    "hf/mlos-test/revisions@v1.0",
    "hf/google/magika",
    "hf/snakers4/silero-vad",
    "hf/onnxmodelzoo/resnet50-light",
]


def assert_whole(axon: Axon, acknowledged: dict[str, bool], why: str) -> None:
    """Everything listed is intact, and is what commands that succeeded left behind; a command that
    was killed may have come through or not."""
    verdicts = axon.run("verify", "--json")
    assert verdicts.exit_code == 0, f"{why}: {verdicts.stdout}"
    listed = {verdict["model_id"].removesuffix("@latest") for verdict in verdicts.json}
    assert {model for model, there in acknowledged.items() if there} <= listed, why
    assert not {model for model, there in acknowledged.items() if not there} & listed, why
    for manifest in (axon.home / "cache/models").rglob("manifest.yaml"):
        assert (manifest.parent / ".axon_metadata.json").is_file(), why


def one_kill(
    axon: Axon, chance: random.Random, acknowledged: dict[str, bool], archive: Path
) -> bool:
    """Runs one random command and kills it at a random moment; True where it was killed."""
    model = chance.choice(MODELS)
    commands = {
        "install": ["install", model],
        "force": ["install", model, "--force"],
        "uninstall": ["uninstall", model, "--force"],
        "clean": ["cache", "clean"],
        "archive": ["install", str(archive), "--force"],
    }
    action = chance.choices(list(commands), [6, 3, 3, 1, 2])[0]
    target = MODELS[0] if action == "archive" else model
    process = axon.start(*commands[action])
    # Most kills fall into the work, some come after it.
    time.sleep(chance.choice([0.004, 0.02, 0.1, 0.35]) * chance.random())
    process.kill()
    killed = process.wait() < 0
    if action == "clean":
        return killed
    if killed:
        acknowledged.pop(target, None)
    else:
        acknowledged[target] = action != "uninstall"
    return killed


def kill_loop(axon: Axon, hub: Hub, folder: Path, seed: int, kills: int) -> None:
    archive = folder / "model.axon"
    Axon(folder / "packer", hub.url).run("install", MODELS[0], "-o", str(archive), check=True)
    chance = random.Random(seed)
    acknowledged: dict[str, bool] = {}
    hub.fault("throttle", path="^/repos/", bytes_per_second=30_000_000)
    done, runs = 0, 0
    while done < kills:
        killed = one_kill(axon, chance, acknowledged, archive)
        done += killed
        runs += 1
        if runs % 5 == 0 or done == kills:
            assert_whole(axon, acknowledged, f"seed {seed}, after run {runs}")
    hub.clear_faults()
    for model in MODELS:
        axon.run("install", model, check=True)
    assert_whole(axon, dict.fromkeys(MODELS, True), f"seed {seed}, at the end")
    assert list((axon.home / "cache/staging").iterdir()) == [], "what was half done is swept"


@pytest.mark.limit(300)
def test_killed_at_forty_random_moments(axon, hub, tmp_path, record_property):
    kill_loop(axon, hub, tmp_path, seed=random.SystemRandom().randrange(1 << 30), kills=40)
    record_property("axon killed", 40)


@pytest.mark.deep
@pytest.mark.limit(1800)
@pytest.mark.parametrize("part", range(4))
def test_killed_at_hundreds_of_random_moments(axon, hub, tmp_path, record_property, part):
    kill_loop(axon, hub, tmp_path, seed=random.SystemRandom().randrange(1 << 30), kills=150)
    record_property("axon killed", 150)
