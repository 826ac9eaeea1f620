"""When newsletters appear: plans, single issues that differ, what is amiss."""
