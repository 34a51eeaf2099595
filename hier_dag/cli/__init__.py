"""The command line, `hier`: one file a command."""
