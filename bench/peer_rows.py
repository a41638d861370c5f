# SPDX-License-Identifier: MIT
"""Core beside Triton, FastAPI and MLServer, and beside the floors of the same requests: goals P4 to
P7 and the half of P10 that is beside Triton; and the table of the README. In each repetition every
server is started in turn, which gives its first answer and its memory; then one figure after the
other is measured on all of them."""

from collections import defaultdict
from dataclasses import dataclass

import onnxruntime

from bodies import oip_binary, oip_json
from floors import HttpFloor, http_us, ort_run_us, tcp_us
from load import load
from models import SHAPES, inputs, make_models
from peers import MODELS, TRITON_TINY, CorePeer, FastApi, MlServer, Triton, first_answer_s
from row import Row, median
from servers import fetch

MIB = 1 << 20
SERVERS = (CorePeer, Triton, FastApi, MlServer)
# Of Triton's C++ ONNX backend, which no package registry has; from an earlier machine of this kind.
RECORDED = {"null_rate": "11–16k requests/s", "tiny_rate": "4.9–7.3k requests/s",
            "bigin_p50": "24–25 ms", "binary_p50": "1.2 ms", "first_ms": "0.9–1.9 s"}


@dataclass
class Load:
    """One figure: a load, and whether its rate or its median latency is taken."""
    figure: str
    model: str
    form: str
    connections: int

    def measure(self, server, model, body, seconds):
        """The figure of one run."""
        figures = load(server.oip_url(model), body, self.connections, seconds)
        return figures.rate if self.figure.endswith("rate") else figures.p50_us


LOADS = (Load("null_p50", "null", "json", 1), Load("null_rate", "null", "json", 32),
         Load("tiny_rate", "tiny", "json", 32), Load("bigin_p50", "bigin", "json", 1),
         Load("binary_p50", "bigin", "binary", 1))


class PeerBench:
    """Holds the samples of one run: of each server and figure, one for each repetition."""

    def __init__(self, folder, repetitions, seconds):
        self.folder = folder
        self.repetitions = repetitions
        self.seconds = seconds
        self.models = folder / "models"
        make_models(self.models)
        self.arrays = inputs()
        self.bodies = {}
        for name in MODELS:
            self.bodies[name, "json"] = oip_json(folder, name, self.arrays[name])
            self.bodies[name, "binary"] = oip_binary(folder, name, self.arrays[name])
        self.expected = onnxruntime.InferenceSession(self.models / "tiny.onnx").run(
            None, {"x": self.arrays["tiny"]})[0]
        self.samples = defaultdict(list)

    def run(self):
        """Measures everything."""
        CorePeer(self.folder / CorePeer.__name__, self.models).stop()  # registers
        for _ in range(self.repetitions):
            self._repetition()

    def _repetition(self):
        servers = []
        try:
            for kind in SERVERS:
                servers.append(self._started(kind))
            floor = HttpFloor()
            servers.append(floor)
            for one in LOADS:
                self._measure(one, servers[:-1], floor)
        finally:
            for server in servers:
                server.stop()

    def _started(self, kind):
        server = kind(self.folder / kind.__name__, self.models)
        try:
            self._add(kind, "first_ms", 1e3 * first_answer_s(
                server, self.bodies["tiny", "json"], self.expected))
            for name in MODELS:
                fetch(server.oip_url(name), self.bodies[name, "json"].read())
            self._add(kind, "memory", server.proportional_bytes() / MIB)
        except BaseException:
            server.stop()
            raise
        return server

    def _add(self, kind, figure, value):
        self.samples[kind, figure].append(value)

    def _measure(self, one, servers, floor):
        body = self.bodies[one.model, one.form]
        for server in servers:
            kind = type(server)
            if one.form == "binary" and kind in (FastApi, MlServer):
                continue
            names = TRITON_TINY if kind is Triton and one.model == "tiny" else (one.model,)
            for name in names:
                value = one.measure(server, name, body, self.seconds)
                if kind is Triton and len(names) > 1:
                    self._add(kind, f"{one.figure} {name}", value)
                else:
                    self._add(kind, one.figure, value)
        if one.figure == "null_rate":
            self._add(HttpFloor, one.figure, load(floor.url, body, 32, self.seconds).rate)
        if one.figure == "binary_p50":
            size = self.arrays["bigin"].nbytes
            run = ort_run_us(self.models / "bigin.onnx", SHAPES["bigin"], 1000)
            core = next(server for server in servers if isinstance(server, CorePeer))
            self._add(CorePeer, "binary_bare",
                      http_us(core.oip_url(one.model), body, self.folder))
            self._add("tcp", one.figure, tcp_us(size) + run)

    def _ratio(self, figure, other, other_figure=None):
        pairs = zip(self.samples[CorePeer, figure], self.samples[other, other_figure or figure])
        return median(ours / theirs for ours, theirs in pairs)

    def _row(self, name, figure, other, goal, show, other_figure=None):
        """A row beside `other`, (its key, its name); `goal` is "≥" or "≤" and a number."""
        key, what = other
        ratio = self._ratio(figure, key, other_figure)
        side, bound = goal
        reached = ratio >= bound if side == "≥" else ratio <= bound
        recorded = ""
        if key is Triton and figure in RECORDED:
            recorded = f" (C++ ONNX backend, recorded: {RECORDED[figure]})"
        theirs = median(self.samples[key, other_figure or figure])
        return Row(name, show(median(self.samples[CorePeer, figure])),
                   f"{what} {show(theirs)}{recorded}", ratio, f"{side} {bound:g} ×", reached)

    def _best_tiny(self):
        return max((f"tiny_rate {name}" for name in TRITON_TINY),
                   key=lambda figure: median(self.samples[Triton, figure]))

    def rows(self):
        """Measures, then one row a goal."""
        self.run()
        triton = (Triton, Triton.name)
        null = "P4: HTTP JSON null, 32 connections"
        yield self._row(null, "null_rate", triton, ("≥", 3.5), _rate)
        yield self._row(null, "null_rate", (HttpFloor, "bare epoll server"), ("≥", 0.65), _rate)
        best = self._best_tiny()
        yield self._row("P5: HTTP JSON tiny, 32 connections", "tiny_rate",
                        (Triton, f"{Triton.name}, its best of {len(TRITON_TINY)} configurations,"),
                        ("≥", 2.5), _rate, best)
        yield self._row("P6: HTTP 150,528 floats of JSON (Open Inference Protocol), p50",
                        "bigin_p50", triton, ("≤", 0.25), _micros)
        binary = "P7: HTTP 602 KB binary, p50"
        yield self._row(binary, "binary_bare", ("tcp", "raw TCP + ONNX Runtime direct"),
                        ("≤", 1.5), _micros, "binary_p50")
        yield self._row(binary, "binary_p50", (Triton, f"{Triton.name}, binary,"),
                        ("≤", 0.35), _micros)
        yield self._row("P10: start to first answer (tiny)", "first_ms", triton, ("≤", 0.15),
                        _millis)

    def table(self):
        """The README's table: Core beside the peers."""
        lines = ["| | disk | resident memory (Pss) | first answer | null p50, 1 connection | "
                 "null, 32 connections | tiny, 32 connections |", "|---|---|---|---|---|---|---|"]
        for kind in SERVERS:
            tiny = self._best_tiny() if kind is Triton else "tiny_rate"
            cells = [kind.name, f"{kind.disk_bytes() / MIB:,.0f} MiB"]
            cells += [show(median(self.samples[kind, figure])) for figure, show in (
                ("memory", _mebi), ("first_ms", _millis), ("null_p50", _micros),
                ("null_rate", _rate), (tiny, _rate))]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)


def _rate(value):
    return f"{value:,.0f} requests/s"


def _micros(value):
    return f"{value:,.0f} µs"


def _millis(value):
    return f"{value:,.0f} ms"


def _mebi(value):
    return f"{value:,.0f} MiB"
