"""Consumers install numpy, pyarrow and faiss beside the reader, and nothing else of what hier_dag needs."""

import json
import subprocess
import sys

BARE = """
import importlib.metadata as metadata, json, re, sys
allowed, left = set(), ["numpy", "pyarrow", "faiss-cpu"]
while left:
    name = re.sub(r"[-_.]+", "-", left.pop()).lower()
    if name not in allowed:
        allowed.add(name)
        needed = metadata.requires(name) or []
        left += [re.match(r"[\\w.-]+", r).group() for r in needed if "extra ==" not in r]
owners = metadata.packages_distributions()
class Bare:
    def find_spec(self, name, path=None, target=None):
        of = {re.sub(r"[-_.]+", "-", d).lower() for d in owners.get(name.split(".")[0], ())}
        if of and not of & allowed and "hier-dag" not in of:
            raise ImportError(f"{name} of {of} is not in a reader's environment")
sys.meta_path.insert(0, Bare())
from hier_dag.publish.reader import open_set
opened = open_set(sys.argv[1], "cafe", dim=5, space="0123456789abcdef")
print(json.dumps({
    "items": [r.item_id for r in opened.recommend("u1", 3)],
    "rows": opened.recommend_many(["u01"], 2).num_rows,
    "loaded": sorted({m.partition(".")[0] for m in sys.modules} & set(owners)),
    "ours": sorted(m for m in sys.modules if m.startswith("hier_dag.") and "reader" not in m),
}))
"""


def test_it_answers_where_nothing_else_is_installed(cafe):
    done = subprocess.run([sys.executable, "-c", BARE, cafe.root], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert set(said["items"]) == {"a", "b", "d"}
    assert said["rows"] == 2
    assert not {"pydantic", "torch", "sqlalchemy", "dagster", "duckdb", "pandas", "fsspec"} & set(
        said["loaded"]
    )
    assert said["ours"] == ["hier_dag.digest", "hier_dag.errors", "hier_dag.names", "hier_dag.publish"]
