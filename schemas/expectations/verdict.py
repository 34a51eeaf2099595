"""Whether a version of a domain's events is as expected: what blocks it, what is shown, and the facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hier_dag.config import PlatformConfig
from hier_dag.ingest.profile import EventProfile
from hier_dag.registry import CheckRow
from schemas.expectations.ask import Answer, ask
from schemas.expectations.declared import Expectation, declared
from schemas.expectations.metrics import LEAST_ROWS, drift_metrics, own_metrics

BLOCKING, WARNING = "expectations", "expectations_warned"
"""Names of the two checks."""
_SHORT = 12


@dataclass(frozen=True)
class LastVersion:
    """The domain's last accepted events.

    Attributes:
        digest: of the artifact.
        profile: stored with it.
        same_weights: whether the behaviours were declared with the weights of today.
    """

    digest: str
    profile: EventProfile
    same_weights: bool = True


@dataclass(frozen=True)
class Verdict:
    """What came of it.

    Attributes:
        checks: `expectations` (what blocks) and `expectations_warned`.
        remedies: what to do where one of them fails.
        result: great-expectations' own result, for Data Docs.
    """

    checks: list[CheckRow] = field(default_factory=list)
    remedies: dict[str, str] = field(default_factory=dict)
    result: Any = None


def judge_profile(
    config: PlatformConfig, domain: str, profile: EventProfile, last: LastVersion | None
) -> Verdict:
    """Asks every expectation of a domain whose metric there is.

    Args:
        config: the platform.
        domain: the domain.
        profile: of the version that is being built.
        last: the last accepted version; None skips what compares with it.

    Raises:
        ConfigError: when a suite of the user's cannot be used.
    """
    metrics = own_metrics(profile, has_sources=bool(config.domains[domain].sources))
    if last is not None:
        metrics |= drift_metrics(profile, last.profile, same_weights=last.same_weights)
    expectations = declared(config, domain)
    asked = [e for e in expectations if e.metric in metrics]
    answers, result = ask(asked, metrics, domain)
    about = {
        "against": None if last is None else last.digest,
        "metrics": {name: round(value, 6) for name, value in sorted(metrics.items())},
        "not_asked": _not_asked(expectations, asked, last),
    }
    failed = {
        name: [a for a in answers if not a.passed and a.expectation.blocks == (name == BLOCKING)]
        for name in (BLOCKING, WARNING)
    }
    remedies = {name: _remedy(domain, of) for name, of in failed.items() if of}
    return Verdict(
        [_check(name, of, about, remedies.get(name)) for name, of in failed.items()],
        remedies,
        result,
    )


def _check(name: str, failed: Sequence[Answer], about: dict[str, Any], fix: str | None) -> CheckRow:
    facts: dict[str, Any] = {
        "failed": [
            {
                "expectation": a.expectation.name,
                "metric": a.expectation.metric,
                "observed": a.observed,
                "expected": a.expectation.bound,
                "remedy": a.expectation.remedy,
            }
            for a in failed
        ],
        **about,
    }
    if failed:
        facts["message"] = "; ".join(map(_words, failed)) + _compared(about["against"])
        facts["fix"] = fix
    return CheckRow(name, not failed, facts)


def _words(answer: Answer) -> str:
    expectation = answer.expectation
    says = f" ({expectation.says})" if expectation.says else ""
    return f"{expectation.name}{says} is {answer.observed:.4g}, expected {expectation.bound}"


def _compared(digest: str | None) -> str:
    return "" if digest is None else f". The last accepted version is {digest[:_SHORT]}"


def _remedy(domain: str, failed: Sequence[Answer]) -> str:
    causes = dict.fromkeys(a.expectation.remedy for a in failed if a.expectation.remedy)
    look = f"{'; '.join(causes)}. " if causes else ""
    names = ", ".join(a.expectation.name for a in failed)
    where = f"for {names} under domains.{domain}.expectations in domains.yaml"
    if not any(a.expectation.blocks for a in failed):
        return f"{look}If the data is right, set another bound ({{min: …, max: …}}) {where}"
    return (
        f"{look}If the data is right, accept it knowingly: set another bound ({{min: …, max: …}}) or "
        f"{{level: warn}} {where}, and run again"
    )


def _not_asked(
    expectations: Sequence[Expectation], asked: Sequence[Expectation], last: LastVersion | None
) -> dict[str, Any]:
    """What was left out, and why."""
    names = [e.name for e in expectations if e not in asked]
    if not names:
        return {}
    if last is None:
        why = "there is no other accepted version to compare with"
    elif last.profile.rows < LEAST_ROWS:
        why = f"the last accepted version has fewer than {LEAST_ROWS} events"
    else:
        why = "too few events, or their columns are not mapped"
    return {"why": why, "expectations": names}
