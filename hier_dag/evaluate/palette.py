"""Colours of pictures and pages: Okabe and Ito's, told apart by readers with any colour vision."""

from __future__ import annotations

HIER_COLOUR = "#0072B2"
BASELINES = ("#E69F00", "#009E73", "#CC79A7", "#D55E00")
MUTED = "#8C8C8C"
GRID = "#8C8C8C40"
MARKERS = "sD^vP"
