"""Statistical expectations of a domain's events: declared in suites/, asked of a profile."""
