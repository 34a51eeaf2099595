"""What modules earn in single targets, from fabricated cells, against a naive reference."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from hier_dag.config import load_config
from hier_dag.home import SAMPLE_DOMAINS
from hier_dag.study.ablation import Ablation, AblationStudy
from hier_dag.study.cell import Cell, Overrides
from hier_dag.study.earned import earned
from hier_dag.study.study import Finished

MODULES = (
    Ablation("no_a", "module A", Overrides(), Overrides()),
    Ablation("no_b", "module B", Overrides()),
    Ablation("no_c", "module C", Overrides()),
)
DOMAINS, SHOTS, USERS = ("cafe", "mall"), ("0", "3"), 50


@pytest.fixture
def finished(tmp_path):
    """Cells of one seed with drawn figures: A's control is far below the default, B changes nothing."""
    rng = np.random.default_rng(0)
    base = rng.random((len(DOMAINS), len(SHOTS), USERS))

    def cell(label, ndcg, seed=0):
        folder = tmp_path / f"{label}_{seed}"
        folder.mkdir()
        where = [(d, s, u) for d in DOMAINS for s in SHOTS for u in range(USERS)]
        domain, shots, user = map(list, zip(*where, strict=True))
        values = pa.array(ndcg.ravel().astype(np.float32))
        users = {"domain": domain, "shots": shots, "user": user, "ndcg": values, "hr": values}
        pq.write_table(pa.table(users), folder / "users.parquet")
        pq.write_table(pa.table({"metric": ["ndcg"], "k": [10]}), folder / "records.parquet")
        artifact = SimpleNamespace(
            file=folder.joinpath,
            json=lambda _: {"study": "ablation"},
            manifest=SimpleNamespace(summary={}),
        )
        return Finished(Cell(label, seed), artifact, {})

    noise = rng.normal(0, 0.1, base.shape)
    return {
        "default": cell("default", base), "no_a": cell("no_a", base - 0.9),
        "no_a_control": cell("no_a_control", base - 0.2 + noise), "no_b": cell("no_b", base),
        "no_c": cell("no_c", base + 0.5, seed=1),
    }  # fmt: skip


def users(one, domain, shots):
    table = pq.read_table(one.artifact.file("users.parquet")).to_pandas()
    return table[(table["domain"] == domain) & (table["shots"] == shots)]["ndcg"].to_numpy(np.float64)


def test_a_module_earns_what_the_default_has_over_its_control(finished):
    cells = [finished[name] for name in ("default", "no_a", "no_a_control", "no_b")]
    found = earned(MODULES, cells, resamples=400)
    assert list(found) == list(DOMAINS)
    tests = {
        (name, d, s): stats.ttest_rel(users(finished[name], d, s), users(finished["default"], d, s)).pvalue
        for name in ("no_a", "no_a_control") for d in DOMAINS for s in SHOTS
    }  # fmt: skip
    for domain in DOMAINS:
        # Without the cell of C there is nothing to say of C.
        assert [(e.module, e.shots) for e in found[domain]] == [
            (m, s) for s in SHOTS for m in ("module A", "module B")
        ]
        for one in found[domain]:
            assert one.k == 10
            if one.module == "module B":
                assert (one.gain, one.low, one.high, one.p) == (0, 0, 0, 1)
                continue
            default = users(finished["default"], domain, one.shots)
            gain = default - users(finished["no_a_control"], domain, one.shots)
            assert one.gain == pytest.approx(gain.mean(), abs=1e-6)
            assert one.low < one.gain < one.high
            assert one.high - one.low == pytest.approx(2 * 1.96 * stats.sem(gain), rel=0.25)
            # Holm over three cells of two targets: at least as strict as the number of p-values not below it.
            mine = tests["no_a_control", domain, one.shots]
            assert mine < one.p <= 6 * mine


def test_a_control_of_another_seed_than_the_defaults_says_nothing(finished):
    found = earned(MODULES, [finished[name] for name in ("default", "no_b", "no_c")], resamples=50)
    assert {e.module for e in found["cafe"]} == {"module B"}


def test_without_the_default_there_is_nothing_to_compare_with(finished):
    study, config = AblationStudy(MODULES), load_config(SAMPLE_DOMAINS)
    assert study.earned(config, [finished["no_b"]]) == {}
    assert study.earned(config, []) == {}
    assert list(study.earned(config, [finished["default"], finished["no_b"]])) == list(DOMAINS)
