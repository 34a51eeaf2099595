"""Data Docs are a site of plain files: every page, style and link lies in the folder, none outside it."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from schemas.expectations.docs import KEPT, write_docs
from schemas.expectations.verdict import LastVersion, judge_profile
from tests.schemas.test_expectations import BASE, FAILING, LAST, config

CHROMIUM = shutil.which("chromium")


class Links(HTMLParser):
    """What a page refers to, and every script in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.scripts, self.ids = [], 0, set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        named = dict(attrs)
        self.ids.add(named.get("id"))
        self.links += [v for k, v in attrs if k in ("href", "src", "action", "srcset", "poster", "data")]
        if named.get("http-equiv") == "refresh":
            self.links.append(named["content"].split("url=")[1])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site after two domains were judged, one of them twice."""
    folder = tmp_path_factory.mktemp("home") / "platform" / "data_docs"
    for domain, profile, word in (
        ("shop", BASE, "accepted"), ("other", BASE, "accepted"), ("shop", FAILING["volume_ratio"], "blocked")
    ):  # fmt: skip
        verdict = judge_profile(config(), domain, profile, LastVersion(LAST, BASE))
        write_docs(folder, domain, verdict.result, verdict=word, against=LAST[:12])
    return folder


def pages(site):
    found = sorted(site.rglob("*.html"))
    assert found
    return found


def newest(site, domain):
    """The page that a domain's own leads to."""
    (link,) = set(Links((site / f"{domain}.html").read_text()).links)
    return site / unquote(link)


def test_no_page_refers_to_anything_outside_its_folder(site):
    for page in pages(site):
        text = page.read_text()
        assert not re.search(r"https?:|//[a-z]|cdn|@import", text, re.IGNORECASE), page
        found = Links(text)
        assert found.scripts == 0
        assert found.links
        for link in found.links:
            parts = urlsplit(link)
            assert not parts.scheme
            assert not parts.netloc
            if parts.path:
                assert (page.parent / unquote(parts.path)).resolve().is_relative_to(site.resolve())
                assert (page.parent / unquote(parts.path)).is_file(), f"{page}: {link}"
            else:
                assert parts.fragment in found.ids
    for style in site.rglob("*.css"):
        fetched = re.findall(r"url\(\s*[\"']?([^\"')]{0,40})", style.read_text())
        assert all(f.startswith("data:") for f in fetched), style
        assert "@import" not in style.read_text()


def test_the_licence_lies_beside_the_styles(site):
    styles = (site / "static" / "bootstrap.min.css").read_text()
    assert "Licensed under MIT" in styles
    assert "sourceMappingURL" not in styles
    assert "The Bootstrap Authors" in (site / "static" / "LICENSE").read_text()


def test_the_page_of_a_domain_shows_what_failed_and_what_was_observed(site):
    text = newest(site, "shop").read_text()
    assert "blocked" in text
    (row,) = [r for r in text.split("<tr>") if "volume_ratio" in r]
    assert "as a multiple of the last accepted version's, at least 0.5 (blocks)" in row
    assert "fa-times" in row
    assert "0.4" in row
    assert sum("fa-times" in r for r in text.split("<tr>")[1:]) == 1
    assert "fa-times" not in newest(site, "other").read_text()


def test_the_index_leads_to_every_judgement(site):
    index = (site / "index.html").read_text()
    there = {p.relative_to(site).as_posix() for p in (site / "validations").rglob("*.html")}
    assert len(there) == 3
    assert there <= {unquote(link) for link in Links(index).links}
    assert index.count("<td>blocked</td>") == 1
    assert index.count("<td>accepted</td>") == 2


def test_old_judgements_are_forgotten(tmp_path):
    verdict = judge_profile(config(), "shop", BASE, None)
    for n in range(KEPT + 2):
        page = write_docs(tmp_path / "docs", "shop", verdict.result, verdict=f"run{n}", against="first")
    assert page == tmp_path / "docs" / "shop.html"
    kept = sorted(p.parent.parent.name for p in (tmp_path / "docs" / "validations").rglob("*.html"))
    assert kept == sorted(f"run{n}" for n in range(2, KEPT + 2))
    assert "run0" not in (tmp_path / "docs" / "index.html").read_text()


@pytest.mark.ui
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_without_network_shows_the_page(site, tmp_path):
    page = Path(newest(site, "shop"))
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"]
    ran = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *offline, f"--user-data-dir={tmp_path}",
         "--disable-background-networking", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "volume_ratio" in ran.stdout
    assert "failed only" in ran.stdout
