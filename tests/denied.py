"""Files and folders that the system does not let be read, for whoever runs the tests, root included."""

import ctypes
import os
from contextlib import contextmanager

_VERSION_3 = 0x20080522
_OVERRIDE = 0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Set(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


@contextmanager
def denied(*paths):
    """Takes every right to paths away, and from this thread (and those it starts) root's leave to pass."""
    modes = {path: path.stat().st_mode for path in paths}
    for path in reversed(paths):
        path.chmod(0)
    try:
        with _without_override():
            yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@contextmanager
def read_only(root):
    """Takes the right to write a folder and all below it away, likewise."""
    modes = {p: p.stat().st_mode for p in (root, *root.rglob("*")) if not p.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        with _without_override():
            yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


@contextmanager
def _without_override():
    libc, header, now = ctypes.CDLL(None, use_errno=True), _Header(_VERSION_3, 0), (_Set * 2)()
    assert libc.capget(ctypes.byref(header), now) == 0, os.strerror(ctypes.get_errno())
    before = now[0].effective
    now[0].effective = before & ~_OVERRIDE
    assert libc.capset(ctypes.byref(header), now) == 0, os.strerror(ctypes.get_errno())
    try:
        yield
    finally:
        now[0].effective = before
        assert libc.capset(ctypes.byref(header), now) == 0, os.strerror(ctypes.get_errno())
