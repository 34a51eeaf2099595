"""audit/verification and audit/lineage_report: are store and registry sound, and what is live by which chain.

Both only read, and no publication waits for them: `hier run` and the refresh of a domain leave them out.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import dagster as dg

from assets.keys import LINEAGE_REPORT_KEY, OWNERS, PUBLISHED_KEY, VERIFICATION_KEY
from assets.metadata import markdown_table
from assets.refusal import refusals
from hier_dag.config import PlatformConfig
from hier_dag.home import Home
from resources import ArtifactStoreResource, RegistryResource

if TYPE_CHECKING:
    from hier_dag.audit.verify_verdict import Verdict

AUDIT_VERSION = "1"
SOUND = "sound"
_SHOWN = 100


class Thoroughness(dg.Config):
    """How much a verification reads.

    Attributes:
        fast: whether bytes of files and proofs of leakage are left out.
    """

    fast: bool = False


def verification(platform: PlatformConfig) -> dg.AssetsDefinition:
    """The asset, for one platform."""

    @dg.asset(
        key=VERIFICATION_KEY,
        deps=[PUBLISHED_KEY],
        group_name="audit",
        kinds={"sql", "parquet"},
        owners=OWNERS,
        code_version=AUDIT_VERSION,
        check_specs=[
            dg.AssetCheckSpec(
                SOUND,
                asset=VERIFICATION_KEY,
                description="Every byte is what its manifest says, every event of the registry follows from "
                "the one before it, every row from its event, every version record from its move.",
            )
        ],
        description="Verifies artifacts, registry, version records and copies, as `hier audit verify` does. "
        "The run fails where something was changed, added or removed.",
    )
    def verified(
        context: dg.AssetExecutionContext,
        config: Thoroughness,
        store: ArtifactStoreResource,
        registry: RegistryResource,
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:  # type: ignore[type-arg]
        from hier_dag.audit.verify import verify

        home = Home(store.live_folder.parent)
        with refusals(), contextlib.closing(registry.open()) as opened:
            found = verify(
                home.root, home.store, opened, copies=platform.stages.publish.copies, fast=config.fast
            )
        facts = _facts(found)
        yield dg.AssetCheckResult(
            asset_key=context.asset_key, check_name=SOUND, passed=found.sound, metadata=facts
        )
        if not found.sound:
            first = found.problems[0]
            raise dg.Failure(
                f"the platform is not sound: {len(found.problems):,} problem(s); the first: {first.where}: "
                f"expected {first.expected}, found {first.found}. Fix: {first.fix}",
                metadata=facts,
                allow_retries=False,
            )
        yield dg.MaterializeResult(
            asset_key=context.asset_key, metadata=facts, data_version=dg.DataVersion(found.head)
        )

    return verified


def _facts(found: "Verdict") -> dict[str, Any]:
    told = found.as_json()
    rows = [(p.what, p.where, p.file or "", p.expected, p.found, p.fix) for p in found.problems[:_SHOWN]]
    table = markdown_table(["what", "which", "file", "expected", "found", "fix"], rows)
    counts = ("artifacts", "files", "bytes", "events", "head", "signed_up_to", "anchors", "records", "proven")
    return {
        "verdict": "sound" if found.sound else f"{len(found.problems):,} problem(s)",
        **{name: told[name] for name in counts},
        "not_asked": dg.MetadataValue.json(found.not_asked),
        **({"first_problems": dg.MetadataValue.md(table)} if rows else {}),
    }


@dg.asset(
    key=LINEAGE_REPORT_KEY,
    deps=[PUBLISHED_KEY],
    group_name="audit",
    kinds={"html"},
    owners=OWNERS,
    code_version=AUDIT_VERSION,
    description="What is live where, by which chain of artifacts, checks, waivers and approvals, back to the "
    "raw files; and whether the registry that says so is sound.",
)
def lineage_report(
    context: dg.AssetExecutionContext, store: ArtifactStoreResource, registry: RegistryResource
) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Writes the report of the platform into the folder `audit` of its state."""
    from hier_dag.audit.report import HTML, JSON, MARKDOWN, platform_report, write_report
    from hier_dag.digest import digest_of

    with refusals(), contextlib.closing(registry.open()) as opened:
        report = platform_report(opened)
        files = write_report(report, Home(store.live_folder.parent).audit)
    rows = [
        (live["domain"], f"{live['alias']}\u00a0{live['version']}", f"`{live['digest'][:12]}`",
         f"`{live['since'][:16].replace('T', ' ')}`", _checks(live))
        for live in report["live"]
    ]  # fmt: skip
    head = ["domain", "version", "set", "since (UTC)", "checks"]
    return dg.MaterializeResult(
        asset_key=context.asset_key,
        data_version=dg.DataVersion(digest_of(report)),
        metadata={
            "live": dg.MetadataValue.md(markdown_table(head, rows)),
            "registry": _words(report["chain"]),
            "page": dg.MetadataValue.path(str(files[HTML])),
            "markdown": dg.MetadataValue.path(str(files[MARKDOWN])),
            "json": dg.MetadataValue.path(str(files[JSON])),
            "artifacts": len(report["artifacts"]),
            "raw_files": len(report["raw_files"]),
            "head": f"event {report['chain']['head']['seq']:,}, {report['chain']['head']['hash']}",
        },
    )


def _checks(live: dict[str, Any]) -> str:
    """How many checks are on a chain, which did not pass, and who let the set go live all the same."""
    failed = sorted({name.rpartition(": ")[2] for name in live["failed"]})
    let = [f"{d['kind']} by {d['who']}" for d in live["let_live_by"]]
    told = f"{live['checks']}" + (f", not passed: {', '.join(failed)}" if failed else ", all passed")
    return "; ".join([told, *let])


def _words(chain: dict[str, Any]) -> str:
    if chain["problems"]:
        return f"not sound: {chain['problems']:,} problem(s) in {chain['events']:,} events"
    return f"sound: {chain['events']:,} events in one chain"
