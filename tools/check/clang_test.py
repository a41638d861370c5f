# SPDX-License-Identifier: MIT
"""clang.py finds what the tools find, and looks again only at what changed."""

import json
import subprocess

import pytest

from tools.check import clang
from tools.check.cache import Cache
from tools.check.tree import Tree

HEADER = "#pragma once\ninline int Twice(int value) { return 2 * value; }\n"
SOURCE = '#include "b.h"\n\nint main() { return Twice(0); }\n'


@pytest.fixture
def project(tmp_path):
    """A git tree of one header and one source, with a compilation database in build/."""
    (tmp_path / "src").mkdir()
    (tmp_path / "build").mkdir()
    write(tmp_path, ".clang-format", "BasedOnStyle: Google\n")
    write(tmp_path, ".clang-tidy", "Checks: '-*,readability-identifier-naming'\n"
          "WarningsAsErrors: '*'\nHeaderFilterRegex: '.*'\nCheckOptions:\n"
          "  readability-identifier-naming.FunctionCase: CamelCase\n"
          "  readability-identifier-naming.FunctionIgnoredRegexp: main\n")
    write(tmp_path, "src/b.h", HEADER)
    write(tmp_path, "src/a.cc", SOURCE)
    write(tmp_path, ".gitignore", "/build/\n")
    command = {"directory": str(tmp_path), "file": str(tmp_path / "src/a.cc"),
               "command": f"c++ -c {tmp_path}/src/a.cc"}
    write(tmp_path, "build/compile_commands.json", json.dumps([command]))
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    return tmp_path


def write(root, path, text):
    (root / path).write_text(text)


def run(check, project, *arguments):
    cache = Cache(project / "build" / f"{check.__name__}.json")
    findings = check(Tree.load(project), cache, *arguments)
    cache.save()
    return [str(finding) for finding in findings]


def test_a_file_out_of_format_is_refused(project):
    assert run(clang.check_format, project) == []
    write(project, "src/a.cc", SOURCE.replace("return Twice", "return  Twice"))
    found = run(clang.check_format, project)
    assert len(found) == 1 and found[0].startswith("src/a.cc:3: not formatted")
    assert run(clang.check_format, project) == found, "a failure is not remembered as a pass"


def test_a_warning_in_a_header_is_reported_at_the_header(project):
    build = project / "build"
    assert run(clang.check_tidy, project, build) == []
    write(project, "src/b.h", HEADER.replace("Twice", "twice"))
    write(project, "src/a.cc", SOURCE.replace("Twice", "twice"))
    found = run(clang.check_tidy, project, build)
    assert len(found) == 1 and found[0].startswith("src/b.h:2: invalid case style for function")


def test_a_source_is_looked_at_again_when_a_header_it_sees_changed(project, monkeypatch):
    build = project / "build"
    assert run(clang.check_tidy, project, build) == []
    monkeypatch.setattr(clang, "TIDY", "false")
    monkeypatch.setattr(clang, "_version", lambda tool: b"")
    assert run(clang.check_tidy, project, build) != []
    monkeypatch.undo()
    version = clang._version(clang.TIDY)
    monkeypatch.setattr(clang, "_version", lambda tool: version)
    assert run(clang.check_tidy, project, build) == []
    monkeypatch.setattr(clang, "TIDY", "false")
    assert run(clang.check_tidy, project, build) == [], "nothing changed, nothing was run"
    write(project, "src/b.h", HEADER + "// A comment.\n")
    assert run(clang.check_tidy, project, build) != []


def test_of_files_that_are_joined_each_is_looked_at(project):
    build = project / "build"
    write(project, "src/c.cc", '#include "b.h"\nint Four() { return Twice(2); }\n')
    unity = build / "unity_0_cxx.cxx"
    unity.write_text("".join(f'#include "{project}/src/{name}.cc"\n' for name in "ac"))
    command = {"directory": str(project), "file": str(unity), "command": f"c++ -c {unity}"}
    write(project, "build/compile_commands.json", json.dumps([command]))
    assert run(clang.check_tidy, project, build) == []
    write(project, "src/c.cc", '#include "b.h"\nint four() { return Twice(2); }\n')
    found = run(clang.check_tidy, project, build)
    assert len(found) == 1 and found[0].startswith("src/c.cc:2: invalid case style for function")


def test_a_source_that_does_not_compile_is_refused(project):
    write(project, "src/a.cc", "int main() { return; }\n")
    assert run(clang.check_tidy, project, project / "build") != []
