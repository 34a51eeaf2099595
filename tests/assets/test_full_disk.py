"""A disk that is full for a moment: Dagster may try again, and no contract is shown as failed."""

import errno
import os

import dagster as dg

from assets.commit import write_audit_publish
from hier_dag.pipeline.request import Request
from hier_dag.pipeline.workshop import Built
from resources import ArtifactStoreResource, RegistryResource
from tests.databases import registry_url


def test_a_step_that_met_a_full_disk_is_tried_again_and_fails_no_check(tmp_path):
    tries = []

    def build(workshop, request, staged):
        tries.append(staged)
        if len(tries) == 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        (staged / "data").write_text("rows")
        return Built()

    @dg.asset(
        key=["raw", "links"],
        retry_policy=dg.RetryPolicy(max_retries=1),
        check_specs=[dg.AssetCheckSpec("contract", asset=["raw", "links"])],
    )
    def links(context: dg.AssetExecutionContext, store: ArtifactStoreResource, registry: RegistryResource):
        asked = Request("raw/links", None, "1", {})
        yield from write_audit_publish(context, store, registry, lambda _: asked, build)

    store = ArtifactStoreResource(root=str(tmp_path / "store"), live=str(tmp_path / "live"), docs="")
    registry = RegistryResource(url=registry_url(tmp_path / "registry.db"), platform="town")
    done = dg.materialize([links], resources={"store": store, "registry": registry})
    assert done.success
    assert len(tries) == 2
    assert [check.passed for check in done.get_asset_check_evaluations()] == [True]
    (retried,) = [e for e in done.all_events if e.event_type_value == "STEP_UP_FOR_RETRY"]
    assert "No space left on device" in str(retried.event_specific_data.error)
