"""Studies: named sets of cells, each a pre-training and transfer with some parameter or the graph changed."""
