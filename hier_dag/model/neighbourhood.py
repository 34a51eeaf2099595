"""A few nodes with a sample of their neighbours around them: what it takes to give them vectors."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hier_dag.model.adjacency import Adjacency

# SplitMix64 (Steele, Lea & Flood 2014), its constants as signed 64-bit numbers.
_GOLDEN, _FIRST, _SECOND = -7046029254386353131, -4658895280553007687, -7723592293110705685


@dataclass(frozen=True)
class Layer:
    """Messages of one layer, from the vectors of the layer below to those of fewer nodes.

    Attributes:
        messages: nodes out × nodes in, means over the neighbours that were drawn.
        own: int64 [nodes out], place of each among the nodes in.
    """

    messages: Adjacency
    own: Tensor


@dataclass(frozen=True)
class Neighbourhood:
    """Nodes that are wanted, and all that their vectors are made of.

    Attributes:
        inputs: int64 [n], ascending, nodes whose free vectors enter.
        layers: from the inputs to the wanted nodes.
        outputs: int64 [m], ascending, the wanted nodes.
    """

    inputs: Tensor
    layers: tuple[Layer, ...]
    outputs: Tensor


def neighbourhood(
    neighbours: Adjacency, wanted: Tensor, layers: int, fanout: int, seed: int
) -> Neighbourhood:
    """Draws at most `fanout` neighbours of each node in each layer.

    What is drawn for a node depends on the seed, the layer and the node alone: whatever else is wanted, on
    whatever device and however many ranks share the work, it is the same, and a resumed training sees it
    again. The expectation of a layer's mean is the mean over all neighbours.

    Args:
        neighbours: nodes × nodes, a (weighted) mean.
        wanted: int64, ascending, each once.
        layers: how many.
        fanout: most neighbours of a node in a layer.
        seed: of this step.
    """
    out, found = wanted, []
    for layer in reversed(range(layers)):
        drawn = draw(neighbours, out, fanout, seed + layer)
        into = union(neighbours.cols, out, drawn.indices)
        place = places(neighbours.cols, into)
        messages = Adjacency(drawn.indptr, place[drawn.indices], len(into), drawn.weights, drawn.scale)
        found.append(Layer(messages, place[out]))
        out = into
    return Neighbourhood(out, tuple(reversed(found)), wanted)


def draw(matrix: Adjacency, rows: Tensor, fanout: int, seed: int) -> Adjacency:
    """Some rows, with all entries where they are few and a sample where they are many.

    Systematic sampling: `fanout` evenly spaced places over a row's summed weights, shifted together by one
    random number (Madow 1949), so that an entry is drawn in proportion to its weight, and not twice before
    its share is due. A drawn row is a plain mean; if the matrix is a sum, it is that of the drawn entries.

    Args:
        matrix: rows × cols.
        rows: int64 [m].
        fanout: most entries of a row.
        seed: with a row's number it decides what is drawn.

    Returns:
        m × cols; entries of a row keep their order.
    """
    start, count = matrix.indptr[rows], matrix.degrees()[rows]
    indptr = _running(count.clamp(max=fanout))
    total = int(indptr[-1])
    row = torch.repeat_interleave(
        torch.arange(len(rows), device=rows.device), indptr.diff(), output_size=total
    )
    nth = torch.arange(total, device=rows.device) - indptr[row]
    entry = start[row] + nth
    many = (count > fanout)[row].nonzero().flatten()
    at = row[many]
    spot = (nth[many] + noise(rows, seed)[at]) / fanout
    entry[many] = _entry_at(matrix, start[at], count[at], spot)
    weights, scale = None, None
    if matrix.weights is not None:
        weights = matrix.weights[entry].index_fill(0, many, 1.0)
    if matrix.scale is not None:
        # In the matrix's own dtype: a plain mean of what was drawn.
        scale = torch.where(count > fanout, matrix.scale.new_tensor(1 / fanout), matrix.scale[rows])
    return Adjacency(indptr, matrix.indices[entry], matrix.cols, weights, scale)


def _entry_at(matrix: Adjacency, start: Tensor, count: Tensor, spot: Tensor) -> Tensor:
    """The entry at a share, in [0, 1), of a row's summed weights, int64."""
    if matrix.weights is None:
        return start + (spot * count).long().clamp(max=count - 1)
    summed = matrix.running_weights()
    low, high = summed[start], summed[start + count]
    found = torch.searchsorted(summed, low + spot * (high - low), right=True) - 1
    return torch.minimum(torch.maximum(found, start), start + count - 1)  # rounding may leave the row


def noise(numbers: Tensor, seed: int) -> Tensor:
    """A number in [0, 1) for each of some numbers, the same on every device, float64.

    Args:
        numbers: int64.
        seed: another one gives others.
    """
    x = (numbers + 1) * _GOLDEN + seed * 0x5851F42D4C957F2D % (1 << 62)
    x = (x ^ _shifted(x, 30)) * _FIRST
    x = (x ^ _shifted(x, 27)) * _SECOND
    return _shifted(x ^ _shifted(x, 31), 11).double() * 2.0**-53


def union(n: int, *numbers: Tensor) -> Tensor:
    """Every number that occurs, ascending and once, int64.

    Args:
        n: all are below it. One byte for each of them is cheaper than sorting.
        numbers: int64.
    """
    there = torch.zeros(n, dtype=torch.bool, device=numbers[0].device)
    for some in numbers:
        there[some] = True
    return there.nonzero().flatten()


def places(n: int, numbers: Tensor) -> Tensor:
    """Where each number stands among some, int64 [n]; without meaning for the rest.

    Args:
        n: all are below it.
        numbers: int64 [m], each once.
    """
    out = torch.empty(n, dtype=torch.int64, device=numbers.device)
    out[numbers] = torch.arange(len(numbers), device=numbers.device)
    return out


def _running(count: Tensor) -> Tensor:
    out = torch.zeros(len(count) + 1, dtype=torch.int64, device=count.device)
    torch.cumsum(count, 0, out=out[1:])
    return out


def _shifted(x: Tensor, bits: int) -> Tensor:
    """Shifts right and fills with zeros; torch's own shift would fill with the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)
