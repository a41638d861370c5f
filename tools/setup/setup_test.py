# SPDX-License-Identifier: MIT
"""The set-up's decisions, with the machine (dpkg, apt, sudo, os-release) replaced by functions."""

import pathlib
import subprocess

import pytest

SETUP = pathlib.Path(__file__).parent
DEBIAN_12 = """
os_release() {
  case $1 in ID) printf debian ;; VERSION_ID) printf 12 ;; *) printf bookworm ;; esac
}
"""
USER = "id() { echo 1000; }\ncommand() { [ \"$2\" != sudo ] && builtin command \"$@\"; }\n"
ROOT = "id() { echo 0; }\n"


def run(script, *, installed="", machine=DEBIAN_12 + ROOT, apt="true"):
    """Sources the scripts, replaces the machine, runs `script`; apt-get only says its arguments."""
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"""
            . {SETUP}/lib.sh; . {SETUP}/debian.sh
            exec 3>&2
            apt-get() {{ echo "apt-get $*" >&3; {apt}; }}
            deps=$(mktemp -d); trap 'rm -r "$deps"' EXIT
            env() {{ shift; "$@"; }}
            installed_packages() {{
              comm -12 <(printf '%s\\n' "$@" | sort) <(printf '%s\\n' {installed} | sort)
            }}
            {machine}
            {script}"""],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)


def group(*names):
    return run(f"group_packages {' '.join(names)}").stdout.split()


def test_only_what_is_missing_is_installed():
    present = [name for name in group("build", "bench") if name not in ("wrk", "ccache")]
    done = run("install_packages build bench", installed=" ".join(present))
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert lines[0] == "setup: installing 2 Debian packages: ccache wrk"
    assert lines[1].startswith("apt-get") and lines[1].endswith(" update")
    assert lines[2].endswith("install -y --no-install-recommends ccache wrk")
    assert len(lines) == 3


def test_nothing_is_done_or_said_when_all_is_there():
    done = run("install_packages build", installed=" ".join(group("build")), machine=USER)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_root_and_sudo_the_exact_command_is_printed():
    present = [name for name in group("bench") if name != "wrk"]
    done = run("install_packages bench", installed=" ".join(present), machine=DEBIAN_12 + USER)
    assert done.returncode == 1
    assert "  apt-get update && apt-get install -y --no-install-recommends wrk\n" in done.stderr
    assert "apt-get -qq" not in done.stderr, "nothing was tried"


@pytest.mark.parametrize("old", ["libboost-dev", "libboost1.74-dev"])
def test_an_older_boost_is_reported_and_never_removed(old):
    done = run("install_packages build", installed=old)
    assert done.returncode == 1
    assert f"libboost1.81-dev is needed and cannot be installed beside: {old}" in done.stderr
    assert "apt-get -qq" not in done.stderr, "nothing was tried"


def test_another_system_is_told_what_to_install():
    other = "os_release() { case $1 in PRETTY_NAME) printf 'Other OS 7' ;; *) printf x ;; esac; }\n"
    done = run("install_packages build", machine=other + ROOT)
    assert done.returncode == 1
    assert "knows the packages of Debian 12; this is Other OS 7." in done.stderr
    assert all(name in done.stderr for name in group("build"))
    skipped = run("MLOS_SKIP_PACKAGES=1 install_packages build", machine=other + ROOT)
    assert (skipped.returncode, skipped.stderr) == (0, "")


@pytest.mark.parametrize("output", [1, 2])
def test_a_failing_installation_shows_what_apt_said(output):
    done = run("install_packages build", apt=f"echo E: no such host >&{output}; return 100")
    assert done.returncode == 1
    assert "E: no such host\nsetup: error: the command above failed" in done.stderr


@pytest.mark.parametrize("output", [1, 2])
def test_what_apt_says_is_not_shown_if_it_succeeds(output):
    done = run("install_packages build", apt=f"echo Created symlink >&{output}")
    assert done.returncode == 0
    assert "Created symlink" not in done.stdout + done.stderr


def test_an_unknown_group_is_refused():
    done = subprocess.run([SETUP / "setup.sh", "everything"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 1
    assert 'there is no group "everything".' in done.stderr
