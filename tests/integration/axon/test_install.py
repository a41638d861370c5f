# SPDX-License-Identifier: MIT
"""`axon install` from a hub: which graph, which files, which manifest, and what is said of it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import onnx
import pytest
import yaml

# Every repository that can be installed as it is: (model, the hub's id, graph).
INSTALLABLE = [
    ("google/magika", "google/magika", "model.onnx"),
    ("snakers4/silero-vad", "snakers4/silero-vad", "silero_vad.onnx"),
    ("onnxmodelzoo/resnet50-light", "onnxmodelzoo/resnet50-light", "model.onnx"),
    ("mlos-test/bert-tiny", "mlos-test/bert-tiny", "model.onnx"),
    ("mlos-test/external-data", "mlos-test/external-data", "model.onnx"),
    ("mlos-test/several-graphs", "mlos-test/several-graphs", "onnx/model.onnx"),
    ("mlos-test/many-files", "mlos-test/many-files", "model.onnx"),
    ("google/vit-base-patch16-224", "google/vit-base-patch16-224", "onnx/model.onnx"),
    ("bert-base-uncased", "google-bert/bert-base-uncased", "model.onnx"),
    ("gpt2", "openai-community/gpt2", "onnx/decoder_model.onnx"),
]


def manifest_of(directory: Path) -> dict:
    return yaml.safe_load((directory / "manifest.yaml").read_text())


def schema(graph: Path, which: str) -> list[dict]:
    """Inputs or outputs as a manifest lists them, read by the onnx package."""
    model = onnx.load(graph, load_external_data=False).graph
    initializers = {tensor.name for tensor in model.initializer}
    found = []
    for value in getattr(model, which):
        if value.name in initializers:
            continue
        tensor = value.type.tensor_type
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
        shape = [d.dim_value if d.HasField("dim_value") else -1 for d in tensor.shape.dim]
        found.append({"name": value.name, "dtype": dtype, "shape": shape})
    return found


@pytest.mark.smoke
@pytest.mark.parametrize(("name", "repository", "graph"), INSTALLABLE)
def test_every_repository_is_installed_as_it_is(axon, hub, name, repository, graph):
    result = axon.run("install", f"hf/{name}@latest", check=True)
    assert result.stdout == f"hf/{name}@latest\n"
    directory = axon.model_dir(name)
    manifest = manifest_of(directory)
    listed = {f["path"]: f for f in manifest["spec"]["format"]["files"]}
    on_disk = {
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()
    } - {"manifest.yaml", ".axon_metadata.json"}
    assert set(listed) == on_disk
    for path, entry in listed.items():
        data = (directory / path).read_bytes()
        assert data == hub.file(name, path).read_bytes()
        assert entry["size"] == len(data)
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
    assert manifest["x-mlos"] == {
        "generator": "axon 1.0.0",
        "source": {
            "hub": "huggingface",
            "repository": repository,
            "revision": "main",
            "commit": hub.repo(name)["branches"]["main"],
        },
        "graph": graph,
        "verified": True,
    }
    for which in ("input", "output"):
        assert manifest["spec"]["io"][which + "s"] == schema(directory / graph, which)


def test_the_whole_manifest(axon, hub):
    axon.run("install", "hf/mlos-test/several-graphs", check=True)
    manifest = manifest_of(axon.model_dir("mlos-test/several-graphs"))
    for file in manifest["spec"]["format"]["files"]:
        assert set(file) == {"path", "size", "sha256"}
    del manifest["spec"]["format"]["files"], manifest["spec"]["io"], manifest["x-mlos"]
    assert manifest == {
        "apiVersion": "axon.mlos.io/v1",
        "kind": "Model",
        "metadata": {
            "name": "mlos-test/several-graphs",
            "namespace": "hf",
            "version": "latest",
            "description": "Model of Hugging Face: mlos-test/several-graphs",
            "license": "mit",
            "homepage": f"{hub.url}/mlos-test/several-graphs",
            "tags": ["onnx", "license:mit"],
        },
        "spec": {
            "framework": {"name": "ONNX"},
            "format": {
                "type": "onnx",
                "execution_format": "onnx",
                "execution_files": [
                    {"path": "onnx/model.onnx", "format": "onnx", "type": "single"}
                ],
            },
            "requirements": {
                "compute": {
                    "cpu": {"min_cores": 1},
                    "memory": {"min_gb": 0.01, "recommended_gb": 0.01},
                    "gpu": {"required": False, "recommended": False},
                },
                "storage": {"min_gb": 0.01},
            },
        },
    }


def test_the_note_of_the_existing_tool_is_written(axon):
    axon.run("install", "hf/mlos-test/bert-tiny@latest", check=True)
    note = json.loads((axon.model_dir("mlos-test/bert-tiny") / ".axon_metadata.json").read_text())
    assert note.pop("installed_at").endswith("Z")
    assert note == {"namespace": "hf", "name": "mlos-test/bert-tiny", "version": "latest"}


def test_a_repository_that_moved_is_followed(axon):
    result = axon.run("install", "hf/gpt2", check=True)
    assert "openai-community/gpt2 at commit" in result.stderr


@pytest.mark.parametrize("revision", ["main", "v1.0", "v2.0", "dev/feature", "commit"])
def test_branches_tags_and_commits(axon, hub, revision):
    repo = hub.repo("mlos-test/revisions")
    heads = repo["branches"] | repo["tags"]
    commit = repo["commits"][0]["sha"] if revision == "commit" else heads[revision]
    asked = commit if revision == "commit" else revision
    # A name with a slash cannot be a version: the commit it means is.
    version = commit if "/" in asked else asked
    result = axon.run("install", f"hf/mlos-test/revisions@{asked}", check=True)
    assert result.stdout == f"hf/mlos-test/revisions@{version}\n"
    assert ("cannot be a version" in result.stderr) == ("/" in asked)
    directory = axon.model_dir("mlos-test/revisions", version)
    assert manifest_of(directory)["x-mlos"]["source"]["commit"] == commit
    files = next(c for c in repo["commits"] if c["sha"] == commit)["files"]
    wanted = next(f["lfs"]["sha256"] for f in files if f["path"] == "model.onnx")
    assert hashlib.sha256((directory / "model.onnx").read_bytes()).hexdigest() == wanted


def test_a_branch_that_moves_between_two_requests_changes_nothing(axon, hub):
    repo = hub.repo("mlos-test/revisions")
    first, last = repo["commits"][0]["sha"], repo["branches"]["main"]
    hub.fault("delay", path="/tree/", seconds=1.0)
    process = axon.start("install", "hf/mlos-test/revisions")
    while not any("/tree/" in entry["target"] for entry in hub.log("hub")):
        assert process.poll() is None
    hub.move_branch("mlos-test/revisions", "main", first)
    assert process.wait(30) == 0
    source = manifest_of(axon.model_dir("mlos-test/revisions"))["x-mlos"]["source"]
    assert source["commit"] == last


def test_installing_again_asks_the_hub_and_downloads_only_what_changed(axon, hub):
    repo = hub.repo("mlos-test/revisions")
    hub.move_branch("mlos-test/revisions", "main", repo["commits"][0]["sha"])
    axon.run("install", "hf/mlos-test/revisions", check=True)
    again = axon.run("install", "hf/mlos-test/revisions", "--json", check=True)
    assert again.json["status"] == "up_to_date"
    hub.move_branch("mlos-test/revisions", "main", repo["commits"][-1]["sha"])
    newer = axon.run("install", "hf/mlos-test/revisions", "--json", check=True)
    assert newer.json["status"] == "updated"
    assert newer.json["source"]["commit"] == repo["commits"][-1]["sha"]
    axon.run("verify", "hf/mlos-test/revisions", check=True)


def test_force_installs_again_without_downloading_again(axon, hub):
    axon.run("install", "hf/mlos-test/bert-tiny", check=True)
    hub.reset()
    forced = axon.run("install", "hf/mlos-test/bert-tiny", "--force", "--json", check=True)
    assert forced.json["status"] == "updated"
    assert hub.log("cdn") == []


def test_several_graphs_say_which_and_why(axon):
    result = axon.run("install", "hf/mlos-test/several-graphs", check=True)
    assert (
        "graph: onnx/model.onnx, because it is where exporters put the model; "
        "others (--file): onnx/model_fp16.onnx, onnx/model_quantized.onnx\n"
    ) in result.stderr
    chosen = axon.run(
        "install", "hf/mlos-test/several-graphs", "--file", "onnx/model_quantized.onnx", check=True
    )
    assert "because --file asks for it" in chosen.stderr
    directory = axon.model_dir("mlos-test/several-graphs")
    assert sorted(p.name for p in (directory / "onnx").iterdir()) == ["model_quantized.onnx"]


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("hf/rapidai/rapidocr",), 2, "error: rapidai/rapidocr holds 3 graphs: ch_PP-OCRv4_det"),
        (("hf/rapidai/rapidocr", "--file", "none.onnx"), 3, "has no file none.onnx; its graphs"),
        (("hf/rapidai/rapidocr", "--file", "README.md"), 2, "expected a file that ends in .onnx"),
        (("hf/mlos-test/safetensors-only",), 10, "hint: conversion from PyTorch"),
        (("hf/google/magika", "--format", "pytorch"), 10, "this version installs ONNX graphs only"),
        (("hf/google/magika", "--format", "zip"), 2, "expected auto or onnx"),
        (("pytorch/vision/resnet50",), 10, "PyTorch Hub cannot be installed by this version"),
        (("tfhub/google/universal-sentence-encoder/4",), 10, "TensorFlow Hub cannot be"),
        (("modelscope/damo/cv_resnet50",), 10, "ModelScope cannot be installed"),
        (("nowhere/a/b",), 2, "no hub has the namespace 'nowhere'"),
        (("hf/a/b/c",), 2, "is not a model of Hugging Face"),
        (("bert",), 2, "has no namespace"),
        (("hf/../x",), 2, "'hf/../x' has a segment that is not valid"),
        (("hf/google/magika@..",), 2, "is not the name of a branch"),
        (("hf/google/magika@nothere",), 3, "has no branch, tag or commit nothere"),
        (("hf/nobody/nothing",), 3, "there is no repository nobody/nothing"),
    ],
)
def test_what_cannot_be_installed_says_so(axon, arguments, exit_code, message):
    result = axon.run("install", *arguments)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert result.stderr.startswith(("error: ", "hf/"))
    assert message in result.stderr
    assert axon.run("list", "--json").json == []


def test_a_repository_of_pickles_and_code_is_not_even_downloaded(axon, hub):
    names = ["config.json", "hubconf.py", "model.gguf", "model.joblib", "model.keras", "model.pkl",
             "model.pt", "modeling_custom.py", "pytorch_model.bin", "saved_model.pb",
             "weights.npy"]  # fmt: skip
    listing = [{"type": "file", "path": name, "size": 9, "oid": "0" * 40} for name in names]
    hub.fault("reply", path="/tree/", status=200, body=json.dumps(listing))
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code == 10
    assert "error: google/magika has no ONNX graph" in result.stderr
    assert "hint: conversion from PyTorch" in result.stderr
    assert not any("/resolve/" in entry["target"] for entry in hub.log("hub"))
    assert hub.log("cdn") == []
    assert not (axon.home / "cache").exists()


def test_one_graph_of_several_by_branch(axon):
    axon.run("install", "hf/rapidai/rapidocr@det", check=True)
    axon.run("install", "hf/rapidai/rapidocr", "--file", "ch_PP-OCRv4_det_infer.onnx", check=True)
    folders = [axon.model_dir("rapidai/rapidocr", version) for version in ("det", "latest")]
    graphs = [folder / "ch_PP-OCRv4_det_infer.onnx" for folder in folders]
    assert os.path.samefile(*graphs), "equal files are kept once"


def test_weights_outside_the_graph_come_with_it(axon, hub):
    axon.run("install", "hf/mlos-test/external-data", check=True)
    directory = axon.model_dir("mlos-test/external-data")
    weights = hub.file("mlos-test/external-data", "model.onnx_data")
    assert (directory / "model.onnx_data").read_bytes() == weights.read_bytes()
    memory = manifest_of(directory)["spec"]["requirements"]["compute"]["memory"]
    assert memory["min_gb"] * 1e9 >= weights.stat().st_size


def test_a_listing_of_many_pages(axon, hub):
    hub.options(page_size=7)
    axon.run("install", "hf/mlos-test/many-files", check=True)
    pages = [entry for entry in hub.log("hub") if "/tree/" in entry["target"]]
    assert len(pages) > 10


def test_a_listing_that_goes_on_elsewhere_is_not_followed(axon, hub):
    link = {"Link": f'<{hub.cdn_url}/api/models/x/tree/y?cursor=1>; rel="next"'}
    hub.fault("reply", path="/tree/", status=200, headers=link, body="[]")
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code == 5
    assert "continues at another server" in result.stderr
    assert hub.log("cdn") == []


@pytest.mark.parametrize(
    "body",
    ["", "[", "{}", "[7]", '[{"type":"file"}]', "[" * 100_000,
     '[{"type":"file","path":"../x","size":1,"oid":"' + "0" * 40 + '"}]',
     '[{"type":"file","path":"a","size":-1,"oid":"' + "0" * 40 + '"}]'],
)  # fmt: skip
def test_a_hostile_listing_is_refused(axon, hub, body):
    hub.fault("reply", path="/tree/", status=200, body=body)
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code in (6, 10)
    assert not (axon.home / "cache/models").exists()


def test_an_endless_listing_ends(axon, hub):
    hub.fault("endless", path="/api/models/", limit_bytes=1 << 26)
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code == 6
    assert "longer than" in result.stderr


def test_dry_run_shows_sizes_and_downloads_nothing(axon, hub):
    result = axon.run("install", "hf/mlos-test/external-data", "--dry-run", check=True)
    assert result.stdout == (
        "README.md        172 B\n"
        "model.onnx       234 B\n"
        "model.onnx_data  2.0 MiB\n"
        "total            2.0 MiB\n"
        "to download      2.0 MiB\n"
    )
    assert not (axon.home / "cache").exists()
    assert hub.log("cdn") == []
    axon.run("install", "hf/mlos-test/external-data", check=True)
    planned = axon.run("install", "hf/mlos-test/external-data", "--dry-run", "--json", check=True)
    assert planned.json["download_bytes"] == 172, "files without a SHA-256 count as missing"


def test_json_of_an_installation(axon, hub):
    result = axon.run("install", "hf/mlos-test/bert-tiny", "--json", check=True)
    repo = hub.repo("mlos-test/bert-tiny")
    files = []
    for file in sorted(repo["commits"][-1]["files"], key=lambda f: f["path"]):
        data = hub.file("mlos-test/bert-tiny", file["path"]).read_bytes()
        sha256 = hashlib.sha256(data).hexdigest()
        files.append({"path": file["path"], "size_bytes": len(data), "sha256": sha256})
    assert result.json == {
        "model_id": "hf/mlos-test/bert-tiny@latest",
        "status": "installed",
        "path": str(axon.model_dir("mlos-test/bert-tiny")),
        "verified": True,
        "source": {
            "hub": "huggingface",
            "repository": "mlos-test/bert-tiny",
            "revision": "main",
            "commit": repo["branches"]["main"],
        },
        "graph": "model.onnx",
        "files": files,
        "total_bytes": sum(f["size_bytes"] for f in files),
    }
    for line in result.stderr.splitlines():
        assert json.loads(line)["level"] == "note"


def test_a_graph_that_is_no_graph_is_not_installed(axon, hub):
    """What the hub promises is what arrives, and it still is no model."""
    body = b"not a graph"
    oid = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
    listing = [{"type": "file", "path": "model.onnx", "size": len(body), "oid": oid}]
    hub.fault("reply", path="/tree/", status=200, body=json.dumps(listing))
    hub.fault("reply", path="/resolve/", status=200, body=body.decode())
    result = axon.run("install", "hf/google/magika")
    assert result.exit_code == 6
    assert result.stderr.startswith("hf/google/magika@latest: ")
    assert axon.run("list", "--json").json == []
