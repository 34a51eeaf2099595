"""How the origin of a vector is shown: what let it go live, certificates, environment, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.text import Text
from rich.tree import Tree

from hier_dag.cli.short import commit

if TYPE_CHECKING:
    from hier_dag.lineage.why import Why

_SHORT = 12
_EVENTS = "raw/events"


def tree_of(found: Why) -> Tree:
    """The walk from a vector back to raw rows; ids and file names as they are."""
    root = Tree(
        Text.assemble(
            (found.domain, "bold"), f" {found.role} ", (found.id, "bold"),
            f": live version {found.version}, origin ", (found.origin, "bold"), f", norm {found.norm:.3f}",
        )
    )  # fmt: skip
    _released(root, found.release)
    _certified(root, found.leakage)
    for digest, facts in found.environments.items():
        root.add(_environment(digest, facts))
    way = _Way(found)
    way.grow(root, found.artifacts[0])
    return root


def _released(root: Tree, release: Mapping[str, Any]) -> None:
    branch = root.add(
        Text.assemble(
            ("in force", "bold"), f" since {_moment(release['at'])}: {release['action']} by {release['who']}",
            (f", “{release['why']}”", "italic"), f", space {release['change']}",
        )
    )  # fmt: skip
    if release["restores"]:
        branch.add(Text(f"puts the set of version {release['restores']} in force again", "yellow"))
    for gate in release["gates"]:
        told = str(gate["facts"].get("message", ""))
        for pass_given in ("waiver", "approval"):
            if pass_given in gate["facts"]:
                told += f" ({pass_given}: {gate['facts'][pass_given]})"
        mark = ("✓ ", "green") if gate["passed"] else ("✗ ", "red")
        branch.add(Text.assemble(mark, (gate["name"], "cyan"), f" {told}"))
    for d in release["decisions"]:
        until = f" until {_moment(d['until'])}" if d["until"] else ""
        later = "" if d["held_then"] else ", not in force when it went live"
        told = f" by {d['who']} on {_moment(d['created_at'])}{until}{later}: "
        branch.add(Text.assemble((d["kind"], "yellow"), told, (f"“{d['why']}”", "italic")))
    if release["versions"]:
        others = ", ".join(str(v["version"]) for v in release["versions"])
        branch.add(Text(f"the same set is version {others}", "dim"))


def _certified(root: Tree, leakage: Mapping[str, Any]) -> None:
    if not leakage:
        return
    branch = root.add(Text.assemble(("leakage certificates", "bold")))
    for kind, told in leakage.items():
        if "edges" in told:
            among = f"held-out pairs among {told['edges']:,} edges"
            words = f"{told['in_both']} of {told['held_out_pairs']:,} {among}"
            words += f", cut {_moment(told['cut'])}" if told["cut"] else ""
            bad = told["in_both"]
        else:
            pairs = max(told["pairs"].values(), default=0)
            words = (
                f"{told['in_held_out']} held-out pairs and {told['not_edges']} that are no edges in training"
            )
            words += f" ({pairs:,} pairs)"
            bad = told["in_held_out"] or told["not_edges"]
        mark = ("✗ ", "bold red") if bad else ("✓ ", "green")
        branch.add(Text.assemble(mark, (kind, "cyan"), f" {words}"))


def _environment(digest: str, facts: Mapping[str, Any]) -> Text:
    if facts["python"] is None:
        return Text.assemble(("environment", "bold"), f" {digest[:_SHORT]}: not on record")
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return Text.assemble(
        ("environment", "bold"),
        f" {digest[:_SHORT]}: Python {facts['python']} on {facts['system']} {facts['machine']}, {versions}, "
        f"{facts['distributions']} distributions in all",
    )


class _Way:
    """Draws artifacts towards the raw files, each once.

    Args:
        found: the vector.
    """

    def __init__(self, found: Why) -> None:
        self.by_digest = {a["digest"]: a for a in found.artifacts}
        self.rows = {(r["file"], r["sha256"]): r for r in found.raw}
        self.runs = found.runs
        self.shown: set[str] = set()

    def grow(self, parent: Tree, entry: Mapping[str, Any]) -> None:
        """Adds an artifact, its raw files and everything above it."""
        name = entry["kind"] + (f"[{entry['partition']}]" if entry["partition"] else "")
        text = Text.assemble((name, "bold cyan"), f" {entry['digest'][:_SHORT]}")
        if entry["digest"] in self.shown:
            parent.add(text.append(" (see above)", "dim"))
            return
        self.shown.add(entry["digest"])
        branch = parent.add(text.append_text(self._facts(entry)))
        for file in entry["inputs"]:
            rows = self.rows.get((file["location"], file["sha256"]))
            if rows or entry["kind"] != _EVENTS:
                branch.add(_file(file, rows))
        for role, digest in entry["parents"].items():
            if digest not in self.by_digest:
                branch.add(Text(f"goes on with the space that {digest[:_SHORT]} began ({role})", "dim"))
                continue
            above = self.by_digest[digest]
            if above["kind"] != _EVENTS or any(
                (f["location"], f["sha256"]) in self.rows for f in above["inputs"]
            ):
                self.grow(branch, above)

    def _facts(self, entry: Mapping[str, Any]) -> Text:
        """Code, seeds and checks of an artifact; below them when, by whom, in which run and where."""
        failed = [c["name"] for c in entry["checks"] if not c["passed"]]
        seeds = f", seeds {entry['seeds']}" if entry["seeds"] else ""
        run = self.runs.get(entry["run_id"], {})
        devices = ", ".join(run.get("devices") or ()) or "CPU"
        where = f" on {run['host']} ({devices})" if run.get("host") else ""
        who = f" by {entry['who']}" if entry["who"] else ""
        return Text.assemble(
            f" · code {entry['code_version']} at {commit(entry['code_commit'])}{seeds} · ",
            (f"failed {', '.join(failed)}", "red") if failed else f"{len(entry['checks'])} checks passed",
            (f"\n{_moment(entry['created_at'])}{who}, run {entry['run_id'][:8]}{where}", "dim"),
        )


def _file(file: Mapping[str, Any], rows: Mapping[str, Any] | None) -> Text:
    """A raw file, the rows that carry the id, and what became of its other rows."""
    text = Text.assemble((file["location"], "green"), f" sha256 {file['sha256'][:_SHORT]}")
    if rows is None:
        return text
    listed = ", ".join(str(n) for n in rows["row_numbers"])
    more = rows["rows"] - len(rows["row_numbers"])
    text.append(f" · rows {listed}" + (f" and {more} more" if more else ""))
    of = rows["of_the_file"]
    if of:
        lost = ", ".join(f"{reason} {n:,}" for reason, n in of["quarantined"].items())
        told = (
            f"\nof {of['rows_in']:,} rows {of['rows_out']:,} were read, {of['deduplicated']:,} are duplicates"
        )
        told += f", {sum(of['quarantined'].values()):,} quarantined" + (f" ({lost})" if lost else "")
        told += f", {of['erased']:,} of erased users" if of.get("erased") else ""
        text.append(told + (f", {of['corrected']:,} corrected" if of.get("corrected") else ""), "dim")
    return text


def _moment(iso: str) -> str:
    return iso[:19].replace("T", " ")
