"""Every page of the book is accessible; the suite asks one page of each kind but the large API."""

import pytest
from tests.site.test_pages import PAGES, faults_of


@pytest.mark.parametrize("name", [edition + name for edition in ("", "zh/") for name in PAGES])
def test_axe_finds_nothing(visit, site, name):
    page, _ = visit((site / f"{name}.html").as_uri())
    assert faults_of(page) == {}
