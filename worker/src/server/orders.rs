//! Results and witnesses of orders.

use super::{Refusal, Server};
use crate::{
    desk::Served,
    job::{sabotage::Sabotage, witness::witness as make},
};
use assay_primitives::{AttemptIndex, OrderId, Unit};
use axum::{
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::IntoResponse,
};
use codec::Encode;
use serde::Deserialize;
use std::sync::Arc;

fn find(server: &Server, order: OrderId, attempt: AttemptIndex) -> Result<Arc<Served>, Refusal> {
    server.inner.desk.served(order, attempt).ok_or_else(|| {
        Refusal::new(StatusCode::NOT_FOUND, format!("there is no result of order {order}, attempt {attempt} here"))
    })
}

#[derive(Deserialize)]
pub struct Place {
    launch: u32,
    x: u32,
    y: u32,
    z: u32,
}

pub async fn witness(
    State(server): State<Server>,
    Path((order, attempt)): Path<(OrderId, AttemptIndex)>,
    Query(Place { launch, x, y, z }): Query<Place>,
) -> Result<impl IntoResponse, Refusal> {
    if server.inner.sabotage == Some(Sabotage::Withhold) {
        tracing::error!("sabotage: the witness of order {order}, attempt {attempt} is withheld");
        return Err(Refusal::new(StatusCode::NOT_FOUND, "no witness is served here"));
    }
    let served = find(&server, order, attempt)?;
    let _permit = server.inner.witnesses.acquire().await.map_err(|error| Refusal::internal(&error))?;
    let cache = server.inner.cache.clone();
    let unit = Unit { launch, cta: [x, y, z] };
    let bytes = tokio::task::spawn_blocking(move || {
        make(&cache, &served.job, &served.trace, unit).map(|witness| witness.encode())
    })
    .await
    .map_err(|error| Refusal::internal(&error))??;
    server.inner.metrics.witnesses.inc();
    tracing::debug!(
        "order {order}, attempt {attempt}: witness of launch {launch}, CTA {x},{y},{z}: {} bytes",
        bytes.len()
    );
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes))
}

pub async fn result(
    State(server): State<Server>,
    Path((order, attempt)): Path<(OrderId, AttemptIndex)>,
) -> Result<impl IntoResponse, Refusal> {
    let served = find(&server, order, attempt)?;
    let last = served.trace.last();
    let (Some(state), Some(path)) = (served.trace.state(last), served.trace.path(last)) else {
        return Err(Refusal::internal(&"a trace without states"));
    };
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], (state.to_vec(), path).encode()))
}
