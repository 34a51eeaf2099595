"""What came of building an artifact again, put on record and listed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hier_dag.audit.evidence.dates import CERTIFICATE
from hier_dag.names import title_of
from hier_dag.registry import Decision, Registry
from hier_dag.reproduce.classes import Promise
from hier_dag.reproduce.compare import Difference
from hier_dag.reproduce.figures import Figures

IDENTICAL, SAME_FILES, SAME_VALUES = "identical", "identical files", "equal values"
WITHIN, DIFFERENT, HELD = "within tolerance", "different", "as given"
VERDICTS = {
    IDENTICAL: "the same digest: every file, and the environment too",
    SAME_FILES: "every file has the same digest; the environment is another one",
    SAME_VALUES: "files differ in bytes, not in any value",
    WITHIN: "vectors are within the declared bounds, and all that does not follow from them agrees",
    DIFFERENT: "it came out otherwise than is promised",
    HELD: "people gave it, or an erasure made it of what is gone: no build, and every byte is as recorded",
}


@dataclass(frozen=True)
class Surrounding:
    """What a build ran in.

    Attributes:
        environment: digest of the environment.
        python: version; empty where it is not on record.
        machine: architecture; empty where it is not on record.
        device: of training; empty where nothing is trained.
        threads: of training and transfer, else of the data engine; None where it is not on record.
        commit: of the code.
    """

    environment: str
    python: str
    machine: str
    device: str
    threads: int | None
    commit: str


@dataclass(frozen=True)
class Certificate:
    """What came of building an artifact again.

    Attributes:
        digest: the artifact.
        kind: its kind.
        partition: its domain or cell; None without one.
        verdict: one of `VERDICTS`.
        rebuilt: digest that came out, under the environment that is recorded.
        conditions: what was not as it was then, of `classes.CONDITIONS`.
        promise: what is promised under these.
        files: how many files were compared.
        differing: names of those with another digest.
        difference: the first value that differs, of what no bound excuses where such a one does; None where
            none does.
        figures: how far vectors are apart; None where they are not, or there are none.
        distributions: those that only one environment has, `recorded` and `now`.
        then: what it was built in.
        now: what it was built in again.
        deep: whether its parents were built again too.
        seconds: that it took.
    """

    digest: str
    kind: str
    partition: str | None
    verdict: str
    rebuilt: str
    conditions: tuple[str, ...]
    promise: Promise
    files: int
    differing: tuple[str, ...]
    difference: Difference | None
    figures: Figures | None
    distributions: Mapping[str, list[str]]
    then: Surrounding
    now: Surrounding
    deep: bool
    seconds: float

    @property
    def title(self) -> str:
        """How a person calls the artifact."""
        return title_of(self.kind, self.partition)

    @property
    def holds(self) -> bool:
        """Whether it came out as is promised."""
        return self.verdict != DIFFERENT

    def as_json(self) -> dict[str, Any]:
        """It as a JSON-serialisable record."""
        return asdict(self)


def put_on_record(registry: Registry, certificate: Certificate) -> Decision:
    """Stores a certificate, with who made it and when."""
    return registry.decide(
        certificate.partition or "",
        CERTIFICATE,
        certificate.digest,
        why=f"built again: {certificate.verdict}",
        facts=certificate.as_json(),
    )


def certificates_of(registry: Registry, digest: str) -> list[Decision]:
    """Every certificate of an artifact, newest first; the certificate itself is in `facts`."""
    return [d for d in registry.decisions(kinds=(CERTIFICATE,)) if d.subject == digest]
