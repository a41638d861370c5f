# SPDX-License-Identifier: MIT
"""What the three listeners of one hub share."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.hub.access import Tokens
from tests.hub.catalog import Catalog
from tests.hub.faults import FaultPlan
from tests.hub.log import RequestLog
from tests.hub.signing import Signer


@dataclass
class Options:
    """What a test may tune while the hub runs."""

    page_size: int = 1000  # entries of one listing page; the real hub's value
    url_lifetime_s: float = 3600.0  # how long a signed download URL stays valid


@dataclass
class HubState:
    """Thread-compatible; `faults` and `log` lock themselves, and the rest changes only through the
    control endpoint, one assignment at a time."""

    catalog: Catalog
    tokens: Tokens
    options: Options = field(default_factory=Options)
    faults: FaultPlan = field(default_factory=FaultPlan)
    log: RequestLog = field(default_factory=RequestLog)
    signer: Signer = field(default_factory=Signer)
    hub_url: str = ""
    cdn_url: str = ""

    def __post_init__(self) -> None:
        self._first_options = replace(self.options)

    def reset(self) -> None:
        """Back to the start: no faults, empty log, branches and options as they were."""
        self.faults.clear()
        self.log.clear()
        self.options = replace(self._first_options)
        self.catalog.restore()
