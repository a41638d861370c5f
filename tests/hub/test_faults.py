# SPDX-License-Identifier: MIT
"""What the test hub does below the level of a client: ranges, signed URLs, and faults on order."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest
import requests

from tests.support import Hub

LFS = "/google/magika/resolve/main/model.onnx"
PLAIN = "/google/magika/resolve/main/config.min.json"
IDENTITY = {"Accept-Encoding": "identity"}


def fetch(url: str, **options) -> requests.Response:
    return requests.get(url, allow_redirects=False, timeout=20, **options)


def signed_url(hub: Hub) -> str:
    return fetch(hub.url + LFS).headers["Location"]


@pytest.fixture
def data(hub) -> bytes:
    return hub.file("google/magika", "model.onnx").read_bytes()


def test_an_lfs_file_redirects_to_the_other_origin(hub, data):
    for method in ("HEAD", "GET"):
        reply = requests.request(method, hub.url + LFS, allow_redirects=False, timeout=20)
        file = next(
            f for f in hub.repo("google/magika")["commits"][0]["files"] if f["path"] == "model.onnx"
        )
        assert reply.status_code == 302
        assert reply.headers["Location"].startswith(hub.cdn_url + "/")
        assert reply.headers["X-Linked-Etag"] == f'"{file["lfs"]["sha256"]}"'
        assert reply.headers["X-Linked-Size"] == str(len(data))
        assert reply.headers["X-Repo-Commit"] == hub.repo("google/magika")["branches"]["main"]
    assert fetch(signed_url(hub)).content == data


def test_a_plain_file_redirects_within_the_hub_and_wants_its_query_back(hub):
    location = fetch(hub.url + PLAIN).headers["Location"]
    assert location.startswith("/api/resolve-cache/models/google/magika/")
    whole = fetch(hub.url + location, headers=IDENTITY)
    assert whole.content == hub.file("google/magika", "config.min.json").read_bytes()
    assert whole.headers["X-Repo-Commit"] == hub.repo("google/magika")["branches"]["main"]
    assert fetch(hub.url + urlsplit(location).path).status_code == 400


def test_text_is_compressed_for_who_accepts_it(hub):
    location = fetch(hub.url + PLAIN).headers["Location"]
    reply = fetch(hub.url + location, headers={"Accept-Encoding": "gzip"})
    assert reply.headers["Content-Encoding"] == "gzip"
    assert reply.headers["ETag"].startswith('W/"')
    assert "Content-Length" not in reply.headers
    assert reply.content == hub.file("google/magika", "config.min.json").read_bytes()


@pytest.mark.parametrize(
    ("wanted", "status", "first", "last"),
    [
        ("bytes=0-9", 206, 0, 9),
        ("bytes=1000-", 206, 1000, -1),
        ("bytes=-5", 206, -5, -1),
        ("bytes=5-999999999", 206, 5, -1),
        ("bytes=0-0", 206, 0, 0),
        ("bytes=1-2,5-6", 200, 0, -1),
        ("lines=1-2", 200, 0, -1),
        ("bytes=-", 200, 0, -1),
    ],
)
def test_ranges(hub, data, wanted, status, first, last):
    reply = fetch(signed_url(hub), headers={"Range": wanted})
    first, last = first % len(data), last % len(data)
    assert reply.status_code == status
    assert reply.content == data[first : last + 1]
    if status == 206:
        assert reply.headers["Content-Range"] == f"bytes {first}-{last}/{len(data)}"


def test_a_range_beyond_the_end_is_refused(hub, data):
    reply = fetch(signed_url(hub), headers={"Range": f"bytes={len(data)}-"})
    assert reply.status_code == 416
    assert reply.headers["Content-Range"] == f"bytes */{len(data)}"


def test_if_range_with_another_etag_gets_the_whole_file(hub, data):
    url = signed_url(hub)
    etag = fetch(url, headers={"Range": "bytes=0-0"}).headers["ETag"]
    kept = fetch(url, headers={"Range": "bytes=7-", "If-Range": etag})
    lost = fetch(url, headers={"Range": "bytes=7-", "If-Range": '"other"'})
    assert (kept.status_code, len(kept.content)) == (206, len(data) - 7)
    assert (lost.status_code, len(lost.content)) == (200, len(data))


def test_a_signed_url_is_good_only_whole_unaltered_in_time_and_without_a_token(hub):
    url = signed_url(hub)
    assert fetch(url.split("?")[0]).status_code == 403
    assert fetch(url.replace("X-Amz-Expires=1", "X-Amz-Expires=2")).status_code == 403
    assert fetch(url, headers={"Authorization": f"Bearer {hub.token}"}).status_code == 400
    assert hub.tokens_seen("cdn") == {f"Bearer {hub.token}"}
    hub.options(url_lifetime_s=0.0)
    assert fetch(signed_url(hub)).status_code == 403


def test_a_branch_moves_between_two_requests(hub):
    repo, path = "mlos-test/revisions", "/mlos-test/revisions/resolve/main/model.onnx"
    entry = hub.repo(repo)
    hub.move_branch(repo, "main", entry["tags"]["v1.0"])
    assert fetch(hub.url + path).headers["X-Repo-Commit"] == entry["tags"]["v1.0"]
    hub.reset()
    assert fetch(hub.url + path).headers["X-Repo-Commit"] == entry["branches"]["main"]


def test_faults_select_skip_and_run_out(hub):
    hub.fault("reply", status=500, path="config", method="GET", skip=1, times=1)
    assert [fetch(hub.url + PLAIN).status_code for _ in range(3)] == [307, 500, 307]
    hub.fault("reply", status=500)
    assert fetch(hub.url + LFS).status_code == 500
    hub.clear_faults()
    assert fetch(hub.url + LFS).status_code == 302


def test_reply_carries_headers_and_body(hub):
    hub.fault("reply", status=429, headers={"Retry-After": "3"}, body="slow down")
    reply = fetch(hub.url + LFS)
    assert (reply.status_code, reply.headers["Retry-After"], reply.text) == (429, "3", "slow down")


def test_drop_and_cut_break_the_connection(hub):
    url = signed_url(hub)
    hub.fault("drop", times=1)
    with pytest.raises(requests.ConnectionError):
        fetch(url)
    hub.fault("cut", after=12345, times=1)
    received = 0
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        for piece in fetch(url, stream=True).iter_content(1):
            received += len(piece)
    assert received == 12345


def test_delay_stall_and_throttle_take_their_time(hub, data):
    url = signed_url(hub)
    for order in (
        {"kind": "delay", "seconds": 0.4},
        {"kind": "stall", "after": 1000, "seconds": 0.4},
        {"kind": "throttle", "bytes_per_second": len(data) * 2},
    ):
        hub.fault(origin="cdn", times=1, **order)
        began = time.monotonic()
        assert fetch(url).content == data
        assert time.monotonic() - began >= 0.35


def test_flip_byte_spoils_the_same_byte_in_whole_and_range(hub, data):
    url = signed_url(hub)
    hub.fault("flip_byte", origin="cdn", offset=70_000)
    spoiled = bytearray(data)
    spoiled[70_000] ^= 0xFF
    assert fetch(url).content == bytes(spoiled)
    assert fetch(url, headers={"Range": "bytes=69990-"}).content == bytes(spoiled[69_990:])


@pytest.mark.parametrize("delta", [-100, 100])
def test_wrong_length_is_announced_as_sent(hub, data, delta):
    hub.fault("wrong_length", origin="cdn", delta=delta)
    reply = fetch(signed_url(hub))
    assert int(reply.headers["Content-Length"]) == len(reply.content) == len(data) + delta


def test_change_etag_makes_if_range_fail(hub, data):
    url = signed_url(hub)
    etag = fetch(url, headers={"Range": "bytes=0-0"}).headers["ETag"]
    hub.fault("change_etag", origin="cdn")
    reply = fetch(url, headers={"Range": "bytes=9-", "If-Range": etag})
    assert reply.status_code == 200
    assert reply.headers["ETag"] != etag


def test_endless_ends_at_its_limit(hub):
    hub.fault("endless", origin="cdn", limit_bytes=1 << 20)
    received = 0
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        for piece in fetch(signed_url(hub), stream=True).iter_content(1 << 16):
            received += len(piece)
    assert received == 1 << 20


def test_redirect_goes_where_it_is_told(hub):
    hub.fault("redirect", location="http://10.0.0.1{path}", status=301)
    reply = fetch(hub.url + LFS + "?a=b")
    assert (reply.status_code, reply.headers["Location"]) == (301, f"http://10.0.0.1{LFS}?a=b")


@pytest.mark.parametrize(
    "order",
    [
        {"kind": "explode"},
        {"kind": "cut", "before": 1},
        {"kind": "cut", "after": "x"},
        {"kind": "delay", "seconds": 1e9},
        {"kind": "endless", "limit_bytes": 1 << 60},
        {"kind": "drop", "path": "("},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(hub, order):
    with pytest.raises(ValueError, match="Error"):
        hub.fault(**order)


def test_the_log_tells_what_was_asked(hub):
    fetch(signed_url(hub), headers={"Range": "bytes=0-9"})
    asked = [(e["origin"], e["method"], e["status"], e["bytes_sent"]) for e in hub.log()]
    assert asked == [("hub", "GET", 302, 18), ("cdn", "GET", 206, 10)]


def test_only_reading_is_allowed(hub):
    reply = requests.put(hub.url + LFS, timeout=20)
    assert reply.status_code == 501
    assert requests.post(hub.url + LFS, timeout=20).headers["Allow"] == "GET, HEAD"
