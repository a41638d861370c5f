# SPDX-License-Identifier: MIT
"""The test hub speaks the protocol well enough for the real `huggingface_hub` client."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.models.index import git_blob_id
from tests.support import Hub
from tests.support.hf_client import ClientError, HfClient

ODD_NAME = "notes/a b#c%20ü?.txt"
REC_GRAPH = "ch_PP-OCRv4_rec_infer.onnx"
CLIENT_CHUNK = 10 * 1024 * 1024  # the client keeps whole chunks of this size when it is cut off


@pytest.fixture
def client(hub: Hub, tmp_path: Path) -> Callable[..., HfClient]:
    """Makes clients with an empty cache: `client(token=None)`."""
    return lambda token=None: HfClient(hub.url, tmp_path / f"hf-{token}", token)


def head_files(hub: Hub, repo: str) -> dict[str, dict]:
    """Path → entry of repos.json, for the head of main."""
    entry = hub.repo(repo)
    head = next(c for c in entry["commits"] if c["sha"] == entry["branches"]["main"])
    return {file["path"]: file for file in head["files"]}


def assert_intact(file: Path, expected: dict) -> None:
    """The file has the size and digest the hub's listing promises."""
    data = file.read_bytes()
    assert len(data) == expected["size"]
    if "lfs" in expected:
        assert hashlib.sha256(data).hexdigest() == expected["lfs"]["sha256"]
    else:
        assert git_blob_id(data) == expected["oid"]


def test_model_info_with_file_metadata(hub, client):
    info = client().call("model_info", repo_id="google/magika", files_metadata=True)
    expected = head_files(hub, "google/magika")
    assert info["sha"] == hub.repo("google/magika")["branches"]["main"]
    assert {s["rfilename"] for s in info["siblings"]} == set(expected)
    for sibling in info["siblings"]:
        file = expected[sibling["rfilename"]]
        assert (sibling["size"], sibling["blob_id"]) == (file["size"], file["oid"])
        assert (sibling["lfs"] or {}).get("sha256") == file.get("lfs", {}).get("sha256")
    assert info["card_data"]["license"] == "apache-2.0"


def test_tree_is_whole_across_pages(hub, client):
    hub.options(page_size=7)
    tree = client().call("list_repo_tree", repo_id="mlos-test/many-files", recursive=True)
    expected = head_files(hub, "mlos-test/many-files")
    assert {e["path"]: e["size"] for e in tree if "blob_id" in e} == {
        path: file["size"] for path, file in expected.items()
    }
    assert "deep/a/b" in {e["path"] for e in tree if "tree_id" in e}
    assert len(hub.log("hub")) == math.ceil(len(tree) / 7) > 10


def test_tree_of_one_folder(client):
    tree = client().call("list_repo_tree", repo_id="mlos-test/many-files", path_in_repo="deep/a")
    assert sorted(entry["path"] for entry in tree) == ["deep/a/b", "deep/a/leaf.txt"]


@pytest.mark.parametrize(
    ("repo", "path"),
    [
        ("google/magika", "model.onnx"),
        ("google/magika", "config.min.json"),
        ("mlos-test/external-data", "model.onnx_data"),
        ("mlos-test/many-files", ODD_NAME),
        ("mlos-test/many-files", "empty.txt"),
    ],
)
def test_download_one_file(hub, client, repo, path):
    local = client().call("hf_hub_download", repo_id=repo, filename=path)
    assert_intact(Path(local), head_files(hub, repo)[path])


@pytest.mark.smoke
def test_snapshot_download(hub, client):
    folder = Path(client().call("snapshot_download", repo_id="mlos-test/several-graphs"))
    expected = head_files(hub, "mlos-test/several-graphs")
    found = {str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file()}
    assert found == set(expected)
    for path, file in expected.items():
        assert_intact(folder / path, file)


def test_revisions_by_branch_tag_and_commit(hub, client):
    entry = hub.repo("mlos-test/revisions")
    named = {
        "main": entry["branches"]["main"],
        "dev/feature": entry["branches"]["dev/feature"],
        "v1.0": entry["tags"]["v1.0"],
        entry["tags"]["v2.0"]: entry["tags"]["v2.0"],
    }
    commits = {commit["sha"]: commit["files"] for commit in entry["commits"]}
    for revision, sha in named.items():
        local = client().call(
            "hf_hub_download", repo_id=entry["id"], filename="model.onnx", revision=revision
        )
        graph = next(f for f in commits[sha] if f["path"] == "model.onnx")
        assert_intact(Path(local), graph)
        assert f"/snapshots/{sha}/" in local
    assert len(set(named.values())) == len(named)


def test_refs(hub, client):
    refs = client().call("list_repo_refs", repo_id="mlos-test/revisions")
    entry = hub.repo("mlos-test/revisions")
    assert {b["name"]: b["target_commit"] for b in refs["branches"]} == entry["branches"]
    assert {t["name"]: t["target_commit"] for t in refs["tags"]} == entry["tags"]


@pytest.mark.parametrize("former", ["gpt2", "bert-base-uncased"])
def test_a_renamed_repository_is_found_under_its_former_id(hub, client, former):
    info = client().call("model_info", repo_id=former)
    assert info["id"] == hub.repo(former)["id"] != former
    local = client().call("hf_hub_download", repo_id=former, filename="config.json")
    assert_intact(Path(local), head_files(hub, former)["config.json"])


def test_search_and_whoami(client):
    found = client().call("list_models", search="BERT")
    assert [m["id"] for m in found] == ["google-bert/bert-base-uncased", "mlos-test/bert-tiny"]
    assert client(Hub.token).call("whoami")["name"] == "mlos-full"


@pytest.mark.parametrize(
    ("error", "repo", "revision", "path", "token"),
    [
        ("RepositoryNotFoundError", "mlos-test/absent", "main", "model.onnx", None),
        ("RepositoryNotFoundError", "mlos-test/absent", "main", "model.onnx", Hub.token),
        ("RepositoryNotFoundError", "mlos-test/private", "main", "model.onnx", None),
        ("RepositoryNotFoundError", "mlos-test/private", "main", "model.onnx", Hub.reader_token),
        ("GatedRepoError", "mlos-test/gated", "main", "model.onnx", None),
        ("GatedRepoError", "mlos-test/gated", "main", "model.onnx", Hub.reader_token),
        ("RevisionNotFoundError", "google/magika", "v9", "model.onnx", None),
        ("EntryNotFoundError", "google/magika", "main", "absent.onnx", None),
        ("HfHubHTTPError", "google/magika", "main", "model.onnx", "hf_nobody"),
    ],
)
def test_refusals_raise_the_right_exception(client, error, repo, revision, path, token):
    with pytest.raises(ClientError) as raised:
        client(token).call("hf_hub_download", repo_id=repo, filename=path, revision=revision)
    assert error in raised.value.classes


def test_a_gated_listing_is_public_and_a_private_one_is_not(client):
    assert client().call("model_info", repo_id="mlos-test/gated")["gated"] == "auto"
    with pytest.raises(ClientError, match="RepositoryNotFoundError"):
        client().call("model_info", repo_id="mlos-test/private")
    assert client(Hub.token).call("model_info", repo_id="mlos-test/private")["private"] is True


@pytest.mark.parametrize("repo", ["mlos-test/gated", "mlos-test/private"])
def test_the_token_opens_the_repository_and_never_reaches_the_cdn(hub, client, repo):
    folder = Path(client(Hub.token).call("snapshot_download", repo_id=repo))
    for path, file in head_files(hub, repo).items():
        assert_intact(folder / path, file)
    assert hub.tokens_seen("hub") == {f"Bearer {Hub.token}"}
    assert [e["status"] for e in hub.log("cdn")] == [200]
    assert hub.tokens_seen("cdn") == set()


def test_download_resumes_where_it_was_cut(hub, client):
    hub.fault("cut", origin="cdn", after=CLIENT_CHUNK + 1000, times=1)
    local = client().call("hf_hub_download", repo_id="rapidai/rapidocr", filename=REC_GRAPH)
    assert_intact(Path(local), head_files(hub, "rapidai/rapidocr")[REC_GRAPH])
    first, second = hub.log("cdn")
    assert (first["status"], first["bytes_sent"]) == (200, CLIENT_CHUNK + 1000)
    assert second["status"] == 206
    assert second["headers"]["range"] == f"bytes={CLIENT_CHUNK}-"


def test_download_survives_a_server_that_ignores_range(hub, client):
    hub.fault("cut", origin="cdn", after=CLIENT_CHUNK + 1000, times=1)
    hub.fault("ignore_range", origin="cdn")
    local = client().call("hf_hub_download", repo_id="rapidai/rapidocr", filename=REC_GRAPH)
    assert_intact(Path(local), head_files(hub, "rapidai/rapidocr")[REC_GRAPH])
    ranges = [(e["status"], e["headers"].get("range")) for e in hub.log("cdn")]
    assert ranges == [(200, None), (200, f"bytes={CLIENT_CHUNK}-")]


def test_retry_after_is_obeyed(hub, client):
    hub.fault("reply", path="/tree/", status=429, headers={"Retry-After": "1"}, times=1)
    began = time.monotonic()
    assert client().call("list_repo_tree", repo_id="google/magika")
    assert time.monotonic() - began >= 1
    assert [e["status"] for e in hub.log("hub")] == [429, 200]


def test_server_errors_are_retried(hub, client):
    hub.fault("reply", path="/tree/", status=503, times=2)
    assert client().call("list_repo_tree", repo_id="google/magika")
    assert [e["status"] for e in hub.log("hub")] == [503, 503, 200]


def test_a_wrong_length_is_noticed(hub, client):
    hub.fault("wrong_length", origin="cdn", delta=-7)
    with pytest.raises(ClientError, match="Consistency check failed"):
        client().call("hf_hub_download", repo_id="google/magika", filename="model.onnx")
