"""A folder with the two logs that the declarations of these tests name."""

import pytest


@pytest.fixture
def folder(tmp_path):
    for name in ("shop", "cafe"):
        (tmp_path / f"{name}.csv").write_text("user_id,item_id\nu,i\n")
    return tmp_path
