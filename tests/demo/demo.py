# SPDX-License-Identifier: MIT
"""`make demo`: real models, from a hub to an answer over HTTP, each compared with ONNX Runtime.

`--stay` (`make try`) leaves the hub and Core running and prints commands to paste instead.
DEMO_HUB=online uses the real hub, for the ids that it has with a graph.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.demo import file_types, page, pictures, voices
from tests.demo.exhibit import Exhibit, Visit
from tests.demo.screen import Row, Screen
from tests.demo.shell import Shell
from tests.models.collect import collect
from tests.support import Axon, Core, Hub, page_port, paths

_PASTE = [
    "curl {url}/health",
    "axon install hf/bert-base-uncased@latest",
    "axon register hf/bert-base-uncased@latest",
    "curl -X POST {url}/models/hf%2Fbert-base-uncased%40latest/inference "
    """-d '{"input_ids":[101,7592,102],"attention_mask":[1,1,1],"token_type_ids":[0,0,0]}'""",
    "axon install hf/gpt2@latest && axon register hf/gpt2@latest",
    "curl -X POST {url}/models/hf%2Fgpt2%40latest/inference "
    """-d '{"input_ids":[15496,11,337,43,48]}'""",
    "curl {url}/models",
    "axon list",
]

EXHIBITS = [
    Exhibit("hf/google/magika@latest", "What kind of file is this?", "model.onnx", file_types.show),
    Exhibit("hf/snakers4/silero-vad@latest", "Is this speech?", "silero_vad.onnx", voices.show),
    Exhibit(
        "hf/onnxmodelzoo/resnet50-light@latest",
        "ResNet-50 and the output its authors expect",
        "model.onnx",
        pictures.show_resnet,
    ),
    Exhibit(
        "hf/rapidai/rapidocr@det",
        "Where on the page is text?",
        "ch_PP-OCRv4_det_infer.onnx",
        pictures.show_detection,
    ),
    Exhibit(
        "hf/rapidai/rapidocr@cls",
        "Is this line upright?",
        "ch_ppocr_mobile_v2.0_cls_infer.onnx",
        pictures.show_direction,
    ),
    Exhibit(
        "hf/rapidai/rapidocr@rec",
        "What does this line say?",
        "ch_PP-OCRv4_rec_infer.onnx",
        pictures.show_reading,
    ),
    Exhibit(
        "hf/bert-base-uncased@latest",
        "The page's BERT",
        "model.onnx",
        page.show_bert,
        made_up=True,
        online=True,
    ),
    Exhibit(
        "hf/gpt2@latest",
        "The page's GPT-2",
        "onnx/decoder_model.onnx",
        page.show_gpt2,
        made_up=True,
        online=True,
    ),
    Exhibit(
        "hf/google/vit-base-patch16-224@latest",
        "The page's ViT",
        "onnx/model.onnx",
        page.show_vit,
        made_up=True,
    ),
]


class Demo:
    """A hub (unless online), a Core and an `axon` home in one temporary folder.

    A context manager: entering starts the programs, leaving ends them and removes the folder."""

    def __init__(self, screen: Screen, port: int = 0) -> None:
        self.online = os.environ.get("DEMO_HUB") == "online"
        self.screen = screen
        self.folder = Path(tempfile.mkdtemp(prefix="mlos-demo-"))
        self.hub: Hub | None = None
        self.core = Core(self.folder / "core", http_port=port)

    def __enter__(self) -> Demo:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_failure: object) -> None:
        if self.core.running:
            self.core.stop()
        if self.hub is not None:
            self.hub.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def settings(self) -> dict[str, str]:
        """What `axon` has to know, as environment variables; PATH is only what comes before."""
        return {**self.axon.env, "PATH": f"{paths.build_dir()}"}

    def run(self, exhibit: Exhibit) -> Row:
        """Installs, registers and asks one model; a failure is printed and becomes its row."""
        self.screen.title(f"{exhibit.title}  ({exhibit.spec})")
        if exhibit.made_up and not self.online:
            self.screen.note("this graph has random weights; only shapes and equality count")
        visit = None
        try:
            # The real repositories hold several graphs; the one compared with has to be named.
            choice = f" --file {exhibit.graph}" if self.online else ""
            self.screen.output(self.shell.run(f"axon install {exhibit.spec}{choice}"))
            self.screen.output(self.shell.run(f"axon register {exhibit.spec}"))
            folder = self._files(exhibit)
            visit = Visit(exhibit, self.shell, self.screen, self.core.url, folder)
            answer = exhibit.show(visit)
        except Exception as problem:
            self.screen.error(f"{type(problem).__name__}: {problem}")
            answers, apart = (visit.answers, visit.difference) if visit else (0, None)
            return Row(exhibit.spec, "failed, see above", answers, apart, ok=False)
        self.screen.plain(f"  max |Δ| = {visit.difference:g} over {visit.answers} answers")
        return Row(exhibit.spec, answer, visit.answers, visit.difference, ok=True)

    def _start(self) -> None:
        if not self.online:
            collect(paths.MODELS, paths.DEPS / "wheels")
            self.screen.command(_typed(f"python -m tests.hub --models {paths.MODELS} &"))
            self.hub = Hub(paths.MODELS)
            self.screen.plain(f"  a hub of real models answers on {self.hub.url}")
        self.screen.command(_typed(" ".join(self.core.command())) + " &")
        self.core.start()
        self.screen.plain(f"  Core answers on {self.core.url}")
        self.axon = Axon(self.folder / "axon", self.hub and self.hub.url, self.core.url)
        self.shell = Shell(self.folder, self._environment(), self.screen)

    def _files(self, exhibit: Exhibit) -> Path:
        """The model's files: the hub's own where it is ours, so that the way from the hub into
        Core is part of what is compared; those installed where the hub is the real one."""
        name, version = exhibit.spec.removeprefix("hf/").split("@")
        if self.hub is not None:
            return paths.MODELS / self.hub.repo(name)["folder"]
        return self.axon.model_dir(name, version)

    def _environment(self) -> dict[str, str]:
        path = f"{self.settings()['PATH']}:{os.environ['PATH']}"
        if self.online:  # the real hub may need the user's token and proxy
            return {**os.environ, **self.axon.env, "PATH": path}
        return self.axon.environment(PATH=path)


def show_all(demo: Demo) -> int:
    """Runs every exhibit; returns the exit code."""
    _print_settings(demo)
    exhibits = [e for e in EXHIBITS if e.online or not demo.online]
    rows = [demo.run(exhibit) for exhibit in exhibits]
    demo.screen.table(rows)
    answers = sum(row.answers for row in rows)
    good = sum(row.ok for row in rows)
    demo.screen.plain(f"\n{good} of {len(rows)} models answered, {answers} answers in all.")
    return 0 if good == len(rows) else 1


def stay(demo: Demo) -> int:
    """Prints what to paste into another terminal and waits for Ctrl-C."""
    demo.screen.plain("\nPaste into another terminal; Ctrl-C here ends everything.\n")
    _print_settings(demo)
    url = demo.core.url.replace("127.0.0.1", "localhost")
    for command in _PASTE:
        demo.screen.command(command.replace("{url}", url))
    others = ", ".join(e.spec for e in EXHIBITS if not e.made_up and not demo.online)
    demo.screen.plain(f"\nAlso on this hub: {others}" if others else "")
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    demo.screen.plain("\nEnding the hub and Core.")
    return 0


def _print_settings(demo: Demo) -> None:
    for name, value in demo.settings().items():
        more = ":$PATH" if name == "PATH" else ""
        demo.screen.command(f"export {name}={value}{more}")


def _typed(command: str) -> str:
    """A command line as a user in the project's folder would type it."""
    return command.replace(f"{paths.ROOT}/", "")


def _port(page_ports_are_ours: bool) -> int:
    """The page's port where it is free, so that its commands can be pasted as they are."""
    if not page_ports_are_ours:
        return 0
    with socket.socket() as probe:
        return 0 if probe.connect_ex(("127.0.0.1", page_port.PORT)) == 0 else page_port.PORT


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stay", action="store_true", help="leave hub and Core running")
    staying = parser.parse_args().stay
    if staying:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        if not staying:
            with Demo(Screen()) as demo:
                return show_all(demo)
        with page_port.claimed() as mine, Demo(Screen(), _port(mine)) as demo:
            return stay(demo)
    except (FileNotFoundError, RuntimeError) as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
