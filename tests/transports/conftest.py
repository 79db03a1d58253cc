from __future__ import annotations

import pytest
from fault_servers import Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trust(authority, monkeypatch):
    """This process trusts the test authority, as an operator would make it trust a private one."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority
