# SPDX-License-Identifier: MIT
"""clang-format and clang-tidy, in parallel, on the files that changed since they last passed."""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

from tools.check.cache import digest
from tools.check.includes import Includes
from tools.check.tree import Finding

FORMAT = "clang-format-19"
# From requirements.txt: unlike Debian's, it spends no time on what the headers of libraries hold.
TIDY = str(pathlib.Path(sys.executable).with_name("clang-tidy"))
DIAGNOSTIC = re.compile(r"^(?P<path>/[^:\n]+):(?P<line>\d+):\d+: (?:warning|error): (?P<text>.*)$",
                        re.MULTILINE)
# What CMake writes into a file of several.
UNITY = re.compile(r'^#include "([^"\n]+)"$', re.MULTILINE)
PASSED = True


def _version(tool):
    return subprocess.run([tool, "--version"], check=True, capture_output=True).stdout


def _run_changed(keys, cache, run):
    """Runs `run(path)` where `keys[path]` did not pass before; one without findings passes."""
    changed = [path for path, key in keys.items() if not cache.get(key)]
    findings = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, found in zip(changed, pool.map(run, changed)):
            findings += found
            if not found:
                cache.put(keys[path], PASSED)
    return sorted(set(findings))


def check_format(tree, cache):
    common = (_version(FORMAT), tree.content(".clang-format"))
    keys = {path: digest(*common, path, tree.content(path)) for path in tree.cpp}

    def run(path):
        done = subprocess.run([FORMAT, "--dry-run", "-Werror", path], cwd=tree.root,
                              capture_output=True, text=True)
        return [] if done.returncode == 0 else [
            Finding(path, _first_line(done.stderr), f"not formatted; run {FORMAT} -i {path}")]

    return _run_changed(keys, cache, run)


def _first_line(output):
    match = re.search(r":(\d+):\d+: ", output)
    return int(match[1]) if match else 0


def translation_units(tree, build):
    """What `build` compiles of the project's C++: path of what the compiler is given to (command,
    the project's files in it), which are several where CMake joins those of a target."""
    units = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        joined = UNITY.findall(file.read_text()) if file.name.startswith("unity_") else [file]
        paths = [os.path.relpath(path, tree.root) for path in joined]
        sources = [path for path in paths if path in tree and path.endswith(".cc")]
        if sources:
            units[entry["file"]] = entry["command"], sources
    return units


def check_tidy(tree, cache, build):
    """A file is looked at again when it, a header it sees, one it is joined with, its flags or the
    tool changed."""
    includes = Includes(tree)
    common = (_version(TIDY), tree.content(".clang-tidy"))
    units = translation_units(tree, build)
    keys = {}
    for unit, (command, sources) in units.items():
        seen = sorted(set().union(*map(includes.closure, sources)))
        keys[unit] = digest(*common, command, *sources, *seen, *map(tree.content, seen))

    def run(unit):
        done = subprocess.run([TIDY, "--quiet", "-p", str(build), unit],
                              capture_output=True, text=True)
        return [] if done.returncode == 0 else _tidy_findings(tree, units[unit][1][0], done)

    return _run_changed(keys, cache, run)


def _tidy_findings(tree, path, done):
    findings = [
        Finding(os.path.relpath(pathlib.Path(match["path"]).resolve(), tree.root),
                int(match["line"]), match["text"])
        for match in DIAGNOSTIC.finditer(done.stdout)
    ]
    return findings or [Finding(path, 0, f"{TIDY} failed: {(done.stderr or done.stdout)[-500:]}")]
