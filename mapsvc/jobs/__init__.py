"""The worker: delivers the outbox and runs jobs at least once."""
