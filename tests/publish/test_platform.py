"""What is published of a graph is read without the rest of it, and is what the whole graph says."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import StoreError
from hier_dag.graph.files import ITEMS, load_graph
from hier_dag.pipeline.stages import GRAPH
from hier_dag.publish.platform import read_platform


def test_a_domain_is_read_as_the_whole_graph_has_it(platform):
    folder, config = platform.latest(GRAPH).path, platform.config
    graph = load_graph(folder, config.source_names, config.target_names)
    for domain in config.target_names:
        read = read_platform(folder, domain)
        assert read.user_ids.to_pylist() == graph.user_ids.tolist()
        assert read.item_ids.to_pylist() == graph.item_ids.tolist()
        assert read.item_names.equals(pq.read_table(folder / ITEMS)["name"].cast(pa.large_string()))
        assert np.array_equal(read.audience[domain], graph.audience[domain])
        assert np.array_equal(read.catalogue[domain], graph.catalogue[domain])
        for mine, theirs in zip(
            vars(read.interactions[domain]).values(), vars(graph.interactions[domain]).values(), strict=True
        ):
            assert np.array_equal(mine, theirs)


def test_a_file_that_is_not_what_its_name_says_is_named(tmp_path):
    (tmp_path / "nodes").mkdir()
    (tmp_path / "nodes/users.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreError, match=r"not what its name says") as told:
        read_platform(tmp_path, "cafe")
    assert told.value.file.endswith("nodes/users.parquet")
