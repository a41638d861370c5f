# SPDX-License-Identifier: MIT
"""layers.py refuses what the table does not allow, and cycles of folders and modules."""

import pytest

from tools.check import layers
from tools.check.includes import cycles
from tools.check.tree import Tree

TABLE = """
include/mlos:
src/base:
src/tensor:
  src/base  # a reason
src/daemon: src/*
plugins/samples/**: include/mlos
<onnxruntime*>: plugins/onnx
"""


def findings(**files):
    tree = {"tools/check/layers.txt": TABLE, "src/base/status.h": "", "include/mlos/smi.h": "",
            "src/base/version.h.in": ""}
    tree |= {path.replace("__", "/"): text for path, text in files.items()}
    return [str(finding) for finding in layers.check(Tree(tree))]


@pytest.mark.parametrize(("path", "text"), [
    ("src/tensor/a.cc", '#include "base/status.h"\n'),
    ("src/daemon/a.cc", '#include "base/status.h"\n'),
    ("src/base/a.cc", '#include "base/status.h"\n#include "status.h"\n#include <vector>\n'),
    ("plugins/samples/echo/a.c", "#include <mlos/smi.h>\n"),
    ("src/base/a.cc", '#include "base/version.h"\n'),
])
def test_a_declared_edge_passes(path, text):
    assert findings(**{path: text}) == []


def test_a_test_may_include_test_helpers_of_any_folder_and_nothing_else_does():
    helper = {"src/tensor/test_folder.h": '#include "base/status.h"\n'}
    text = '#include "tensor/test_folder.h"\n'
    assert findings(**helper, **{"src/base/a_test.cc": text}) == []
    assert len(findings(**helper, **{"src/base/a.cc": text})) == 1


@pytest.mark.parametrize(("path", "text", "message"), [
    ("src/base/a.cc", '#include "tensor/b.h"\n',
     "src/base/a.cc:1: src/base may not include src/tensor"),
    ("src/tensor/a.cc", "\n#  include <mlos/smi.h>\n",
     "src/tensor/a.cc:2: src/tensor may not include include/mlos"),
    ("plugins/samples/echo/a.c", '#include "base/status.h"\n',
     "plugins/samples/echo/a.c:1: plugins/samples/echo may not include src/base"),
    ("src/tensor/a.cc", "#include <onnxruntime_c_api.h>\n",
     "src/tensor/a.cc:1: onnxruntime_c_api.h may be included only by plugins/onnx"),
    ("src/extra/a.cc", "", "src/extra/a.cc: the folder src/extra is not in"),
    ("src/tensor/a.cc", '#include "base/gone.h"\n',
     'src/tensor/a.cc:1: "base/gone.h" is not a file of the project'),
])
def test_an_undeclared_edge_is_refused(path, text, message):
    found = findings(**{path: text, "src/tensor/b.h": ""})
    assert len(found) == 1 and found[0].startswith(message)


def test_modules_in_a_cycle_are_refused_even_within_a_folder():
    found = findings(**{
        "src/base/a.cc": '#include "base/a.h"\n#include "base/b.h"\n', "src/base/a.h": "",
        "src/base/b.h": '#include "base/a.h"\n',
    })
    assert found == ["src/base/a: modules include each other in a cycle: src/base/a, src/base/b"]


def test_folders_in_a_cycle_are_refused_even_when_declared():
    tree = Tree({
        "tools/check/layers.txt": "src/a: src/b\nsrc/b: src/a\n",
        "src/a/one.h": '#include "b/one.h"\n', "src/a/two.h": "",
        "src/b/one.h": "", "src/b/two.h": '#include "a/two.h"\n',
    })
    assert [finding.message for finding in layers.check(tree)] == [
        "folders include each other in a cycle: src/a, src/b"]


def test_too_many_direct_includes_are_refused():
    headers = {f"src/base/h{number}.h": "" for number in range(21)}
    text = "".join(f'#include "base/h{number}.h"\n' for number in range(21))
    assert findings(**headers, **{"src/base/a.cc": text}) == [
        "src/base/a.cc: 21 direct project includes; 20 at most"]


def test_cycles_finds_each_group_once():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"f"}, "f": {"e"}}
    assert sorted(cycles(graph)) == [["b", "c"], ["e", "f"]]
