"""The service held against its own OpenAPI document."""
