"""One epoch of PyTorch Geometric's LightGCN; prints what it took as JSON.

    python pyg_lightgcn.py FOLDER --dim 64 --layers 2 --batch 2048 --threads 2 --edges {index,csr}

FOLDER has `pairs.npy`, int64 [n, 2] of user and item numbers. The loop is that of the library's own example:
one negative a pair, BPR, Adam. `index` gives the model an edge index, as the example does; `csr` gives it a
normalised sparse matrix, which saves the library one message an edge.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch_geometric.nn import LightGCN
from torch_geometric.nn.conv.gcn_conv import gcn_norm


def main() -> None:
    """Trains one epoch; making the graph and the model is not counted."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name in ("dim", "layers", "batch", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--edges", choices=("index", "csr"), required=True)
    print(json.dumps(epoch(parser.parse_args())))


def epoch(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds and pairs of an epoch over all pairs."""
    torch.set_num_threads(arguments.threads)
    pairs = torch.from_numpy(np.load(arguments.folder / "pairs.npy"))
    users, user = pairs[:, 0].unique(return_inverse=True)
    items, item = pairs[:, 1].unique(return_inverse=True)
    nodes, pair = len(users) + len(items), torch.stack([user, item + len(users)])
    edges = torch.cat([pair, pair.flip(0)], dim=1)
    model = LightGCN(nodes, arguments.dim, arguments.layers)
    adjacency = edges if arguments.edges == "index" else _normalised(model, edges, nodes)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    began = time.perf_counter()
    for rows in torch.randperm(pair.shape[1]).split(arguments.batch):
        positive = pair[:, rows]
        negative = torch.stack([positive[0], torch.randint(len(users), nodes, (len(rows),))])
        both = torch.cat([positive, negative], dim=1)
        optimizer.zero_grad()
        right, wrong = model(adjacency, both).chunk(2)
        model.recommendation_loss(right, wrong, node_id=both.unique()).backward()
        optimizer.step()
    return {
        "seconds": time.perf_counter() - began,
        "pairs": pair.shape[1],
        "threads": torch.get_num_threads(),
    }


def _normalised(model: LightGCN, edges: Tensor, nodes: int) -> Tensor:
    """The matrix that the model would make of the edges at every step, made once."""
    for conv in model.convs:
        conv.normalize = False
    index, weight = gcn_norm(edges, num_nodes=nodes, add_self_loops=False)
    return torch.sparse_coo_tensor(index, weight, (nodes, nodes)).coalesce().to_sparse_csr()


if __name__ == "__main__":
    main()
