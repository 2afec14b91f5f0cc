//! Scenarios: the TOML schema, its validated values, and the seeded plan of arrivals.
