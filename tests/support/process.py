# SPDX-License-Identifier: MIT
"""Child processes that never outlive the test run, and what they use of the machine."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)

# Variables that would let the machine's own settings leak into a test.
_LEAKY_PREFIXES = ("MLOS_", "AXON_", "HF_", "HUGGING", "XDG_")
_LEAKY = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def clean_environment(home: Path, **extra: str) -> dict[str, str]:
    """This process's environment without settings of MLOS, of hubs or of proxies, with its own
    HOME, and `extra` on top."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_LEAKY_PREFIXES) and name not in _LEAKY
    }
    return kept | {"HOME": str(home), "NO_PROXY": "*"} | extra


def spawn(command: list[str | Path], **options: object) -> subprocess.Popen:
    """Starts a process that is killed when this one dies. Call it from a thread that lives as
    long as the process shall: the kernel takes that thread's end for the parent's."""
    return subprocess.Popen([str(part) for part in command], preexec_fn=_prepare, **options)


# Environments from which no place can be derived, by what is wrong with them.
HOMELESS = {
    "unset": {},
    "empty": {"HOME": ""},
    "relative": {"HOME": "there"},
    "relative state": {"XDG_STATE_HOME": "state"},
}


def as_nobody(command: list[str], **env: str) -> str:
    """The output of a program that the overflow user runs: "nobody", whose home, /nonexistent, the
    machine does not have."""
    done = subprocess.run(
        ["unshare", "--user", *command], env={"PATH": os.environ["PATH"], **env},
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def failing(command: list[str], calls: str, error: str, *paths: object) -> list[str]:
    """The command on a kernel that answers these system calls with that error, or, with ":when=3+"
    behind it, the third and all later ones; if there are paths, only calls for one of them."""
    only = [part for path in paths for part in ("-P", str(path))]
    return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", *only, "-e", f"trace={calls}",
            "-e", f"inject={calls}:error={error}", *command]  # fmt: skip


def stop(process: subprocess.Popen, grace_s: float) -> int:
    """SIGTERM, then SIGKILL after `grace_s`. Returns the exit code (negative: by signal)."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(grace_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@dataclass(frozen=True)
class Resources:
    """What a process holds at one moment."""

    fds: int
    threads: int
    rss_bytes: int
    children: int

    @staticmethod
    def of(pid: int) -> Resources:
        """Raises FileNotFoundError where there is no such process."""
        proc = Path(f"/proc/{pid}")
        status = dict(
            line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line
        )
        children = (proc / f"task/{pid}/children").read_text().split()
        return Resources(
            fds=len(os.listdir(proc / "fd")),
            threads=int(status["Threads"]),
            rss_bytes=int(status["VmRSS"].split()[0]) * 1024,
            children=len(children),
        )


def _prepare() -> None:
    """Runs in the child: a parent that waits for signals blocks them, and a child inherits that."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
