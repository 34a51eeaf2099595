"""`hier forget` erases, proves and tells where everything stands."""

import json
from unittest import mock

import pytest

from hier_dag.errors import StoreError
from hier_dag.publish.reader import open_set


def known(platform):
    batches = open_set(platform.home.root, "grocery").users(["user_id"])
    return [user for batch in batches for user in batch["user_id"].to_pylist()]


@pytest.fixture
def user(own):
    return known(own)[0]


def test_a_user_is_forgotten_and_the_receipt_proves_it(own, hier, user, tmp_path):
    code, out, err = hier("forget", user, "--why", "request of 3 May", "--out", tmp_path / "receipt.json")
    assert (code, err) == (0, "")
    assert "1 user(s) erased" in out
    assert "grocery: live is version 2 now" in out
    assert "Made anew at the next hier run: " in out
    proven = hier("forget", "--verify", tmp_path / "receipt.json", "--user", user)
    assert proven.code == 0
    assert "It is about that user." in proven.out
    assert hier("forget", "--verify", tmp_path / "receipt.json", "--user", "u9999999").code == 1
    text = (tmp_path / "receipt.json").read_text()
    assert user not in text
    (tmp_path / "receipt.json").write_text(text.replace('"users":1', '"users":2'))
    altered = hier("forget", "--verify", tmp_path / "receipt.json")
    assert (altered.code, "was altered" in altered.err) == (1, True)


def test_where_everything_stands_is_told(own, hier, user):
    assert "Nothing awaits re-training." in hier("forget", "--status").out
    receipt = json.loads(hier("forget", user, "--why", "w", "--json").out)["receipt"]
    told = json.loads(hier("forget", "--status", "--receipt", receipt["id"][:8], "--json").out)
    assert [(e["receipt"], e["finished"]) for e in told["erasures"]] == [(receipt["id"], True)]
    states = {a["kind"]: a["state"] for a in told["artifacts"] if a["partition"] in (None, "grocery")}
    assert states["publish/embeddings"] == "suppressed"
    assert states["kg/graph"] == "awaits re-training"
    code, out, _ = hier("forget", "--status", "--receipt", receipt["id"])
    assert (code, "awaits re-training" in out, "suppressed" in out) == (0, True, True)


def test_many_are_forgotten_by_a_file_in_one_version(own, hier, tmp_path):
    ids = known(own)[:3]
    (tmp_path / "ids.txt").write_text("\r\n".join([*ids, "", ids[0]]))
    told = json.loads(hier("forget", "--file", tmp_path / "ids.txt", "--why", "w", "--json").out)["receipt"]
    assert told["users"] == len(told["commitments"]) == 3
    assert {v["after"]["version"] for v in told["versions"]} == {2}
    assert set(known(own)).isdisjoint(ids)


def test_ids_that_stand_nowhere_are_named(own, hier, user, tmp_path):
    (tmp_path / "ids.txt").write_text(f"{user}\n {user}\n")
    out = hier("forget", "--file", tmp_path / "ids.txt", "--why", "w").out
    assert f"1 of these ids stand nowhere here: ' {user}'. Are they as the logs have them" in out
    assert json.loads(hier("forget", "nobody", "--why", "w", "--json").out)["nowhere"] == ["nobody"]


def test_an_erasure_that_ended_early_is_told_until_the_same_users_are_forgotten_again(own, hier, user):
    with mock.patch("hier_dag.erasure.forget.flip", side_effect=StoreError("no more")):
        assert hier("forget", user, "--why", "request of 3 May").code != 0
    (said,) = json.loads(hier("forget", "--status", "--json").out)["erasures"]
    table = hier("forget", "--status").out
    assert (said["finished"], "ended early" in table, "request of 3 May" in table) == (False, True, True)
    assert "ended early, and wrote none" in hier("forget", "--verify", said["receipt"]).err
    assert hier("forget", user, "--why", "again").code == 0
    states = [e["finished"] for e in json.loads(hier("forget", "--status", "--json").out)["erasures"]]
    assert states == [True, True]


def test_what_a_database_that_serves_sets_holds_is_told(own, hier, user, tmp_path, monkeypatch):
    lancedb = pytest.importorskip("lancedb", reason="needs the extra lance")
    place = tmp_path / "lance"
    sink = f"sinks: [{{type: lance, uri: {place}}}], space:"
    own.domains.write_text(own.domains.read_text().replace("publish: {space:", "publish: {" + sink))
    monkeypatch.setenv("HIER_DOMAINS", str(own.domains))
    assert hier("forget", "--finish").code == 0, "nobody was erased: nothing is delivered"
    lancedb.connect(str(place)).create_table("cafe_live_users__v1", [{"id": user}])
    told = hier("forget", user, "--why", "w", "--keep-old").out
    assert f"lance {place}: not reached: backups of the folder" in told
    receipt = told.split("Receipt ")[1].split(".")[0]
    refused = hier("forget", "--verify", receipt)
    assert (refused.code, "cafe_live_users__v1 holds 1 erased user(s)" in refused.err + refused.out) == (
        1,
        True,
    )
    (told,) = json.loads(hier("forget", "--status", "--json").out)["sinks"]
    assert (told["place"], told["holding"]) == (str(place), {"cafe_live_users__v1": 1})
    assert hier("forget", "--finish").code == 0
    code, out, _ = hier("forget", "--verify", receipt)
    assert (code, "nor in any table of the 1 sink(s)" in out) == (0, True)
    assert f"lance {place}: no erased user in its " in hier("forget", "--status").out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "say whom to forget"),
        (("u1", "--status"), "say whom to forget"),
        (("u1",), "--why says nothing"),
        (("u1", "--why", "u1 asked"), "the reason names a user"),
        (("--file", "nowhere.txt", "--why", "w"), "cannot be read"),
        (("--verify", "0123456789"), "no receipt begins with"),
        (("--verify", "no such"), "neither a file nor a receipt's id"),
    ],
)
def test_what_makes_no_sense_is_refused(platform, hier, arguments, words):
    code, _, err = hier("forget", *arguments)
    assert (code, words in err) == (2, True)
