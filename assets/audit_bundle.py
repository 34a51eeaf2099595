"""audit/bundle: all the evidence about what is live in a target, in one archive that checks itself."""

import contextlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import dagster as dg

from assets.audit_platform import AUDIT_VERSION
from assets.keys import BUNDLE_KEY, OWNERS, PUBLISHED_KEY
from assets.refusal import refusals
from hier_dag.config import PlatformConfig
from hier_dag.home import Home
from resources import ArtifactStoreResource, RegistryResource

WHOLE = "whole"


def bundle_file(home: Home, domain: str, version: int) -> Path:
    """Where the bundle of a version lies; those of earlier versions stay beside it."""
    return home.audit / "bundles" / f"{domain}_v{version}.zip"


def audit_bundle(config: PlatformConfig, targets: dg.StaticPartitionsDefinition) -> dg.AssetsDefinition:
    """The asset, for one platform."""

    @dg.asset(
        key=BUNDLE_KEY,
        deps=[PUBLISHED_KEY],
        partitions_def=targets,
        group_name="audit",
        kinds={"zip", "html"},
        owners=OWNERS,
        code_version=AUDIT_VERSION,
        check_specs=[
            dg.AssetCheckSpec(
                WHOLE,
                asset=BUNDLE_KEY,
                description="The archive's own verifier finds nothing that was changed, added or left out.",
                partitions_def=targets,
            )
        ],
        description="The evidence about the version of a target that is live: what it was made of, checks, "
        "figures, decisions, a model card and a verifier that needs Python alone.",
    )
    def bundle(
        context: dg.AssetExecutionContext, store: ArtifactStoreResource, registry: RegistryResource
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:  # type: ignore[type-arg]
        from hier_dag.audit.bundle import declared, verify, write_bundle

        domain, home = context.partition_key, Home(store.live_folder.parent)
        with refusals(), contextlib.closing(registry.open()) as opened:
            row = opened.alias(domain)
            path = write_bundle(
                store.open(),
                opened,
                home,
                domain,
                None if row is None else bundle_file(home, domain, row.version),
                version=None if row is None else row.version,
                declared=declared(config.model_dump(mode="json")),
            )
            files = verify.read(path)
            problems = list(verify.problems(files))
        yield dg.AssetCheckResult(
            asset_key=context.asset_key,
            check_name=WHOLE,
            passed=not problems,
            metadata={"files": len(files), "problems": dg.MetadataValue.json(problems)},
        )
        if problems:
            raise dg.Failure(
                f"the bundle of {domain} does not hold: {problems[0]}. Fix: run hier audit verify",
                allow_retries=False,
            )
        yield dg.MaterializeResult(
            asset_key=context.asset_key,
            data_version=dg.DataVersion(sha256(path.read_bytes()).hexdigest()),
            metadata={
                "archive": dg.MetadataValue.path(str(path)),
                "files": len(files),
                "bytes": path.stat().st_size,
                **({} if row is None else {"version": row.version, "set": row.digest, "event": row.event}),
                "statement": sha256(files[verify.STATEMENT]).hexdigest(),
                "signed": verify.ENVELOPE in files,
                "check": f"unzip -p {path.name} verify.py > verify.py && python verify.py {path.name}",
            },
        )

    return bundle
