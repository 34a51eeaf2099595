"""Full-ranking evaluation: ranks, metrics, intervals, baselines and report cards."""
