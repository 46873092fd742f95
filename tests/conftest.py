"""For all tests: how long an example takes says something of the machine and of who else works on it, not of us."""

from hypothesis import HealthCheck, settings

settings.register_profile("overlace", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("overlace")
