"""The model card of a version, as Markdown, HTML and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hier_dag.audit.card import facts
from hier_dag.audit.card.header import header
from hier_dag.audit.card.html import html
from hier_dag.audit.card.limits import limits
from hier_dag.audit.card.markdown import markdown
from hier_dag.audit.card.parts import Page, Part
from hier_dag.audit.card.paths import decision_paths
from hier_dag.audit.card.quality import ablations, quality, slices
from hier_dag.evaluate.cells import signed
from hier_dag.evaluate.figures import Figures
from hier_dag.evaluate.verdict import verdict, worth_words
from hier_dag.evaluate.words import setting_words
from hier_dag.retention.history import shown as moment

if TYPE_CHECKING:
    from hier_dag.audit.evidence.subject import Subject
    from hier_dag.evaluate.ablation_section import Earned

MARKDOWN, HTML = "model_card.md", "model_card.html"
_COLOURS = "--hier: #0072b2; --rival: #b35900; --soft: #5a6472"
_SVG = f'<svg xmlns="http://www.w3.org/2000/svg" style="{_COLOURS}; font-family: sans-serif" '


def card_files(about: Subject, earned: Sequence[Earned] | None = None) -> dict[str, bytes]:
    """The model card: Markdown with a header, a page that works offline, and the pictures of the Markdown.

    Args:
        about: the version.
        earned: what each module earns in the domain, where the ablation study was run.
    """
    shown = about.figures
    page = card_page(about, shown, earned)
    pictures = [part.picture for part in page.parts if part.picture is not None]
    return {
        MARKDOWN: (header(about, shown) + "\n" + markdown(page)).encode(),
        HTML: html(page).encode(),
        **{p.file: p.svg.replace("<svg ", _SVG, 1).encode() for p in pictures},
    }


def card_page(about: Subject, shown: Figures | None, earned: Sequence[Earned] | None) -> Page:
    """The card as parts of a page.

    Args:
        about: the version.
        shown: its figures; None where nothing was scored.
        earned: what each module earns in the domain, where the ablation study was run.
    """
    parts: list[Part] = [*facts.use(about), facts.data(about), quality(shown)]
    parts += [] if shown is None else [slices(shown)]
    parts += [
        ablations(earned),
        decision_paths(about.encoder),
        facts.coverage(about),
        facts.space(about),
        limits(about, shown, earned),
        facts.going_back(about),
        facts.contact(about),
        facts.provenance(about),
    ]
    return Page(f"Model card: {about.title}", lead(about), verdict_words(shown), chips(about), tuple(parts))


def lead(about: Subject) -> str:
    """What the set is, in two sentences."""
    state = "live since" if about.live_now else "an earlier version, which went live on"
    return (
        f"User and item vectors of the domain {about.domain} of the platform {about.platform}: version "
        f"{about.row.version}, {state} {moment(about.row.created_at)}. HIER, pre-trained on the platform's "
        "source domains over one knowledge graph and transferred to this domain (arXiv 2405.17132)."
    )


def verdict_words(shown: Figures | None) -> tuple[str, ...]:
    """Where it beats and loses to the strongest baselines, and what transfer adds."""
    if shown is None:
        return ("The domain has no test interaction, so nothing was scored.",)
    worth = worth_words(shown)
    return (signed(verdict(shown)), *([signed(worth)] if worth else []))


def chips(about: Subject) -> tuple[str, ...]:
    """Facts in a word or two."""
    told, model = about.set_facts, about.model
    shots = None if model is None else model.json("method.json").get("shots")
    counts = [f"{told[side]:,} {side}" for side in ("users", "items") if side in told]
    published = [f"published setting: {setting_words(shots)}"] if shots else []
    return (
        *counts,
        *([f"{told['dim']} dimensions"] if "dim" in told else []),
        *published,
        about.row.digest[: facts.SHORT],
    )
