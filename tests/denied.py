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
    with _changed({path: 0 for path in reversed(paths)}):
        yield


@contextmanager
def read_only(root):
    """Takes the right to write a folder and all below it away, likewise."""
    below = [p for p in (root, *root.rglob("*")) if not p.is_symlink()]
    with _changed({p: p.stat().st_mode & ~0o222 for p in below}):
        yield


@contextmanager
def _changed(modes):
    before = {path: path.stat().st_mode for path in modes}
    for path, mode in modes.items():
        path.chmod(mode)
    try:
        with _without_override():
            yield
    finally:
        for path, mode in reversed(before.items()):
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
