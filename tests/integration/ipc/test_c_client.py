# SPDX-License-Identifier: MIT
"""libmlos as its users have it: installed, found by pkg-config and CMake, compiled with warnings as
errors by gcc and clang, as C and as C++."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from onnx import TensorProto

from tests.support import paths, process
from tests.support.graphs import identity, running_sum, slow
from tests.support.ipc import IpcCore, settled

pytestmark = pytest.mark.release_only

PROGRAM = paths.ROOT / "tests/ipc/client_check.c"
GONE = paths.ROOT / "tests/ipc/client_gone.c"
WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
COMPILERS = {
    "gcc": ["gcc", "-std=c11"],
    "clang": ["clang-19", "-std=c11"],
    "g++": ["g++", "-std=c++11", "-xc++"],
    "clang++": ["clang++-19", "-std=c++20", "-xc++"],
}


def run(command: list, **options: object) -> str:
    """Its output; AssertionError with all it said where it fails."""
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make install-dev` installs, the header included."""
    prefix = tmp_path_factory.mktemp("prefix")
    run(["cmake", "--install", paths.build_dir(), "--prefix", prefix, "--component", "dev"])
    return prefix


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IpcCore]:
    folder = tmp_path_factory.mktemp("c")
    core = IpcCore(folder).start()
    for name, dtype in (("f", TensorProto.FLOAT), ("s", TensorProto.STRING)):
        assert core.register(name, identity(folder / f"{name}.onnx", dtype)).status_code == 200
    assert core.register("sum", running_sum(folder / "sum.onnx")).status_code == 200
    assert core.register("slow", slow(folder / "slow.onnx", 60)).status_code == 200
    yield core
    assert core.stop() == 0


def pkg_config(prefix: Path, *arguments: str) -> list[str]:
    folder = next(prefix.rglob("mlos.pc")).parent
    env = {"PKG_CONFIG_PATH": str(folder), "PATH": "/usr/bin:/bin"}
    return run(["pkg-config", *arguments, "mlos"], env=env).split()


def build(prefix: Path, source: Path, folder: Path, compiler: list[str]) -> Path:
    """Compiles a program against the installed library."""
    program = folder / source.stem
    libraries = pkg_config(prefix, "--libs")
    flags = pkg_config(prefix, "--cflags")
    rpath = next(prefix.rglob("libmlos.so")).parent
    run([*compiler, *WARNINGS, *flags, source, "-o", program, *libraries,
         f"-Wl,-rpath,{rpath}"])  # fmt: skip
    return program


@pytest.mark.parametrize("compiler", COMPILERS.values(), ids=COMPILERS)
def test_every_compiler_takes_the_header_and_every_call_works(core, installed, tmp_path, compiler):
    program = build(installed, PROGRAM, tmp_path, compiler)
    before = core.resources()
    assert run([program, core.socket], timeout=60) == "all is well\n"
    assert settled(core, before)


@pytest.fixture(scope="module")
def gone(installed, tmp_path_factory) -> Path:
    return build(installed, GONE, tmp_path_factory.mktemp("gone"), COMPILERS["gcc"])


# How Core goes, and how the wait ends: code and reason.
ENDS = {"kill": "14 DISCONNECTED", "breach": "3 MALFORMED_REQUEST"}


@pytest.mark.parametrize("unread", [0, 1])
@pytest.mark.parametrize("spin_us", [0, -1])
@pytest.mark.parametrize("way", ENDS)
def test_who_waits_on_a_ring_learns_that_core_is_gone(gone, tmp_path, way, spin_us, unread):
    core = IpcCore(tmp_path / "core").start()
    try:
        f = identity(tmp_path / "f.onnx", TensorProto.FLOAT)
        assert core.register("f", f).status_code == 200
        endless = slow(tmp_path / "slow.onnx", 1_000_000)
        assert core.register("slow", endless).status_code == 200
        command = [gone, core.socket, way, spin_us, unread]
        with process.spawn(command, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout.readline() == "waiting\n"
            if way == "kill":
                core.kill()
            # communicate() would pass over what readline() has read ahead.
            program.wait(timeout=20)
            assert program.stdout.read() == f"{ENDS[way]}\n"
    finally:
        if core.running:
            core.kill()


def test_cmake_finds_it(installed, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.20)\nproject(user C)\n"
        "find_package(mlos 1.0 REQUIRED)\n"
        f"add_executable(user {PROGRAM})\ntarget_link_libraries(user PRIVATE mlos::mlos)\n"
    )
    run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed}"])
    run(["cmake", "--build", tmp_path / "build"])
    assert "libmlos.so.1 " in run(["ldd", tmp_path / "build/user"])


def test_the_header_has_every_code_of_grpc(installed):
    header = (installed / "include/mlos/client.h").read_text()
    codes = dict(re.findall(r"^#define MLOS_([A-Z_]+) (\d+)\b", header, re.MULTILINE))
    assert codes == {code.name: str(code.value[0]) for code in grpc.StatusCode}


def test_it_exports_what_the_header_declares_and_nothing_else(installed):
    library = next(installed.rglob("libmlos.so.1"))
    symbols = {line.split()[-1] for line in run(["nm", "-D", "--defined-only", library]).split("\n")
               if line}  # fmt: skip
    header = (installed / "include/mlos/client.h").read_text()
    assert symbols
    assert all(symbol.startswith("mlos_") and f"{symbol}(" in header for symbol in symbols), symbols
    assert not [line for line in run(["ldd", library]).splitlines() if "stdc++" in line]
