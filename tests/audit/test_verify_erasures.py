"""`hier audit verify` where users were erased: the secret and every receipt on record must be there."""

import pytest

from hier_dag.audit.verify_erasures import check_erasures
from hier_dag.audit.verify_verdict import ERASURE, Verdict
from hier_dag.erasure.erased import ERASURE as ERASED
from hier_dag.erasure.erased import RECEIPT
from hier_dag.erasure.receipt import Receipt, receipt_file, write_receipt
from hier_dag.erasure.secret import FILE, make_secret
from hier_dag.registry import Registry
from tests.databases import registry_url

ID = "ab" * 16


@pytest.fixture
def place(tmp_path):
    """A platform on which one user was erased: its registry and its folder."""
    registry, secret = (
        Registry(registry_url(tmp_path / "registry.db"), platform="town"),
        make_secret(tmp_path),
    )
    facts = {"secret": secret.fingerprint, "tokens": [secret.token("ann")]}
    registry.decide("", ERASED, ID, why="asked", facts=facts)
    receipt = Receipt(
        id=ID, platform="town", at="2026-01-01T00:00:00+00:00", who="op", why="asked", users=1,
        commitments=[], artifacts=[], versions=[], replaced={}, removed=[], told=[], redacted=0,
        elsewhere=[], chain={},
    )  # fmt: skip
    write_receipt(receipt, receipt_file(tmp_path, ID))
    registry.decide("", RECEIPT, ID, why="asked", facts={"sha256": receipt.digest})
    return registry, tmp_path


def verified(place):
    registry, home = place
    found = Verdict("town")
    check_erasures(registry, home, found)
    assert found.erasures == 1
    return found.problems


def test_an_erasure_with_its_secret_and_its_receipt_is_sound(place):
    assert verified(place) == []


def test_a_secret_that_is_gone_is_told_since_nothing_can_be_built_then(place):
    (place[1] / FILE).unlink()
    (problem,) = verified(place)
    assert (problem.what, problem.where, problem.file) == (ERASURE, FILE, str(place[1] / FILE))
    assert "is gone" in problem.found
    assert "nothing is built without it" in problem.fix


def test_another_secret_is_told(place):
    (place[1] / FILE).unlink()
    make_secret(place[1])
    (problem,) = verified(place)
    assert "is another one" in problem.found


def test_a_receipt_that_the_registry_knows_nothing_of_is_told_by_its_file(place):
    other = receipt_file(place[1], "f" * 32)
    other.write_bytes(receipt_file(place[1], ID).read_bytes())
    (problem,) = verified(place)
    assert (problem.what, problem.where, problem.file) == (ERASURE, other.name, str(other))
    assert "the registry knows nothing of them" in problem.found


def test_receipts_that_are_gone_or_altered_are_told(place):
    file = receipt_file(place[1], ID)
    text = file.read_text()
    file.write_text(text.replace('"users":1', '"users":2'))
    (problem,) = verified(place)
    assert (problem.what, problem.file) == (ERASURE, str(file))
    assert "altered" in problem.found
    file.unlink()
    (problem,) = verified(place)
    assert (problem.where, problem.found) == (f"receipt {ID[:12]}", "nothing: it is gone")
