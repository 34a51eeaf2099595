"""Checks a bundle of evidence about a published set. It needs Python's standard library alone.

    python verify.py                      the unpacked folder that this file lies in
    python verify.py BUNDLE.zip           or a folder
    python verify.py --store DIR          also every byte of the artifacts: DIR is the platform's `store`
    python verify.py --key key.pub        also who signed it (needs the library `cryptography`)

Whoever can change a file can change this one: take it from a place that you trust, or compare the digest it
prints with one that you were told otherwise, or check the signature.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BUNDLE, STATEMENT, ENVELOPE, EVENTS = "bundle.json", "statement.json", "statement.dsse.json", "events.jsonl"
MANIFESTS, ENVIRONMENTS, EVIDENCE, SET = "manifests/", "environments/", "evidence/", "set/"
ANCHOR = "anchor"
"""Role of the set that began a space: others were turned to it, not made of it; it need not be here."""
FORMAT = 1
PAYLOAD = "application/vnd.in-toto+json"
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


def read(place: Path) -> dict[str, bytes]:
    """Files of a bundle by name, from a zip archive or a folder.

    Raises:
        OSError, ValueError: when it cannot be read, or two files have one name.
    """
    if place.is_dir():
        found = sorted(p for p in place.rglob("*") if p.is_file() or p.is_symlink())
        return {p.relative_to(place).as_posix(): p.read_bytes() for p in found}
    with zipfile.ZipFile(place) as archive:
        names = archive.namelist()
        if len(set(names)) != len(names):
            raise ValueError("two files have one name")
        return {name: archive.read(name) for name in names}


def problems(files: Mapping[str, bytes]) -> Iterator[str]:
    """All that is wrong with a bundle, from what is in it alone."""
    for check in (_statement, _manifests, _copies, _environments, _events, _versions, _envelope):
        try:
            yield from check(files)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
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


def _versions(files: Mapping[str, bytes]) -> Iterator[str]:
    bundle = _bundle(files)
    events = (json.loads(line["entry"]) for line in _read_events(files))
    told = {e["body"]["version"]: e["body"]["digest"] for e in events if e["kind"] == "alias"}
    listed = {v["version"]: v["digest"] for v in bundle["versions"]}
    if told != listed or listed.get(bundle["version"]) != bundle["digest"]:
        yield f"{BUNDLE}: its versions are not those of the events"


def _envelope(files: Mapping[str, bytes]) -> Iterator[str]:
    if (_bundle(files)["signed_by"] is None) != (ENVELOPE not in files):
        yield f"{ENVELOPE}: {BUNDLE} says otherwise about a signature"
    if ENVELOPE in files:
        envelope = json.loads(files[ENVELOPE])
        if envelope["payloadType"] != PAYLOAD or base64.b64decode(envelope["payload"]) != files[STATEMENT]:
            yield f"{ENVELOPE}: it is not about {STATEMENT}"
        if [s["keyid"] for s in envelope["signatures"]] != [_bundle(files)["signed_by"]]:
            yield f"{ENVELOPE}: it is not signed by the key that {BUNDLE} names"


def forged(files: Mapping[str, bytes], key: bytes) -> Iterator[str]:
    """What is wrong with the signature, and with those of events that the same key signed.

    Args:
        files: of the bundle.
        key: the public key, PEM.

    Raises:
        ImportError: the library `cryptography` is not there.
        ValueError: this is no public key.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    public: Any = load_pem_public_key(key)
    if ENVELOPE not in files:
        yield f"{ENVELOPE}: the bundle is not signed"
        return
    (signature,) = json.loads(files[ENVELOPE])["signatures"]
    signed = [(ENVELOPE, base64.b64decode(signature["sig"]), signed_bytes(files[STATEMENT]))]
    for line in _read_events(files):
        if line["signature"] and json.loads(line["entry"])["key"] == signature["keyid"]:
            where = f"{EVENTS}, event {line['seq']}"
            signed.append((where, bytes.fromhex(line["signature"]), line["hash"].encode("ascii")))
    for where, of, what in signed:
        try:
            public.verify(of, what)
        except InvalidSignature:
            yield f"{where}: the signature is not of this key"


def damaged(files: Mapping[str, bytes], store: Path) -> Iterator[str]:
    """What is wrong with the artifacts in a store: every byte of every file is read."""
    for digest, manifest in sorted(_all_manifests(files).items()):
        folder = store / "artifacts" / manifest["kind"] / digest
        if not folder.is_dir():
            yield f"{folder}: the artifact is not there"
            continue
        for entry in manifest["files"]:
            path, found = folder / entry["path"], hashlib.sha256()
            if not path.is_file():
                yield f"{path}: it is missing"
                continue
            with path.open("rb") as file:
                while chunk := file.read(1 << 20):
                    found.update(chunk)
            if found.hexdigest() != entry["sha256"]:
                yield f"{path}: it does not match its digest"


def main(arguments: list[str] | None = None) -> int:
    """Prints what is wrong. Exit codes: 0 nothing, 1 something, 2 it could not be looked at."""
    parser = argparse.ArgumentParser(description="Check a bundle of evidence.")
    parser.add_argument("bundle", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--store", type=Path, help="the platform's folder `store`: check its artifacts too")
    parser.add_argument("--key", type=Path, help="PEM file of the public key: check the signature too")
    given = parser.parse_args(arguments)
    try:
        files = read(given.bundle)
        wrong = list(problems(files))
        wrong += damaged(files, given.store) if given.store and not wrong else []
        wrong += forged(files, given.key.read_bytes()) if given.key and not wrong else []
    except (OSError, ValueError, LookupError, zipfile.BadZipFile, ImportError) as error:
        print(f"cannot be checked: {error}", file=sys.stderr)
        return 2
    for problem in wrong:
        print(f"WRONG  {problem}")
    if not wrong:
        root = json.loads(files[STATEMENT])["subject"][0]
        print(f"OK     {root['name']}: {len(files)} files, {root['digest']['sha256']}")
        if ENVELOPE in files and not given.key:
            print("NOTE   the signature was not checked; give --key")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
