"""Raw files that would fill the disk or the memory, run code or hide rows are refused, and say so."""

from __future__ import annotations

import gzip
import pickle
import sqlite3
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hier_dag.errors import ContractError, SourceError
from tests.ingest.helpers import contents, ingest, platform, refused, rows, write

MIB = 1 << 20


class Marker:
    """Unpickled, it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __reduce__(self):
        return (open, (self.file, "w"))


def failure(folder, source, **limits) -> SourceError:
    with pytest.raises(SourceError) as caught:
        ingest(platform(folder, source, ingest=limits), folder / "out")
    assert caught.value.domain == "shop"
    assert caught.value.file
    assert caught.value.fix
    written = sum(len(data) for data in contents(folder / "out").values())
    assert written < 100_000, "a refused file leaves next to nothing behind"
    return caught.value


def bomb(path: Path, mib: int, *, members: int = 1, line: bytes = b"u,i\n") -> None:
    """A gz of the same line over and over."""
    body = line * (MIB * mib // members // len(line))
    path.write_bytes(gzip.compress(b"user_id,item_id\n", mtime=0) + gzip.compress(body, mtime=0) * members)


@pytest.mark.parametrize("members", [1, 40])
def test_a_zip_bomb_is_refused_while_it_is_read(tmp_path, members):
    bomb(tmp_path / "a.csv.gz", 80, members=members)
    e = failure(tmp_path, {"path": "a.csv.gz"})
    assert "more than 200 times its" in str(e)
    assert "max_decompressed_ratio" in e.fix


def test_the_limits_are_the_platforms(tmp_path):
    bomb(tmp_path / "a.csv.gz", 66)
    assert (
        "max_decompressed_bytes" in failure(tmp_path, {"path": "a.csv.gz"}, max_decompressed_bytes=10_000).fix
    )
    config = platform(tmp_path, {"path": "a.csv.gz"}, ingest={"max_decompressed_ratio": 2_000})
    ledger = ingest(config, tmp_path / "fine")
    assert (ledger.rows_out, ledger.deduplicated) == (1, ledger.rows_in - 1)


def test_a_small_file_of_one_repeated_line_is_no_bomb(tmp_path):
    bomb(tmp_path / "a.csv.gz", 4, members=3)
    ledger = ingest(platform(tmp_path, {"path": "a.csv.gz"}), tmp_path / "out")
    assert ledger.rows_in == 3 * (MIB * 4 // 3 // 4)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz"])
@pytest.mark.parametrize("bad", [b"", b"\xff"])
def test_a_line_that_never_ends_is_refused(tmp_path, name, bad):
    head = b"user_id,item_id\nu,i\n" if "csv" in name else b'{"user_id": "u", "item_id": "i"}\n'
    data = head + bad + b"x" * (20 * MIB)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert "a row is longer than 8 MiB" in str(failure(tmp_path, {"path": name}))


@pytest.mark.parametrize("head", [b"x" * 2 * MIB, b"x," * MIB, b'"' + b"x" * 2 * MIB])
def test_a_header_that_never_ends_is_refused_with_a_short_message(tmp_path, head):
    (tmp_path / "a.csv").write_bytes(head)
    assert len(str(failure(tmp_path, {"path": "a.csv"}))) < 10_000


def test_a_header_with_a_quote_that_is_never_closed_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes(b'user_id,"item_id\nu,i\n')
    assert "quote in the header" in str(failure(tmp_path, {"path": "a.csv"}))


def test_lines_of_lone_quotes_stay_rows_and_do_not_grow(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"user_id,item_id\n" + b'"\n' * 999 + b"u,i\n")
    ledger = ingest(platform(tmp_path, {"path": "a.csv"}), tmp_path / "out")
    assert ledger.rows_in == 1_000
    assert ledger.rows_out == 1
    assert ledger.quarantined == {"malformed_row": 999}


def test_more_broken_lines_than_are_held_keep_their_numbers(tmp_path):
    lines = [b"u%d,i" % n if n % 3 == 0 else b"broken" for n in range(200_000)]
    (tmp_path / "a.csv").write_bytes(b"user_id,item_id\n" + b"\n".join(lines) + b"\n")
    ledger = ingest(platform(tmp_path, {"path": "a.csv"}), tmp_path / "out")
    assert ledger.quarantined == {"malformed_row": 133_333}
    assert {r for r, _, _ in refused(tmp_path / "out")} == {n + 1 for n in range(200_000) if n % 3}
    assert all(r["user_id"] == f"u{r['row'] - 1}" for r in rows(tmp_path / "out" / "events"))


def test_only_gz_is_decompressed_whatever_the_suffix_says(tmp_path):
    text = b"user_id,item_id\nu,i\n"
    (tmp_path / "a.csv.zst").write_bytes(pa.compress(text, "zstd", asbytes=True))
    assert failure(tmp_path, {"path": "a.csv.zst", "format": "csv"}).column == "user_id"
    (tmp_path / "b.csv.zst").write_bytes(text)
    assert ingest(platform(tmp_path, {"path": "b.csv.zst", "format": "csv"}), tmp_path / "b").rows_out == 1


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz", "a.sqlite"])
def test_a_pickle_is_never_unpickled(tmp_path, name):
    mark = tmp_path / "MARK"
    (tmp_path / name).write_bytes(pickle.dumps(Marker(mark)))
    where = {"sql": f"sqlite:///{name}", "table": "log"} if name.endswith("sqlite") else {"path": name}
    with pytest.raises(ContractError):
        ingest(platform(tmp_path, where, max_quarantined=0.0), tmp_path / "out")
    assert not mark.exists()


def footer_of(path: Path) -> tuple[bytes, bytes]:
    data = path.read_bytes()
    size = struct.unpack("<I", data[-8:-4])[0]
    return data[: -8 - size], data[-8 - size : -8]


def varint(n: int) -> bytes:
    n, out = n << 1, b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


@pytest.mark.parametrize("claim", [10**6, 10**9, 2**62])
def test_a_footer_that_claims_absurd_rows_is_refused(tmp_path, claim):
    n = 1_234_567  # a number whose bytes are found again in the footer
    write(tmp_path / "a.parquet", [{"user_id": "u", "item_id": "i"}] * 1_000)
    pq.write_table(pa.table({"user_id": ["u"] * n, "item_id": ["i"] * n}), tmp_path / "a.parquet")
    body, footer = footer_of(tmp_path / "a.parquet")
    assert varint(n) in footer
    footer = footer.replace(varint(n), varint(claim))
    (tmp_path / "a.parquet").write_bytes(body + footer + struct.pack("<I", len(footer)) + b"PAR1")
    with pytest.raises(ContractError) as caught:
        ingest(platform(tmp_path, {"path": "a.parquet"}), tmp_path / "out")
    assert caught.value.file == "a.parquet"


def test_a_parquet_of_billions_of_equal_rows_is_refused_by_its_footer(tmp_path):
    with pq.ParquetWriter(tmp_path / "a.parquet", pa.schema([("user_id", "str"), ("item_id", "str")])) as out:
        part = pa.table({"user_id": ["u"] * 2_000_000, "item_id": ["i"] * 2_000_000})
        for _ in range(40):
            out.write_table(part, row_group_size=2_000_000)
    assert "claims a number of rows that is more than 200 times" in str(
        failure(tmp_path, {"path": "a.parquet"})
    )


def test_an_encrypted_parquet_is_refused(tmp_path):
    write(tmp_path / "a.parquet", [{"user_id": "u", "item_id": "i"}])
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(b"PARE" + data[4:-4] + b"PARE")
    assert "cannot be read" in str(failure(tmp_path, {"path": "a.parquet"}))


def nested(path: Path, depth: int) -> None:
    kind, value = pa.string(), "x"
    for _ in range(depth):
        kind, value = pa.list_(kind), [value]
    table = pa.table({"user_id": ["u"], "item_id": ["i"], "deep": pa.array([value], kind)})
    pq.write_table(table, path)


def test_a_nested_column_does_no_harm_and_is_no_id(tmp_path):
    nested(tmp_path / "a.parquet", 20)
    assert ingest(platform(tmp_path, {"path": "a.parquet"}), tmp_path / "out").rows_out == 1
    config = platform(tmp_path, {"path": "a.parquet", "columns": {"user_id": "deep"}})
    with pytest.raises(SourceError, match="ids must be text or integers"):
        ingest(config, tmp_path / "other")


def test_a_schema_that_is_nested_too_deeply_is_refused(tmp_path):
    nested(tmp_path / "a.parquet", 300)
    assert "too deeply nested" in str(failure(tmp_path, {"path": "a.parquet"}))


def test_deeply_nested_json_is_one_row(tmp_path):
    deep = b"[" * 200_000 + b"]" * 200_000
    lines = [b'{"user_id": "u", "item_id": "i", "x": ' + deep + b"}", deep, b'{"user_id": ' + deep + b"}"]
    (tmp_path / "a.jsonl").write_bytes(b'{"user_id": "v", "item_id": "i"}\n' + b"\n".join(lines))
    ledger = ingest(platform(tmp_path, {"path": "a.jsonl"}), tmp_path / "out")
    assert ledger.rows_in == 4
    assert "v" in {r["user_id"] for r in rows(tmp_path / "out" / "events")}
    assert ledger.rows_out + sum(ledger.quarantined.values()) == 4


SQL = ["'; drop table events; --", "read_csv('/etc/passwd')", "getenv('HOME')", '"; install httpfs; --',
       "$$x$$", "=cmd|'/C calc'!A0", "${HOME}", "{{ 7 * 7 }}", "%s", "\\", "'", '"']  # fmt: skip


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.csv.gz", "a.jsonl", "a.sqlite"])
def test_sql_and_formulas_in_ids_are_data(tmp_path, name):
    write(tmp_path / name, [{"user_id": s, "item_id": s, "kind": s, "w": "1"} for s in SQL])
    where = {"sql": f"sqlite:///{name}", "table": "log"} if name.endswith("sqlite") else {"path": name}
    source = {**where, "columns": {"behavior": "kind", "weight": "w"}}
    ledger = ingest(platform(tmp_path, source, behaviors=dict.fromkeys(SQL, 1.0)), tmp_path / "out")
    assert ledger.quarantined == {}
    got = rows(tmp_path / "out" / "events")
    assert {(r["user_id"], r["item_id"], r["behavior"]) for r in got} == {(s, s, s) for s in SQL}


@pytest.mark.parametrize("name", ["a.parquet", "a.csv", "a.jsonl", "a.sqlite"])
def test_sql_in_column_names_is_a_name(tmp_path, name):
    columns = {"user_id": "u'); drop table log; --", "item_id": 'i" from log; --', "weight": "/~0/*.*"}
    if name.endswith("sqlite"):
        sqlite_with(tmp_path / name, columns)
    else:
        write(tmp_path / name, [dict(zip(columns.values(), ("u", "i", "2"), strict=True))])
    where = {"sql": f"sqlite:///{name}", "table": "log"} if name.endswith("sqlite") else {"path": name}
    ingest(platform(tmp_path, {**where, "columns": columns}), tmp_path / "out")
    assert [(r["user_id"], r["item_id"], r["weight"]) for r in rows(tmp_path / "out" / "events")] == [
        ("u", "i", 2)
    ]


def sqlite_with(path: Path, columns: dict[str, str]) -> None:
    quoted = ", ".join('"' + c.replace('"', '""') + '"' for c in columns.values())
    db = sqlite3.connect(path)
    db.execute(f"create table log ({quoted})")
    db.execute("insert into log values ('u', 'i', 2)")
    db.commit()
    db.close()


@pytest.mark.parametrize("name", ["a[1]*?.parquet", "a'; drop.csv", 'a"b.jsonl', "$(touch MARK).csv",
                                  "-rf.csv", "http:__x.csv", "a\nb.csv"])  # fmt: skip
def test_odd_file_names_are_one_file(tmp_path, name):
    write(tmp_path / name, [{"user_id": "u", "item_id": "i"}])
    write(tmp_path / ("a1x" + Path(name).suffix), [{"user_id": "other", "item_id": "i"}])
    ledger = ingest(platform(tmp_path, {"path": name}), tmp_path / "out")
    assert [f.location for f in ledger.files] == [name]
    assert [r["user_id"] for r in rows(tmp_path / "out" / "events")] == ["u"]
    assert not Path("MARK").exists()


def test_the_peak_of_memory_does_not_follow_the_bomb(tmp_path):
    """A gz of 512 MiB is refused within 100 MiB more than a tiny one takes."""
    raw = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"u,i\n" * (MIB // 4)
    with (tmp_path / "a.csv.gz").open("wb") as f:
        f.write(raw.compress(b"user_id,item_id\n"))
        for _ in range(512):
            f.write(raw.compress(block))
        f.write(raw.flush())
    code = """
import re, sys
from pathlib import Path
from hier_dag.errors import SourceError
from hier_dag.ingest.decompress import Bounds
from hier_dag.ingest.text import stage_csv
def peak():
    # Not ru_maxrss, which a process takes over from the one that started it.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
try:
    bounds = Bounds(1 << 40, 200.0)
    stage_csv(Path(sys.argv[1]), {"user_id": "user_id"}, Path(sys.argv[2]), bounds, {"file": "a"})
except SourceError:
    print(peak() - before)
"""
    where = [str(tmp_path / "a.csv.gz"), str(tmp_path / "staged.parquet")]
    done = subprocess.run([sys.executable, "-c", code, *where], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100 * 1024
    assert not (tmp_path / "staged.parquet").exists()
