# SPDX-License-Identifier: MIT
"""The command line itself: streams, exit codes, help, settings, completions and the reference."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import Axon, paths
from tests.support.process import HOMELESS, as_nobody

COMMANDS = ["install", "list", "info", "register", "uninstall", "verify", "cache", "config",
            "completion", "version"]  # fmt: skip


def on_terminal(axon: Axon, *args: str, **env: str) -> tuple[str, str]:
    """Runs `axon` with standard error on a terminal; its standard output and what was shown."""
    leader, follower = pty.openpty()
    done = subprocess.run(
        axon.command(*args), env=axon.environment(**({"TERM": "xterm"} | env)), cwd=axon.home,
        stdout=subprocess.PIPE, stderr=follower, timeout=60,
    )  # fmt: skip
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    return done.stdout.decode(), shown.decode()


@pytest.mark.smoke
def test_every_command_explains_itself(axon):
    overview = axon.run("--help", check=True)
    assert overview.stderr == ""
    for command in COMMANDS:
        assert re.search(rf"^  {command}\b", overview.stdout, re.MULTILINE)
        text = axon.run(command, "--help", check=True).stdout
        assert "Usage: axon" in text
        if command not in ("cache", "config"):
            assert "--json" in text and "--quiet" in text


def test_versions(axon):
    assert axon.run("--version", check=True).stdout == "axon 1.0.0 (MLOS Core 1.0.0, SMI 1.0.0)\n"
    dead = axon.run("version", "--json", check=True, MLOS_CORE_ENDPOINT="http://127.0.0.1:1")
    assert dead.json == {"axon": "1.0.0", "core": "1.0.0", "smi": "1.0.0", "running_core": None}


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ([], "A subcommand is required", "`axon --help` explains it"),
        (["search", "x"], "axon has no command 'search'", "a later version will have it"),
        (["install", "hf/a/b", "--trust-remote-code"], "not expected: --trust-remote-code", ""),
        (["config", "get"], "key is required", "`axon config get --help`"),
    ],
)
def test_a_wrong_command_line(axon, arguments, message, hint):
    result = axon.run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    first, second = result.stderr.splitlines()
    assert first.startswith("error: ") and message in first
    assert second.startswith("hint: ") and hint in second


def test_errors_as_json(axon):
    result = axon.run("info", "hf/nobody/nothing", "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert json.loads(result.stderr) == {
        "level": "error",
        "code": "NOT_FOUND",
        "reason": "REMOTE_NOT_FOUND",
        "message": "there is no repository nobody/nothing at 127.0.0.1, or it is private",
        "exit_code": 3,
        "hints": ["check the name; for a private repository set HF_TOKEN"],
    }
    assert json.loads(axon.run("nonsense", "--json").stderr)["reason"] == "USAGE"


def test_quiet_says_nothing_but_data(axon):
    result = axon.run("install", "hf/mlos-test/several-graphs", "-q", check=True)
    assert (result.stdout, result.stderr) == ("hf/mlos-test/several-graphs@latest\n", "")


def test_a_terminal_gets_a_moving_line_and_a_pipe_does_not(axon, hub):
    hub.fault("throttle", path="^/repos/", bytes_per_second=3_000_000)
    piped = axon.run("install", "hf/mlos-test/external-data", check=True)
    assert "\r" not in piped.stderr and "\033" not in piped.stderr
    axon.run("uninstall", "--force", "hf/mlos-test/external-data", check=True)
    axon.run("cache", "clean", check=True)
    output, shown = on_terminal(axon, "install", "hf/mlos-test/external-data")
    assert output == "hf/mlos-test/external-data@latest\n"
    bar = r"\r\033\[K\[#*-*\] [\d.]+ .?i?B of 2\.0 MiB \(\d+%\), [\d.]+ MiB/s, \d+s left"
    assert re.search(bar, shown)


@pytest.mark.parametrize(
    ("env", "colour"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colour_is_for_terminals_that_want_it(axon, env, colour):
    _, shown = on_terminal(axon, "info", "hf/nobody/nothing", **env)
    assert ("\033[1;31merror\033[0m: " in shown) == colour
    assert "error" in shown


def test_what_a_hub_writes_cannot_steer_the_terminal(axon, hub):
    headers = {"X-Error-Code": "\x1b[2J"}
    hub.fault("reply", path="/revision/", status=418, headers=headers, body="\x1b]0;owned\x07")
    result = axon.run("install", "hf/google/magika")
    assert "\x1b" not in result.stderr
    info = {"id": "a/b", "sha": "0" * 40, "pipeline_tag": "\x1b[31m", "tags": ["\x07"]}
    hub.clear_faults()
    hub.fault("reply", path="/revision/", status=200, body=json.dumps(info))
    hub.fault("reply", path="/tree/", status=200, body="[]")
    shown = axon.run("info", "hf/a/b", check=True).stdout
    assert "\x1b" not in shown and "?[31m" in shown


def test_a_reader_that_goes_away_is_no_failure(axon):
    pipe = f"{axon.command()[0]} completion bash | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", pipe], env=axon.environment(), capture_output=True, timeout=10
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_output_that_cannot_be_written_is_a_failure(axon):
    with open("/dev/full", "wb") as full:
        command = axon.command("completion", "bash")
        done = subprocess.run(command, env=axon.environment(), stdout=full, timeout=10)
    assert done.returncode == 1


def test_settings(axon, tmp_path):
    assert axon.run("config", "get", "download.parallel", check=True).stdout == "4\n"
    axon.run("config", "set", "download.parallel", "7", check=True)
    assert axon.run("config", "get", "download.parallel", "--json", check=True).json == {
        "key": "download.parallel", "value": "7", "origin": "file",
    }  # fmt: skip
    axon.env["MLOS_CORE_ENDPOINT"] = "http://x"
    overridden = axon.run("config", "set", "core.endpoint", "http://localhost:1", check=True)
    assert "warning: MLOS_CORE_ENDPOINT is set and overrides core.endpoint" in overridden.stderr
    assert axon.run("config", "get", "nothing").exit_code == 3
    assert axon.run("config", "set", "download.parallel", "lots").exit_code == 2
    assert axon.run("config", "set", "home_dir", "/x").exit_code == 2
    listed = {e["key"]: e for e in axon.run("config", "list", "--json", check=True).json}
    assert listed["home_dir"]["value"] == str(axon.home)
    assert listed["home_dir"]["origin"] == "environment"


def test_flags_win_over_the_environment(axon, hub):
    axon.env["HF_ENDPOINT"] = "http://127.0.0.1:1"
    axon.run("info", "hf/google/magika", "--endpoint", hub.url, check=True)
    flags = ["--endpoint", hub.url, "--parallel", "1"]
    axon.run("install", "hf/mlos-test/bert-tiny", *flags, check=True)
    wrong = axon.run("install", "hf/google/magika", "--parallel", "99")
    assert wrong.exit_code == 2
    assert "flag: download.parallel: '99' is not a whole number from 1 to 32" in wrong.stderr
    dead = axon.run("register", "hf/mlos-test/bert-tiny", "--core", "http://127.0.0.1:1")
    assert "cannot be reached at http://127.0.0.1:1" in dead.stderr


def test_settings_of_the_existing_tool_are_kept_and_named(axon):
    file = axon.home / "config.yaml"
    file.write_text("log_level: info\nregistry:\n  timeout: 300\n  mirrors: []\n")
    listed = axon.run("config", "list", check=True)
    assert "config.yaml sets registry.timeout, which this version does not use" in listed.stderr
    axon.run("config", "set", "download.parallel", "2", check=True)
    assert "timeout: 300" in file.read_text() and "log_level: info" in file.read_text()


def test_a_broken_configuration_names_file_line_and_reason(axon):
    (axon.home / "config.yaml").write_text("download:\n  parallel: [\n")
    result = axon.run("list")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: config.yaml line ")


def test_completions_know_every_command(axon, hub):
    axon.run("install", "hf/mlos-test/bert-tiny", check=True)
    script = axon.run("completion", "bash", check=True).stdout
    program = paths.product("axon").parent
    for words, expected in [
        ("axon ins", "install"),
        ("axon cache cl", "clean"),
        ("axon install --dr", "--dry-run"),
        ("axon config list --q", "--quiet"),
        ("axon verify hf/", "hf/mlos-test/bert-tiny@latest"),
    ]:
        at = len(words.split()) - 1
        probe = f"{script}\nCOMP_WORDS=({words}); COMP_CWORD={at}; _axon; echo ${{COMPREPLY[@]}}"
        path = f"{program}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", probe], env=axon.environment(PATH=path), capture_output=True, text=True,
        )  # fmt: skip
        assert done.stdout.split() == [expected], done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_name_every_command_and_are_valid(axon, shell, tmp_path):
    script = axon.run("completion", shell, check=True).stdout
    for command in COMMANDS:
        assert f"axon {command}" in script
    assert "@" not in script.replace('"${(@)words', "").replace("[@]", "")
    if shutil.which(shell):
        file = tmp_path / "script"
        file.write_text(script)
        subprocess.run([shell, "-n", file], check=True, timeout=10)


def test_the_reference_is_up_to_date(axon):
    page = (paths.ROOT / "docs/AXON.md").read_text()
    generated = axon.run("reference", check=True).stdout
    begin, end = "<!-- generated by `axon reference` -->\n", "<!-- end of the generated part -->\n"
    assert page.split(begin)[1].split(end)[0] == generated, "paste what `axon reference` writes"


def test_every_exit_code_of_the_page_is_used_by_a_test():
    tests = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    page = (paths.ROOT / "docs/AXON.md").read_text()
    for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE):
        assert re.search(rf"\b{code}\b", tests), code


@pytest.mark.parametrize("home", HOMELESS.values(), ids=HOMELESS)
def test_no_place_is_made_of_an_empty_variable(axon, home):
    assert "/nonexistent/.axon" in as_nobody(axon.command("config", "list"), **home)


def test_no_core_file_is_written(axon):
    limits = subprocess.run(
        ["strace", "-f", "-e", "trace=prlimit64,setrlimit", *axon.command("list")],
        env=axon.environment(ASAN_OPTIONS="detect_leaks=0"), capture_output=True, text=True,
        timeout=20,
    )  # fmt: skip
    assert re.search(r"RLIMIT_CORE, \{rlim_cur=0, rlim_max=0\}", limits.stderr)
