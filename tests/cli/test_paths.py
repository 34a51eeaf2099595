"""`hier paths`: the platform's decision paths, and what carries one published score."""

import json

import numpy as np
import pytest

from hier_dag.publish.reader import open_set

PNG = b"\x89PNG\r\n\x1a\n"


def published(platform, domain):
    return open_set(platform.home.root, domain)


def test_the_overview_names_intents_and_their_exemplars(platform, hier, tmp_path):
    code, out, _ = hier("paths", "--domains", platform.domains, "--out", tmp_path / "new")
    assert code == 0
    told = json.loads(hier("paths", "--domains", platform.domains, "--json").out)
    assert told["platform"] == "sample"
    assert told["domains"] == [*platform.config.source_names, *platform.config.target_names]
    assert len(told["intents"]) == 4
    assert [i["strength"] for i in told["intents"]] == sorted(
        (i["strength"] for i in told["intents"]), reverse=True
    )
    for intent in told["intents"]:
        assert intent["name"].split(" · ")[0] in out
        assert sum(p["score"] for p in intent["paths"]) <= 1 + 1e-5
        assert set(intent["domains"]) == set(told["domains"])
    assert sum(f["strength"] for f in told["families"]) == pytest.approx(1, abs=1e-4)
    for name in ("paths.png", "intents_by_domain.png"):
        assert (tmp_path / "new" / name).read_bytes().startswith(PNG)
        assert name in out


def test_a_score_is_the_sum_of_what_is_shown(platform, hier, tmp_path):
    live = published(platform, "grocery")
    user = live.some_users(1, "trained")[0]
    best = live.recommend(user, 3)
    told = json.loads(hier("paths", "grocery", user, best[2].item_id, "--json").out)
    assert (told["user"], told["item"], told["item_name"]) == (user, best[2].item_id, best[2].name)
    assert told["version"] == open_set(platform.home.root, "grocery").version
    assert told["score"] == pytest.approx(best[2].score, abs=1e-4)
    assert sum(told["terms"].values()) == pytest.approx(told["score"], abs=2e-3)
    assert sum(p["value"] for p in told["paths"]) == pytest.approx(told["terms"]["paths"], abs=1e-3)
    assert all(p["intent_name"] and p["exemplar_name"] for p in told["paths"])
    code, out, _ = hier("paths", "grocery", user, best[2].item_id, "-n", 3, "--out", tmp_path)
    assert code == 0
    assert f"{told['terms']['popularity']:+.3f}" in out
    assert f"{told['paths'][0]['value']:+.3f}" in out
    assert f"{len(told['paths']) - 3} other paths" in out
    assert (tmp_path / "grocery.png").read_bytes().startswith(PNG)


def test_without_an_item_it_is_the_best_recommendation(platform, hier):
    live = published(platform, "recipes")
    user = live.some_users(1, "trained")[0]
    told = json.loads(hier("paths", "recipes", user, "--json").out)
    assert told["item"] == live.recommend(user, 1)[0].item_id


def test_a_target_without_interactions_is_zero_shot(platform, hier):
    live = published(platform, "meal_kits")
    user = live.some_users(1, "trained")[0]
    told = json.loads(hier("paths", "meal_kits", user, "--json").out)
    assert told["shots"] == "0"
    assert told["paths"] == []
    assert told["terms"] == {"zero_shot": told["score"]}
    assert "no interaction of this domain is known" in hier("paths", "meal_kits", user).out


def test_what_is_not_there_is_told_with_a_fix(platform, hier):
    user = published(platform, "grocery").some_users(1)[0]
    code, _, err = hier("paths", "grocery")
    assert code == 2
    assert "name a user" in err
    code, _, err = hier("paths", "grocery", "nobody")
    assert code == 2
    assert "known ids look like" in err
    code, _, err = hier("paths", "grocery", user, "no_such_item")
    assert code == 2
    assert "'no_such_item' is not in the published set" in err


def test_before_the_first_run_there_is_nothing(fresh, hier):
    code, _, err = hier("paths", "--domains", fresh.domains)
    assert code == 2
    assert "there is nothing of the platform" in err


def test_a_formulation_without_interactions_says_so(own, hier):
    text = own.domains.read_text(encoding="utf-8").replace("pretrain: {", "pretrain: {model: recommended, ")
    own.domains.write_text(text, encoding="utf-8")
    own.run()
    code, _, err = hier("paths", "--domains", own.domains)
    assert code == 2
    assert "stages.pretrain.model: dual" in err
    shown = own.latest("pretrain/encoder")
    assert not np.any([name.startswith("interaction_") for name in shown.manifest.tables])
