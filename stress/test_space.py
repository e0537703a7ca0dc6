import pytest

from stress.campaigns import campaign

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("procs", [2, 4, 8])
def test_load(procs, tmp_path):
    campaign(tmp_path, "space", "--procs", str(procs))


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_kills(method, tmp_path):
    campaign(tmp_path, "space", "--kill", "--start-method", method)
