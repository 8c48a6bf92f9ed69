//! Asks the server for a part of the log that this phone has read before and holds no more.

use gloo_net::http::Method;
use shared::sync::engine::REQUEST_WAIT_MS;
use shared::sync::wire::SyncRequest;

use super::http::{Address, body};
use crate::store::StoreError;
use crate::store::database::ShopDatabase;

/// Has damaged parts of the stored log come again; gives how many did. Without a server, or without
/// an answer, everything stays as it is.
pub(crate) async fn mend(db: &ShopDatabase) -> Result<u32, StoreError> {
    let loaded = db.load_after(u64::MAX, u32::MAX).await?;
    let server = loaded.and_then(|loaded| loaded.identity.server);
    let address = server.map(|server| Address {
        url: server.url,
        token: Some(server.token),
    });
    let ask = async |request: SyncRequest| {
        let address = address.as_ref()?;
        let asked = address.ask(
            Method::POST,
            "/api/v1/sync",
            body(&request),
            REQUEST_WAIT_MS,
        );
        asked.await.ok()
    };
    db.mend(ask).await
}
