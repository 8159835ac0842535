"""What hypothesis tries: the same examples at every check, new ones in ``make long``."""

from __future__ import annotations

from hypothesis import settings

# A check that draws new examples blames whoever happens to run it, and a deadline blames whatever
# else the machine does.
settings.register_profile("check", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("check")
