"""What a person sees in a real browser: the asset graph, and the page of what was made."""

from pathlib import Path

import dagster as dg
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.ui]

CHROMIUM = Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip(
        "needs Debian's Chromium at /usr/bin/chromium: apt-get install chromium", allow_module_level=True
    )
sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e '.[dev]'")

ARGUMENTS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip
ASSETS = ("events", "links", "graph", "encoder", "model", "embeddings")
_PATIENCE = 60_000  # milliseconds


@pytest.fixture
def page(live, tmp_path):
    """A page of a headless Chromium; its last view is kept beside the test's files."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS, headless=True)
        opened = browser.new_page(viewport={"width": 1700, "height": 1100})
        opened.set_default_timeout(_PATIENCE)
        yield opened
        opened.wait_for_timeout(500)  # dialogs fade in
        opened.screenshot(path=tmp_path / "last_view.png", full_page=True)
        browser.close()


def missing(page, *words):
    """Waits until the page says each of some words; those that it does not say in time."""
    says = "text => document.body.innerText.replace(/\\s+/g, ' ').includes(text)"
    lacking = []
    for text in words:
        try:
            page.wait_for_function(says, arg=text)
        except sync_api.TimeoutError:
            lacking.append(text)
    return lacking


def opened(page, metadata):
    """Opens one Markdown value of the metadata table and gives the dialog that shows it."""
    row = page.locator("tr", has=page.get_by_text(metadata, exact=True)).last
    row.get_by_text("[Show Markdown]").click()
    dialog = page.get_by_role("dialog").last
    dialog.wait_for()
    return dialog


def width_of_picture(dialog):
    """Pixels of the picture that a dialog shows: 0 where the browser could not draw it."""
    picture = dialog.locator("img[src^='data:image/png;base64,']")
    picture.wait_for()
    return picture.evaluate("image => image.decode().then(() => image.naturalWidth)")


def test_the_graph_shows_every_stage(live, page):
    page.goto(f"{live.url}/asset-groups~")
    assert not missing(page, "Global asset lineage", "raw", "kg", "pretrain", "finetune", "publish")
    page.goto(f"{live.url}/assets/publish/embeddings?view=lineage&lineageScope=upstream&lineageDepth=10")
    assert not missing(
        page, *ASSETS, "Asset checks", "5 / 5 Passed", "100% filled", "5 partitions", "8 partitions"
    )


def test_the_page_of_the_encoder_shows_digest_figures_and_curve(live, page):
    artifact = live.platform.latest("pretrain/encoder")
    page.goto(f"{live.url}/assets/pretrain/encoder")
    assert not missing(
        page, "HIER: knowledge-graph encoder", artifact.digest, "validation_ndcg10", "nearest entities"
    )
    assert not missing(page, str(artifact.manifest.summary["validation_ndcg10"]))
    assert width_of_picture(opened(page, "curve")) > 300


def test_the_page_of_a_target_shows_its_report_card(live, page):
    page.goto(f"{live.url}/assets/finetune/model?view=partitions&partition=grocery")
    assert not missing(page, live.platform.latest("finetune/model", "grocery").digest, "ndcg10_shots_0")
    card = opened(page, "report_card")
    assert not missing(page, "grocery: HIER against the baselines", "zero-shot", "95 % bootstrap interval")
    assert card.locator("table").count() >= 2


def test_the_page_of_checks_names_what_each_asserts(live, page):
    page.goto(f"{live.url}/assets/kg/graph?view=checks&checkDetail=no_leakage")
    assert not missing(
        page, "all_domains", "integrity", "no_leakage", "No validation or test interaction", "Passed"
    )


def test_the_page_of_a_domains_events_shows_where_every_row_went(live, page):
    page.goto(f"{live.url}/assets/raw/events?view=partitions&partition=marketplace")
    assert not missing(page, live.platform.latest("raw/events", "marketplace").digest, "data_docs")
    ledger = page.locator("tr", has=page.get_by_text("conservation", exact=True)).first
    assert ledger.locator("table").count() == 1  # short enough that the page shows it without a click
    assert not missing(
        page, "raw → canonical", "logs/marketplace.jsonl.gz", "unknown_behavior", "deduplicated"
    )


def test_a_page_leads_from_a_published_set_to_its_parents_and_to_the_registry(live, page):
    row = live.platform.registry.alias("grocery")
    made = live.platform.registry.artifact(row.digest)
    page.goto(f"{live.url}/assets/publish/embeddings?view=partitions&partition=grocery")
    assert not missing(page, row.digest, f"hier audit trace {row.digest[:12]}", f"code {made.code_commit}")
    model = live.platform.latest("finetune/model", "grocery")
    assert not missing(page, f"finetune/model[grocery]@{model.digest}")
    page.get_by_role("link", name="finetune/model[grocery]").click()
    page.wait_for_url("**/assets/finetune/model?**")
    assert not missing(page, model.digest, "ndcg10_shots_0")


def test_the_pages_of_the_audit_say_what_is_live_and_that_all_is_sound(live, page):
    head = live.platform.registry.head()
    job = live.platform.definitions().resolve_implicit_global_asset_job_def()
    for name, partition in (("verification", None), ("lineage_report", None), ("bundle", "grocery")):
        wanted = [dg.AssetKey(["audit", name])]
        ran = job.execute_in_process(
            instance=live.platform.instance(), partition_key=partition, asset_selection=wanted
        )
        assert ran.success
    assert live.platform.registry.head() == head
    page.goto(f"{live.url}/assets/audit/verification")
    assert not missing(page, "verdict", "sound", head.hash)
    page.goto(f"{live.url}/assets/audit/lineage_report")
    digests = [live.platform.registry.alias(target).digest[:12] for target in ("grocery", "recipes")]
    assert not missing(page, *digests, "sound: ", "lineage.html")
    page.goto(f"{live.url}/assets/audit/bundle?view=partitions&partition=grocery")
    assert not missing(page, "grocery_v1.zip", live.platform.registry.alias("grocery").digest)
    page.goto(f"{live.url}/assets/audit/bundle?view=lineage&lineageScope=upstream&lineageDepth=10")
    assert not missing(page, *ASSETS, "bundle")
