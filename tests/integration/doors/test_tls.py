# SPDX-License-Identifier: MIT
"""The HTTP and gRPC doors over TLS: ordinary clients, those who are sent away, and the life of the
certificate."""

from __future__ import annotations

import contextlib
import random
import select
import signal
import socket
import ssl
import struct
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import requests
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support import Axon, paths
from tests.support.graphs import scale
from tests.support.oip import binary_body
from tests.support.oip import from_reply as oip_from_reply
from tests.support.tls import Authority, Pair, TlsCore
from tests.support.waiting import wait_until

MODEL = "tls/scale"
X = np.arange(1000, dtype=np.float32)
LARGE = np.arange(1 << 20, dtype=np.float32)  # 4 MiB


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(authority: Authority) -> Pair:
    return authority.issue("server")


def running(core: TlsCore) -> Iterator[TlsCore]:
    core.start()
    graph = scale(core.folder / "scale.onnx", 2.0)
    assert core.register(MODEL, graph).status_code == 200
    yield core
    assert core.stop() == 0


@pytest.fixture(scope="module")
def core(tmp_path_factory, authority, server) -> Iterator[TlsCore]:
    folder = tmp_path_factory.mktemp("core")
    yield from running(TlsCore(folder, authority, server, "--header-timeout-ms", "1500"))


@pytest.fixture(scope="module")
def mutual(tmp_path_factory, authority, server) -> Iterator[TlsCore]:
    """A Core that asks for its clients' certificates."""
    folder = tmp_path_factory.mktemp("mutual")
    trusted = ["--tls-client-ca", str(authority.pair.certificate)]
    client = authority.issue("client")
    yield from running(TlsCore(folder, authority, server, *trusted, client=client))


def serves(core: TlsCore) -> None:
    np.testing.assert_array_equal(core.infer(MODEL, {"x": X})["y"], X * 2)


def channel(core: TlsCore, client: Pair | None = None) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(
        core.authority.pair.certificate.read_bytes(),
        client and client.key.read_bytes(),
        client and client.certificate.read_bytes(),
    )
    return grpc.secure_channel(core.grpc_address, credentials)


def health(channel: grpc.Channel) -> int:
    request = health_pb2.HealthCheckRequest()
    return health_pb2_grpc.HealthStub(channel).Check(request, timeout=20).status


def head(path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def read_replies(stream: ssl.SSLSocket, count: int) -> list[bytes]:
    """The bodies of `count` replies, each of which is a 200 with a Content-Length."""
    file, bodies = stream.makefile("rb"), []
    for _ in range(count):
        assert file.readline() == b"HTTP/1.1 200 OK\r\n"
        fields = dict(line.split(b": ", 1) for line in iter(file.readline, b"\r\n"))
        bodies.append(file.read(int(fields[b"Content-Length"])))
    return bodies


def ended(stream: socket.socket) -> bytes:
    """All that comes until the server closes."""
    received = b""
    try:
        while piece := stream.recv(65536):
            received += piece
    except ConnectionError:
        pass
    return received


@pytest.mark.parametrize("options", [[], ["--http1.0"], ["--http2"], ["--tlsv1.3"],
                                     ["--tls-max", "1.2"], ["--no-alpn"]])  # fmt: skip
def test_curl(core, options):
    ca = ["--cacert", str(core.authority.pair.certificate)]
    command = ["curl", "-sS", *ca, *options, f"{core.url}/health"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert '"status":"healthy"' in done.stdout.replace(": ", ":")


def test_requests(core):
    serves(core)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{core.url}/health", timeout=20)  # does not know the authority


def test_triton_over_http(core):
    tensor = triton_http.InferInput("x", [1000], "FP32").set_data_from_numpy(X)
    options = {"ca_certs": str(core.authority.pair.certificate)}
    with triton_http.InferenceServerClient(
        f"localhost:{core.port}", ssl=True, ssl_options=options
    ) as client:
        assert client.is_server_live()
        np.testing.assert_array_equal(client.infer(MODEL, [tensor]).as_numpy("y"), X * 2)


def test_triton_over_grpc(core):
    tensor = triton_grpc.InferInput("x", list(LARGE.shape), "FP32").set_data_from_numpy(LARGE)
    with triton_grpc.InferenceServerClient(
        core.grpc_address, ssl=True, root_certificates=str(core.authority.pair.certificate)
    ) as client:
        assert client.is_server_live()
        for _ in range(3):
            np.testing.assert_array_equal(client.infer(MODEL, [tensor]).as_numpy("y"), LARGE * 2)


def test_grpcio(core):
    with channel(core) as open_channel:
        assert health(open_channel) == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.release_only
def test_axon_registers_over_https(core, hub, tmp_path):
    axon = Axon(tmp_path / "axon", hub.url, core.url)
    axon.run("install", "hf/google/magika", check=True)
    stranger = axon.run("register", "hf/google/magika", AXON_MAX_RETRIES="0")
    assert stranger.exit_code != 0 and "SSL" in stranger.stderr
    axon.env["SSL_CERT_FILE"] = str(core.authority.pair.certificate)
    axon.run("register", "hf/google/magika", check=True)
    assert "hf/google/magika" in core.get("/models").text


def test_clients_show_their_certificate(mutual):
    serves(mutual)
    with channel(mutual, mutual.client) as open_channel:
        assert health(open_channel) == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("whose", ["none", "a stranger's"])
def test_clients_without_a_certificate_are_sent_away(mutual, tmp_path, whose):
    client = Authority(tmp_path, "stranger").issue("client") if whose != "none" else None
    for port in (mutual.port, mutual.grpc_port):
        with pytest.raises(OSError), mutual.connect(
            mutual.authority.context(client, ["h2", "http/1.1"]), port=port
        ) as stream:  # fmt: skip
            # With TLS 1.3 a client hears of it only when it reads.
            stream.sendall(head("/health"))
            if not stream.recv(1):
                raise ConnectionError
    with channel(mutual, client) as open_channel, pytest.raises(grpc.RpcError) as refused:
        health(open_channel)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    serves(mutual)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("door", ["core", "mutual"])
def test_sessions_are_resumed_from_tickets(request, door, version):
    core = request.getfixturevalue(door)
    context = core.authority.context(core.client)
    context.minimum_version = context.maximum_version = version
    session = None
    for resumed in (False, True):
        plain = socket.create_connection(("127.0.0.1", core.port), timeout=20)
        with context.wrap_socket(plain, server_hostname="localhost", session=session) as stream:
            stream.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert len(read_replies(stream, 1)) == 1
            assert stream.session_reused == resumed
            session = stream.session


def weak(version: ssl.TLSVersion, ciphers: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        (ssl.TLSVersion.TLSv1, "ALL"),
        (ssl.TLSVersion.TLSv1_1, "ALL"),
        (ssl.TLSVersion.TLSv1_2, "AES128-SHA"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256"),
        (ssl.TLSVersion.TLSv1_2, "aNULL"),
    ],
)
def test_what_is_old_or_weak_is_refused(core, version, ciphers):
    for port in (core.port, core.grpc_port):
        with pytest.raises(OSError), core.connect(weak(version, ciphers), port=port):
            pass
    with core.connect(weak(ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-GCM-SHA256")) as stream:
        assert stream.version() == "TLSv1.2" and stream.compression() is None


@pytest.mark.parametrize(
    ("door", "offered", "taken"),
    [
        ("http", None, None),
        ("http", ["http/1.1"], "http/1.1"),
        ("http", ["h2", "http/1.1"], "http/1.1"),
        ("grpc", ["h2"], "h2"),
        ("grpc", ["grpc-exp", "h2"], "h2"),
    ],
)
def test_each_door_names_its_protocol(core, door, offered, taken):
    port = core.port if door == "http" else core.grpc_port
    with core.connect(core.authority.context(alpn=offered), port=port) as stream:
        assert stream.selected_alpn_protocol() == taken


@pytest.mark.parametrize(
    ("door", "offered"), [("http", ["h2"]), ("grpc", ["http/1.1"]), ("grpc", None)]
)
def test_who_speaks_another_protocol_is_sent_away(core, door, offered):
    port = core.port if door == "http" else core.grpc_port
    context = core.authority.context(alpn=offered)
    try:
        with core.connect(context, port=port) as stream:
            assert ended(stream) == b""
    except ssl.SSLError as error:
        assert "no application protocol" in str(error)
    serves(core)


@pytest.mark.parametrize("door", ["http", "grpc"])
@pytest.mark.parametrize(
    "said",
    [
        b"POST /models/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 600,
        b"\0" * 100_000,
    ],
    ids=["http", "http2", "half a hello", "zeros"],
)
def test_what_is_not_tls_is_cut_off(core, door, said):
    port = core.port if door == "http" else core.grpc_port
    with socket.create_connection(("127.0.0.1", port), timeout=20) as stream:
        try:
            stream.sendall(said)
        except ConnectionError:
            pass
        assert b"HTTP" not in ended(stream)
    serves(core)


def test_a_handshake_that_stalls_is_cut_off_and_keeps_nobody(core):
    stalled = []
    for port in (core.port, core.grpc_port):
        for said in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
            for _ in range(20):
                stream = socket.create_connection(("127.0.0.1", port), timeout=20)
                stream.sendall(said)
                stalled.append(stream)
    serves(core)
    with channel(core) as open_channel:
        assert health(open_channel) == health_pb2.HealthCheckResponse.SERVING
    for stream in stalled:
        assert ended(stream) == b""
        stream.close()


def cut(core: TlsCore, port: int, context: ssl.SSLContext, dice: random.Random) -> None:
    """One connection that is reset at some point of its life, garbled before or not."""
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(into, out, server_hostname="localhost")
    body, headers = binary_body({"x": LARGE[:100_000]})
    fields = [f"{name}: {value}" for name, value in headers.items()]
    steps = [client.do_handshake] * 4
    steps += [lambda: client.write(head(f"/v2/models/{MODEL}/infer", *fields, body=body))]
    steps += [lambda: client.read(65536)] * 4
    with socket.create_connection(("127.0.0.1", port), timeout=20) as stream:
        reset = struct.pack("ii", 1, 0)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        stream.settimeout(0.02)
        last = dice.randrange(len(steps))
        for i, step in enumerate(steps[: last + 1]):
            with contextlib.suppress(ssl.SSLError, OSError):
                step()
            said = bytearray(out.read())
            if i == last and said:
                said[dice.randrange(len(said))] ^= dice.randrange(2)
                said = said[: dice.randrange(len(said) + 1)]
            with contextlib.suppress(OSError):
                stream.sendall(said)
                into.write(stream.recv(65536))


def test_cut_connections_leave_nothing_behind(core):
    serves(core)
    dice = random.Random(1)
    http, grpc_ = core.authority.context(), core.authority.context(alpn=["h2"])
    before = core.resources()
    for _ in range(50):
        cut(core, core.port, http, dice)
        cut(core, core.grpc_port, grpc_, dice)
    now = core.resources_within(before.fds)
    assert now.fds <= before.fds
    assert now.threads == before.threads
    serves(core)


def test_large_bodies_over_one_connection(core):
    body, headers = binary_body({"x": LARGE})
    for _ in range(5):
        reply = core.post(f"/v2/models/{MODEL}/infer", data=body, headers=headers)
        assert reply.status_code == 200
        outputs = oip_from_reply(
            reply.content, reply.headers.get("Inference-Header-Content-Length")
        )
        np.testing.assert_array_equal(outputs["y"], LARGE * 2)


def exchange(stream: ssl.SSLSocket, said: bytes, done: Callable[[bytes], bool]) -> bytes:
    """Sends as long as the server takes it, and only then reads; until `done` with what came."""
    stream.setblocking(False)
    rest, received = memoryview(said), bytearray()
    while not done(bytes(received[-100:])):
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while rest:
                rest = rest[stream.send(rest[:65536]) :]
        with contextlib.suppress(ssl.SSLWantReadError):
            received += stream.recv(65536)
            continue
        assert any(select.select([stream], [stream] if rest else [], [], 20))
    return bytes(received)


def test_pipelined_requests_are_answered_in_order(core):
    """More than the sockets hold."""
    arrays = [np.full(200_000, i + 1, np.float32) for i in range(20)]
    arrays[-1][-1] = 0.5  # nothing else ends like the last one
    said = b""
    for array in arrays:
        body, headers = binary_body({"x": array})
        fields = [f"{name}: {value}" for name, value in headers.items()]
        said += head(f"/v2/models/{MODEL}/infer", *fields, body=body)
    with core.connect() as stream:
        for _ in range(3):
            stream.sendall(head("/v2/repository/index") * 50)
            assert len(set(read_replies(stream, 50))) == 1
        last = (arrays[-1] * 2).tobytes()[-100:]
        received = exchange(stream, said, lambda end: end == last)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == len(arrays)
    at = 0
    for array in arrays:
        at = received.index((array * 2).tobytes(), at) + array.nbytes
    assert at == len(received)


def test_bytes_may_come_one_by_one(core):
    into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = core.authority.context().wrap_bio(into, out, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", core.port), timeout=20) as stream:
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def step(action, *arguments):
            while True:
                try:
                    done = action(*arguments)
                except ssl.SSLWantReadError:
                    done = None
                for byte in out.read():
                    stream.sendall(bytes([byte]))
                if done is not None or action == client.do_handshake and client.version():
                    return done
                into.write(stream.recv(65536))

        step(client.do_handshake)
        step(client.write, head("/v2/repository/index"))
        assert step(client.read, 65536).startswith(b"HTTP/1.1 200 OK\r\n")


def serial(core: TlsCore) -> str:
    with core.connect() as stream:
        return stream.getpeercert()["serialNumber"]


def reload(core: TlsCore, expected: str) -> None:
    """SIGHUP, until the log says what is expected once more."""
    said = core.log().count(expected)
    core._process.send_signal(signal.SIGHUP)  # noqa: SLF001
    wait_until(lambda: core.log().count(expected) != said, why=core.log)


def replace(pair: Pair, by: Pair) -> None:
    pair.key.write_bytes(by.key.read_bytes())
    pair.certificate.write_bytes(by.certificate.read_bytes())


def test_sighup_swaps_the_certificate(authority, tmp_path):
    served, other = authority.issue("swapped"), authority.issue("other", rsa=True)
    core = TlsCore(tmp_path, authority, served).start()
    try:
        before = serial(core)
        with core.connect() as open_before:
            replace(served, other)
            reload(core, "configuration reloaded")
            after = serial(core)
            assert after != before
            with channel(core) as open_channel:
                assert health(open_channel) == health_pb2.HealthCheckResponse.SERVING
            served.key.write_bytes(authority.pair.key.read_bytes())
            reload(core, "the key does not belong to the certificate")
            assert serial(core) == after
            served.certificate.unlink()
            reload(core, "tls_cert: cannot open")
            assert serial(core) == after
            open_before.sendall(head("/v2/repository/index"))
            assert len(read_replies(open_before, 1)) == 1
        assert core.stop() == 0
    finally:
        if core.running:
            core.kill()


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [paths.product("mlos_core"), "--state-dir", folder / "state", *arguments],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip


def files(authority: Authority, folder: Path) -> dict[str, str]:
    """Options with files, good and bad, by a short name."""
    good, other = authority.issue("good"), authority.issue("another")
    exposed, locked, empty = (folder / name for name in ("exposed.key", "locked.key", "empty.pem"))
    exposed.write_bytes(good.key.read_bytes())
    exposed.chmod(0o644)
    subprocess.run(
        ["openssl", "pkey", "-aes256", "-passout", "pass:x", "-in", good.key, "-out", locked],
        check=True,
    )
    locked.chmod(0o600)
    empty.write_text("nothing\n")
    small = folder / "small.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey", "rsa:1024", "-subj", "/CN=x",
         "-keyout", folder / "small.key", "-out", small],
        check=True, capture_output=True,
    )  # fmt: skip
    return {
        "cert": f"--tls-cert={good.certificate}", "key": f"--tls-key={good.key}",
        "ca": f"--tls-client-ca={authority.pair.certificate}",
        "no cert": f"--tls-cert={folder / 'none.pem'}", "empty cert": f"--tls-cert={empty}",
        "folder": f"--tls-cert={folder}", "small": f"--tls-cert={small}",
        "small key": f"--tls-key={folder / 'small.key'}",
        "no key": f"--tls-key={folder / 'none.key'}", "other key": f"--tls-key={other.key}",
        "exposed": f"--tls-key={exposed}", "locked": f"--tls-key={locked}",
        "empty ca": f"--tls-client-ca={empty}",
    }  # fmt: skip


REFUSALS = [
    ("cert", "tls_key: needed beside tls_cert"),
    ("key", "tls_cert: needed beside tls_key"),
    ("ca", "tls_client_ca: "),
    ("no cert, key", "tls_cert: cannot open none.pem: No such file"),
    ("empty cert, key", "tls_cert: there is no certificate"),
    ("folder, key", "tls_cert: "),
    ("small, small key", "tls_cert: the certificate cannot be used: ee key too small"),
    ("cert, no key", "tls_key: cannot open none.key: No such file"),
    ("cert, other key", "tls_key: the key does not belong to the certificate"),
    ("cert, exposed", "tls_key: users other than its owner and group may open the file"),
    ("cert, locked", "tls_key: the file has no unencrypted private key"),
    ("cert, key, empty ca", "tls_client_ca: there is no certificate"),
]


def test_bad_files_are_refused_by_option(authority, tmp_path):
    options = files(authority, tmp_path)
    for names, why in REFUSALS:
        arguments = [options[name] for name in names.split(", ")]
        for action in (["--check-config"], ["--http-port", "0", "--no-grpc", "--no-ipc"]):
            done = check(tmp_path, *arguments, *action)
            assert done.returncode == 1 and why in done.stderr, (names, done.stderr)
    done = check(tmp_path, options["cert"], options["key"], options["ca"], "--check-config")
    assert done.stdout == "configuration ok\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_open_listener_is_encrypted_or_insecure(core, server, tmp_path, host):
    arguments = ["--http-host", host, "--model-root", str(tmp_path), "--check-config"]
    done = check(tmp_path, *arguments)
    assert done.returncode == 1
    assert "http_host: " in done.stderr and "--insecure" in done.stderr
    for allowed in (["--insecure"], server.arguments()):
        assert check(tmp_path, *arguments, *allowed).stdout == "configuration ok\n"


def test_an_insecure_listener_is_warned_of(make_core, tmp_path):
    insecure = ["--http-host", "0.0.0.0", "--model-root", str(tmp_path), "--insecure"]
    core = make_core(*insecure).start()
    assert core.get("/health").status_code == 200
    assert "without TLS" in core.log()


def test_drains_with_connections_open(authority, server, tmp_path):
    core = TlsCore(tmp_path, authority, server).start()
    half = socket.create_connection(("127.0.0.1", core.port), timeout=20)
    half_grpc = socket.create_connection(("127.0.0.1", core.grpc_port), timeout=20)
    with core.connect() as idle, core.connect() as silent, channel(core) as open_channel:
        idle.sendall(head("/v2/repository/index"))
        read_replies(idle, 1)
        assert health(open_channel) == health_pb2.HealthCheckResponse.SERVING
        assert core.stop() == 0, core.log()
        assert ended(idle) == ended(silent) == b"", "closed in order, not cut off"
    for stream in (half, half_grpc):
        stream.close()
