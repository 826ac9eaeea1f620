"""What tests of mail may ask for."""

import pytest

from digest.bootstrap import Service
from digest.domain.newsletters import Newsletter
from tests.builders import add_newsletter


@pytest.fixture
def weekly(service: Service) -> Newsletter:
    """The installation has a newsletter."""
    return add_newsletter(service.db)
