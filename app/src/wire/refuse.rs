//! How a control listener says no.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::wire::control::Refusal;

/// A refusal: a status and a sentence.
pub(crate) struct Refuse(pub(crate) StatusCode, pub(crate) String);

impl Refuse {
    /// The request was wrong.
    pub(crate) fn bad(error: impl ToString) -> Self {
        Self(StatusCode::BAD_REQUEST, error.to_string())
    }

    /// The program or something behind it failed.
    pub(crate) fn failed(error: impl ToString) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}

impl IntoResponse for Refuse {
    fn into_response(self) -> Response {
        (self.0, Json(Refusal { error: self.1 })).into_response()
    }
}
