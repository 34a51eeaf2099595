"""What erasures on record need to stay carried out: the platform's secret, and their receipts."""

from __future__ import annotations

from pathlib import Path

from hier_dag.audit.verify_verdict import ERASURE, Problem, Verdict
from hier_dag.erasure.erased import RECEIPT, erased_of, erasures
from hier_dag.erasure.receipt import read_receipt, receipt_file
from hier_dag.errors import ConfigError, StoreError
from hier_dag.registry import Decision, Registry

_BACKUP = "restore it from a backup, or from where --out put another copy"


def check_erasures(registry: Registry, home: Path, found: Verdict) -> None:
    """The secret that recognises who was erased, and each receipt on record; what is wrong is noted.

    Args:
        registry: of the platform.
        home: folder of its state, where both lie.
        found: where problems and figures are noted.

    Raises:
        RegistryError: the registry cannot be read.
    """
    found.erasures = len(erasures(registry))
    try:
        erased_of(registry, home)
    except ConfigError as error:
        file = Path(error.file or home)
        expected = "the secret of the erasures on record, and no receipt of another"
        told = Problem(ERASURE, file.name, str(file), expected, error.message, error.fix or "")
        found.add(told)
    for decision in registry.decisions(kinds=(RECEIPT,)):
        if (said := _wrong(decision, receipt_file(home, decision.subject))) is not None:
            found.add(said)


def _wrong(decision: Decision, file: Path) -> Problem | None:
    about = f"receipt {decision.subject[:12]}"
    expected = f"a receipt of SHA-256 {decision.facts['sha256']}"
    try:
        digest = read_receipt(file).digest
    except StoreError as error:
        said = error.message if file.exists() else "nothing: it is gone"
        return Problem(ERASURE, about, str(file), expected, said, _BACKUP)
    if digest == decision.facts["sha256"]:
        return None
    return Problem(ERASURE, about, str(file), expected, f"one of {digest}", _BACKUP)
