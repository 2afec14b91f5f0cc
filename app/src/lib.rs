//! One replica and the origin service, as axum routers that are values.
