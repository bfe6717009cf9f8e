"""Settings that all tests share."""

from hypothesis import HealthCheck, settings

# A machine that is busy with other tests is slow, not wrong.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
