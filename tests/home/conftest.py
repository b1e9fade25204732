"""Homes for the scenarios. A file of scenarios shares one home unless a story breaks it."""

from __future__ import annotations

import os
from typing import Iterator

import pytest

from lab import Home, sweep


def pytest_configure(config: pytest.Config) -> None:
    if os.geteuid() != 0:
        raise pytest.UsageError("a home needs root for its network namespaces: sudo ./test --home")
    sweep()


@pytest.fixture(scope="module")
def plain_home() -> Iterator[Home]:
    """A home without porchlight."""
    with Home() as home:
        yield home


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home whose porchlight has got its certificate and announces."""
    with Home() as home:
        home.router.start_porchlight()
        home.router.until_announced()
        yield home
