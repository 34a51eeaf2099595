"""Checks a bundle of evidence about a published set. It needs Python's standard library alone.

    python verify.py                      the unpacked folder that this file lies in
    python verify.py BUNDLE.zip           or a folder
    python verify.py --store DIR          also every byte of the artifacts: DIR is the platform's `store`
    python verify.py --key key.pub        also who signed it (needs the library `cryptography`)

Exit codes: 0 nothing is wrong, 1 the bundle or an artifact is damaged or contradicts itself, 2 wrong use: a
place that cannot be read, a key that is none.

What is looked at: the statement covers every file and no other; manifests match their digests and name their
parents; copies are what manifests name, and none lacks; events match their hashes, and each manifest has one;
bundle.json says of artifacts, checks, versions, approvals, reproductions, runs and raw files what events and
manifests say.

What is NOT proven without a key, or without the digest that this prints from a place that you trust: who
wrote the bundle. Whoever can make up every file can make up this one too, and events, whose hashes need no
secret.
With a key it is proven that its holder wrote it, not that the holder told the truth. Never proven here: that
no event was left out (those of other domains lie between; `hier audit verify` reads the whole log); facts of
checks (the log has salted digests of them); figures, which are report.parquet's, unread here; erasures,
changes since the version before, contacts and terms of use; and pages and cards beyond their digests. Of
artifacts that were not in the store when the bundle was written there is no copy of evidence.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import stat
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

BUNDLE, STATEMENT, ENVELOPE, EVENTS = "bundle.json", "statement.json", "statement.dsse.json", "events.jsonl"
MANIFESTS, ENVIRONMENTS, EVIDENCE, SET = "manifests/", "environments/", "evidence/", "set/"
ANCHOR = "anchor"
"""Role of the set that began a space: others were turned to it, not made of it; it need not be here."""
FORMAT = 1
PAYLOAD = "application/vnd.in-toto+json"
COPIED = ("ledger.json", "leakage.json", "set.json", "method.json", "report.parquet", "card.html")
"""Files of artifacts that are evidence and hold no row of a log and no id of a user."""
APPROVALS, CERTIFICATE = ("waiver", "approval", "pin", "unpin"), "certificate"
LEAKAGE = "leakage.json"
COUNTS = ("edges", "held_out_pairs", "in_both", "cut", "in_held_out", "not_edges", "held_out_sha256")
_RAW = ("raw/events", "raw/links")
_UNREADABLE = (
    ValueError, LookupError, TypeError, AttributeError, RecursionError, RuntimeError, EOFError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://model_signing/signature/v1.0"


def canonical(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces: what digests are of."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def statement(subject: str, digests: Mapping[str, str]) -> bytes:
    """An in-toto statement of model signing over files; its subject's digest is over theirs, by name.

    Args:
        subject: what the files are of.
        digests: SHA-256 by name.
    """
    names = sorted(digests)
    root = sha256(b"".join(bytes.fromhex(digests[name]) for name in names))
    resources = [{"name": n, "algorithm": "sha256", "digest": digests[n]} for n in names]
    how = {"method": "files", "hash_type": "sha256", "allow_symlinks": False}
    predicate = {"serialization": {**how, "ignore_paths": [STATEMENT, ENVELOPE]}, "resources": resources}
    about = [{"name": subject, "digest": {"sha256": root}}]
    return canonical(
        {"_type": _STATEMENT, "subject": about, "predicateType": _PREDICATE, "predicate": predicate}
    )


def covered(files: Mapping[str, bytes], published: Mapping[str, Any]) -> dict[str, str]:
    """What a statement has to cover: every file of the bundle but itself, and those of the published set."""
    own = {name: sha256(data) for name, data in files.items() if name not in (STATEMENT, ENVELOPE)}
    return {**{SET + f["path"]: f["sha256"] for f in published["files"]}, **own}


def subject(bundle: Mapping[str, Any]) -> str:
    """What a bundle is about."""
    return f"{bundle['platform']}/{bundle['domain']}/{bundle['version']}"


def signed_bytes(payload: bytes) -> bytes:
    """What a signature in an envelope is of: DSSE's encoding of type and payload."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)


class Damaged(ValueError):
    """A bundle that is there and cannot be read as one."""


def read(place: Path) -> dict[str, bytes]:
    """Files of a bundle by name, from a zip archive or a folder.

    Raises:
        OSError: it is not there, or the system does not let it be read.
        Damaged: it is no archive or a torn one, a file is a link, or two files have one name.
    """
    if place.is_dir():
        found = sorted(p for p in place.rglob("*") if p.is_symlink() or not p.is_dir())
        _refuse_links(p.relative_to(place).as_posix() for p in found if not _plain(p))
        return {p.relative_to(place).as_posix(): p.read_bytes() for p in found}
    try:
        with zipfile.ZipFile(place) as archive:
            entries = archive.infolist()
            _refuse_links(e.filename for e in entries if stat.S_ISLNK(e.external_attr >> 16))
            if len({e.filename for e in entries}) != len(entries):
                raise Damaged("two files have one name")
            return {e.filename: archive.read(e) for e in entries}
    except Damaged:
        raise
    except _UNREADABLE as error:
        raise Damaged(f"it is no whole zip archive: {error}") from error


def _refuse_links(names: Iterator[str]) -> None:
    for name in names:
        raise Damaged(f"{name}: it is a link, or no plain file")


def _plain(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def problems(files: Mapping[str, bytes]) -> Iterator[str]:
    """All that is wrong with a bundle, from what is in it alone."""
    for check in (
        _statement, _manifests, _copies, _environments, _events, _artifacts, _told, _envelope,
    ):  # fmt: skip
        try:
            yield from check(files)
        except _UNREADABLE as error:
            yield f"{check.__name__[1:]}: what is there cannot be read: {error!r}"


def _bundle(files: Mapping[str, bytes]) -> dict[str, Any]:
    bundle: dict[str, Any] = json.loads(files[BUNDLE])
    if bundle["format"] != FORMAT:
        raise ValueError(f"format {bundle['format']} is not known to this verifier")
    return bundle


def _all_manifests(files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    named = {n[len(MANIFESTS) : -len(".json")]: d for n, d in files.items() if n.startswith(MANIFESTS)}
    return {digest: json.loads(data) for digest, data in named.items()}


def _statement(files: Mapping[str, bytes]) -> Iterator[str]:
    bundle = _bundle(files)
    yield from (f"{name}: it does not belong into a bundle" for name in files if name.startswith(SET))
    there = covered(files, _all_manifests(files)[bundle["digest"]])
    stated = {r["name"]: r["digest"] for r in json.loads(files[STATEMENT])["predicate"]["resources"]}
    for name in sorted({*there, *stated}):
        if name not in stated:
            yield f"{name}: the statement does not cover it"
        elif name not in there:
            yield f"{name}: it is missing"
        elif there[name] != stated[name]:
            yield f"{name}: it has changed"
    if files[STATEMENT] != statement(subject(bundle), there):
        yield f"{STATEMENT}: it is not the statement over these files"


def _manifests(files: Mapping[str, bytes]) -> Iterator[str]:
    manifests = _all_manifests(files)
    for digest, manifest in manifests.items():
        if digest != sha256(files[f"{MANIFESTS}{digest}.json"]) or digest != sha256(canonical(manifest)):
            yield f"{MANIFESTS}{digest}.json: it does not match its digest"
    queue, reached = [_bundle(files)["digest"]], set()
    while queue:
        digest = queue.pop()
        if digest in reached:
            continue
        reached.add(digest)
        if digest not in manifests:
            yield f"{MANIFESTS}{digest}.json: it is missing, and another one names it as a parent"
        else:
            queue += [d for role, d in manifests[digest]["parents"].items() if role != ANCHOR]
    yield from (f"{MANIFESTS}{d}.json: nothing was made from it" for d in manifests if d not in reached)


def _copies(files: Mapping[str, bytes]) -> Iterator[str]:
    manifests = _all_manifests(files)
    for name in (n for n in files if n.startswith(EVIDENCE)):
        digest, _, path = name[len(EVIDENCE) :].partition("/")
        known = {f["path"]: f["sha256"] for f in manifests[digest]["files"]}
        if known.get(path) != sha256(files[name]):
            yield f"{name}: it is not the file that the artifact's manifest names"
    for one in _bundle(files)["artifacts"]:
        named = {f["path"] for f in manifests[one["digest"]]["files"]}
        for path in COPIED:
            name = f"{EVIDENCE}{one['digest']}/{path}"
            if (name in files) != (one["in_store"] is True and path in named):
                yield f"{name}: {BUNDLE} and the artifact's manifest say otherwise about it"


def _environments(files: Mapping[str, bytes]) -> Iterator[str]:
    for name in (n for n in files if n.startswith(ENVIRONMENTS)):
        if name != f"{ENVIRONMENTS}{sha256(files[name])}.json":
            yield f"{name}: it does not match its digest"
    made = {manifest["environment"] for manifest in _all_manifests(files).values()}
    listed = _bundle(files)["environments"]
    if set(listed) != made:
        yield f"{BUNDLE}: its environments are not those that made the artifacts"
    for digest, known in listed.items():
        if known != (f"{ENVIRONMENTS}{digest}.json" in files):
            yield f"{ENVIRONMENTS}{digest}.json: {BUNDLE} says otherwise about it"
    recorded = {event["body"]["digest"] for event in _happened(files, "environment")}
    for digest in sorted({d for d, known in listed.items() if known} - recorded):
        yield f"{EVENTS}: no event records environment {digest}"


def _read_events(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files[EVENTS].decode().splitlines()]


def _events(files: Mapping[str, bytes]) -> Iterator[str]:
    before: dict[str, Any] = {"seq": 0, "hash": "0" * 64}
    for line in _read_events(files):
        event, where = json.loads(line["entry"]), f"{EVENTS}, event {line['seq']}"
        if sha256(line["entry"].encode("ascii")) != line["hash"] or event["seq"] != line["seq"]:
            yield f"{where}: it does not match its hash"
        if line["seq"] <= before["seq"]:
            yield f"{where}: it is out of order"
        elif line["seq"] == before["seq"] + 1 and event["prev"] != before["hash"]:
            yield f"{where}: it does not follow the event before"
        if event["kind"] == "artifact":
            name = f"{MANIFESTS}{event['body']['digest']}.json"
            if files.get(name) != canonical(event["body"]["manifest"]):
                yield f"{where}: it is not about the manifest in {name}"
        before = line


def _happened(files: Mapping[str, bytes], kind: str) -> list[dict[str, Any]]:
    """Events of a kind, oldest first."""
    found: list[dict[str, Any]] = [json.loads(line["entry"]) for line in _read_events(files)]
    return [event for event in found if event["kind"] == kind]


def _time(told: str) -> str:
    # Not datetime.UTC: older Pythons than the project's may check a bundle.
    return datetime.fromisoformat(told).astimezone(timezone.utc).isoformat()  # noqa: UP017


def _artifacts(files: Mapping[str, bytes]) -> Iterator[str]:
    """Each manifest has one event, and bundle.json says of it what both say."""
    manifests, listed = _all_manifests(files), _bundle(files)["artifacts"]
    if sorted(one["digest"] for one in listed) != sorted(manifests):
        yield f"{BUNDLE}: its artifacts are not those of the manifests"
    events: dict[str, list[dict[str, Any]]] = {}
    for event in _happened(files, "artifact"):
        events.setdefault(event["body"]["digest"], []).append(event)
    for one in listed:
        digest = one["digest"]
        if len(events.get(digest, ())) != 1:
            yield f"{EVENTS}: {len(events.get(digest, ()))} events record artifact {digest}, not one"
            continue
        (event,), manifest = events[digest], manifests[digest]
        known = {
            **{k: manifest[k] for k in ("kind", "partition", "code_version", "environment")},
            **{k: manifest[k] for k in ("parents", "params", "seeds", "summary")},
            **{k: event["body"][k] for k in ("code_commit", "seconds")},
            **{k: event[k] for k in ("run_id", "who")},
            "event": event["seq"],
            "created_at": _time(event["at"]),
            "bytes": sum(f["bytes"] for f in manifest["files"]),
        }
        for name in (name for name, value in known.items() if one.get(name) != value):
            yield f"{BUNDLE}: {name} of artifact {digest} is not what its event and manifest say"


def _told(files: Mapping[str, bytes]) -> Iterator[str]:
    """What bundle.json says that follows from events, manifests and copies."""
    bundle, lines = _bundle(files), _read_events(files)
    last = {"seq": lines[-1]["seq"], "hash": lines[-1]["hash"]}
    own, versions = _known_versions(files, bundle)
    decided = [e for e in reversed(_happened(files, "decision")) if e["platform"] == bundle["platform"]]
    made = [one["digest"] for one in bundle["artifacts"]]
    approved = [e for e in decided if e["body"]["domain"] == bundle["domain"]]
    again = [e for e in decided if e["body"]["kind"] == CERTIFICATE and e["body"]["subject"] in made]
    reproduced = bundle["reproductions"]
    known = {
        "versions": versions,
        "approvals": [_decision(e) for e in approved if e["body"]["kind"] in APPROVALS],
        "reproductions": [
            {**_decision(e), "facts": f["facts"]} for e, f in zip(again, reproduced, strict=False)
        ],
        "runs": [{"run_id": e["run_id"], **e["body"]} for e in _happened(files, "run")],
        "events": {"count": len(lines), "last": last},
        "leakage": _known_leakage(files, bundle),
        "set": _known_set(files, bundle),
    }
    for name in (name for name, value in known.items() if bundle[name] != value):
        yield f"{BUNDLE}: its {name} are not those of the events, manifests and copies"
    if not own:
        yield f"{BUNDLE}: no event makes version {bundle['version']} of it live"
    for event, said in zip(again, reproduced, strict=False):
        if not _follows(said["facts"], event["body"]["facts"]):
            yield f"{BUNDLE}: figures of a reproduction are not those of event {event['seq']}"
    if len(again) != len(reproduced):
        yield f"{BUNDLE}: {len(reproduced)} reproductions are told, {len(again)} are among the events"
    yield from _checks(files, bundle)
    inputs = Counter(
        (digest, read["location"], read["sha256"])
        for digest, manifest in _all_manifests(files).items()
        if manifest["kind"] in _RAW
        for read in manifest["inputs"]
    )
    if Counter((f["artifact"], f["location"], f["sha256"]) for f in bundle["data"]) != inputs:
        yield f"{BUNDLE}: its raw files are not those that manifests name"


def _checks(files: Mapping[str, bytes], bundle: Mapping[str, Any]) -> Iterator[str]:
    """Every check that is told is among the events, and every one of these is told, passed or not."""
    known = Counter(
        (body["artifact"], body["kind"], body["partition"], check["name"], check["passed"])
        for body in (event["body"] for event in _happened(files, "checks"))
        for check in body["checks"]
    )
    told = Counter(
        (c["artifact"], c["kind"], c["partition"], c["name"], c["passed"]) for c in bundle["checks"]
    )
    for artifact, kind, _, name, passed in sorted((told - known) + (known - told), key=str):
        where = "not among the events" if told[artifact, kind, _, name, passed] else "not told"
        yield f"{BUNDLE}: check {name} of {kind} {artifact} ({'passed' if passed else 'failed'}) is {where}"


def _known_versions(
    files: Mapping[str, bytes], bundle: Mapping[str, Any]
) -> tuple[bool, list[dict[str, Any]]]:
    """Whether the version that the bundle is about is among the domain's; and these, newest first."""
    about = (bundle["platform"], bundle["domain"], "live")
    moves = [
        e
        for e in reversed(_happened(files, "alias"))
        if (e["platform"], e["body"]["domain"], e["body"]["alias"]) == about
    ]
    until = [None, *(_time(e["at"]) for e in moves)]
    same = ("version", "digest", "action", "change", "space", "why")
    versions = [
        {**{k: e["body"][k] for k in same}, "who": e["who"], "from": _time(e["at"]), "until": end}
        for e, end in zip(moves, until, strict=False)
    ]
    own = {"version": bundle["version"], "digest": bundle["digest"]}
    return any(own.items() <= version.items() for version in versions), versions


def _decision(event: Mapping[str, Any]) -> dict[str, Any]:
    body = event["body"]
    until = None if body["until"] is None else _time(body["until"])
    about = {k: body[k] for k in ("kind", "subject", "why")}
    return {**about, "who": event["who"], "at": _time(event["at"]), "until": until}


def _follows(said: Any, known: Any) -> bool:
    """Whether figures are taken from facts: a list is told by its length."""
    if isinstance(said, dict):
        return isinstance(known, dict) and all(k in known and _follows(v, known[k]) for k, v in said.items())
    return bool(said == (len(known) if isinstance(known, list) else known))


def _copy(files: Mapping[str, bytes], digest: str, name: str) -> Any:
    data = files.get(f"{EVIDENCE}{digest}/{name}")
    return None if data is None else json.loads(data)


def _known_leakage(files: Mapping[str, bytes], bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in bundle["artifacts"]:
        if told := _copy(files, one["digest"], LEAKAGE):
            about = {"artifact": one["digest"], "kind": one["kind"], "partition": one["partition"]}
            found.append({**about, **{k: told[k] for k in COUNTS if k in told}})
    return found


def _known_set(files: Mapping[str, bytes], bundle: Mapping[str, Any]) -> Any:
    told = _copy(files, bundle["digest"], "set.json")
    return _all_manifests(files)[bundle["digest"]]["summary"] if told is None else told


def _envelope(files: Mapping[str, bytes]) -> Iterator[str]:
    if (_bundle(files)["signed_by"] is None) != (ENVELOPE not in files):
        yield f"{ENVELOPE}: {BUNDLE} says otherwise about a signature"
    if ENVELOPE in files:
        envelope = json.loads(files[ENVELOPE])
        if envelope["payloadType"] != PAYLOAD or base64.b64decode(envelope["payload"]) != files[STATEMENT]:
            yield f"{ENVELOPE}: it is not about {STATEMENT}"
        if [s["keyid"] for s in envelope["signatures"]] != [_bundle(files)["signed_by"]]:
            yield f"{ENVELOPE}: it is not signed by the key that {BUNDLE} names"


def public_key(pem: bytes) -> Any:
    """An Ed25519 public key.

    Raises:
        ImportError: the library `cryptography` is not there.
        ValueError: this is no such key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("the file of --key holds no public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("the file of --key holds another kind of key than Ed25519")
    return key


def forged(files: Mapping[str, bytes], key: bytes) -> Iterator[str]:
    """What is wrong with the signature, and with those of events that the same key signed.

    Args:
        files: of the bundle.
        key: the public key, PEM.

    Raises:
        ImportError: the library `cryptography` is not there.
        ValueError: this is no public key of Ed25519.
    """
    public = public_key(key)
    if ENVELOPE not in files:
        yield f"{ENVELOPE}: the bundle is not signed"
        return
    try:
        signed = [*_signed(files)]
    except _UNREADABLE as error:
        yield f"{ENVELOPE}, {EVENTS}: a signature cannot be read: {error!r}"
        return
    from cryptography.exceptions import InvalidSignature

    for where, of, what in signed:
        try:
            public.verify(of, what)
        except (InvalidSignature, ValueError):
            yield f"{where}: the signature is not of this key"


def _signed(files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes, bytes]]:
    """Where each signature is of the one that signed the bundle, the signature, and what it is of."""
    (signature,) = json.loads(files[ENVELOPE])["signatures"]
    yield ENVELOPE, base64.b64decode(signature["sig"]), signed_bytes(files[STATEMENT])
    for line in _read_events(files):
        if line["signature"] and json.loads(line["entry"])["key"] == signature["keyid"]:
            yield (
                f"{EVENTS}, event {line['seq']}",
                bytes.fromhex(line["signature"]),
                line["hash"].encode("ascii"),
            )


def damaged(files: Mapping[str, bytes], store: Path) -> Iterator[str]:
    """What is wrong with the artifacts in a store: every byte of every file is read.

    What was gone already when the bundle was written (collected, or removed by an erasure) may be absent.

    Args:
        files: of the bundle.
        store: the platform's folder `store`; it may be a link, what is inside may not.
    """
    gone = {one["digest"] for one in _bundle(files)["artifacts"] if one["in_store"] is False}
    for digest, manifest in sorted(_all_manifests(files).items()):
        steps = ["artifacts", *manifest["kind"].split("/"), digest]
        folder = store.joinpath(*steps)
        linked = [p for p in (store.joinpath(*steps[: n + 1]) for n in range(len(steps))) if p.is_symlink()]
        if linked:
            yield f"{linked[0]}: it is a link"
        elif not folder.is_dir():
            if digest not in gone:
                yield f"{folder}: the artifact is not there"
        else:
            expected = {"manifest.json": digest, **{f["path"]: f["sha256"] for f in manifest["files"]}}
            yield from _unlike(folder, expected)


def _unlike(folder: Path, expected: Mapping[str, str]) -> Iterator[str]:
    """How an artifact's folder differs from what belongs there, SHA-256 by name."""
    found: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=_raise):
        here = Path(place)
        for path in sorted(here / name for name in (*folders, *names)):
            name = path.relative_to(folder).as_posix()
            if path.is_symlink():
                yield f"{path}: it is a link"
            elif path.is_dir():
                continue  # what is in it is looked at; an empty one holds nothing
            elif name not in expected:
                yield f"{path}: it does not belong to the artifact"
            elif not _plain(path):
                yield f"{path}: it is no plain file"
            elif _digest(path) != expected[name]:
                yield f"{path}: it does not match its digest"
            found.add(name)
    yield from (f"{folder / name}: it is missing" for name in sorted(expected.keys() - found))


def _raise(error: OSError) -> None:
    raise error


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            found.update(chunk)
    return found.hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Prints what is wrong. Exit codes: 0 nothing, 1 something, 2 it could not be looked at."""
    parser = argparse.ArgumentParser(description="Check a bundle of evidence.")
    parser.add_argument("bundle", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--store", type=Path, help="the platform's folder `store`: check its artifacts too")
    parser.add_argument("--key", type=Path, help="PEM file of the public key: check the signature too")
    given = parser.parse_args(arguments)
    try:
        key = given.key.read_bytes() if given.key else None
        if key is not None:
            public_key(key)
        if given.store and not given.store.is_dir():
            raise ValueError(f"{given.store} is no folder")
        wrong, files = _looked_at(given.bundle, given.store, key)
    except (OSError, ValueError, ImportError) as error:
        print(f"cannot be checked: {error}", file=sys.stderr)
        return 2
    for problem in wrong:
        print(f"WRONG  {problem}")
    if not wrong:
        root = json.loads(files[STATEMENT])["subject"][0]
        print(f"OK     {root['name']}: {len(files)} files, {root['digest']['sha256']}")
        for note in _notes(files, key is not None):
            print(f"NOTE   {note}")
    return 1 if wrong else 0


def _looked_at(
    place: Path, store: Path | None, key: bytes | None
) -> tuple[Sequence[str], Mapping[str, bytes]]:
    try:
        files = read(place)
    except Damaged as error:
        return [f"{place}: {error}"], {}
    wrong = list(problems(files))
    wrong += damaged(files, store) if store and not wrong else []
    wrong += forged(files, key) if key is not None and not wrong else []
    return wrong, files


def _notes(files: Mapping[str, bytes], checked: bool) -> Iterator[str]:
    """What an answer that nothing is wrong leaves open."""
    if not checked:
        if ENVELOPE in files:
            yield "the signature was not checked; give --key"
        yield (
            "not proven without a key: who wrote this; its parts agree, which whoever makes up all of "
            "them can bring about. Compare the digest above with one from a place that you trust"
        )
    yield (
        "not proven in any case: that no event was left out, facts of checks, figures, erasures, terms of "
        "use (hier audit verify looks at the whole log)"
    )
    absent = sum(not one["in_store"] for one in _bundle(files)["artifacts"])
    if absent:
        yield f"{absent} artifacts were not in the store: no copy of their evidence is here"


if __name__ == "__main__":
    sys.exit(main())
