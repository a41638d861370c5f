# SPDX-License-Identifier: MIT
"""A repository on its way to the hub: its history, and what its model card says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Card:
    """The model card: front matter the hub's API repeats, and a text for people."""

    license: str
    pipeline_tag: str
    text: str
    tags: tuple[str, ...] = ("onnx",)
    library_name: str = "onnx"

    def metadata(self) -> dict:
        return {
            "license": self.license,
            "library_name": self.library_name,
            "pipeline_tag": self.pipeline_tag,
            "tags": list(self.tags),
        }

    def readme(self, title: str) -> bytes:
        lines = ["---"]
        for key, value in self.metadata().items():
            lines.append(f"{key}: {json.dumps(value) if isinstance(value, list) else value}")
        return "\n".join([*lines, "---", f"# {title}", "", self.text.strip(), ""]).encode()


@dataclass(frozen=True)
class Revision:
    """One commit: its title and every file of it."""

    title: str
    files: dict[str, bytes]


@dataclass
class Draft:
    """A repository: commits oldest first; branches and tags by index into them.

    `folder` is where its files lie in the collected tree: the id, unless the page's own id (`gpt2`)
    is one that the hub has since moved (`openai-community/gpt2`)."""

    id: str
    card: Card
    commits: list[Revision]
    config: dict = field(default_factory=dict)
    branches: dict[str, int] = field(default_factory=lambda: {"main": -1})
    tags: dict[str, int] = field(default_factory=dict)
    former_ids: tuple[str, ...] = ()
    gated: str | bool = False
    private: bool = False

    @property
    def folder(self) -> str:
        return self.former_ids[0] if self.former_ids else self.id

    def files_of(self, index: int) -> dict[str, bytes]:
        """The files of a commit with the model card and config.json every repository has."""
        always = {"README.md": self.card.readme(self.id)}
        if self.config:
            always["config.json"] = (json.dumps(self.config, indent=2) + "\n").encode()
        return dict(sorted((always | self.commits[index].files).items()))


def single(id: str, card: Card, files: dict[str, bytes], **more: object) -> Draft:
    """A repository of one commit."""
    return Draft(id, card, [Revision("Upload model", files)], **more)
