//! The device's key, tried before anyone is told of it.

use super::StoreError;
use super::database::ShopDatabase;
use crate::crypto::{CryptoError, Custody, DeviceKey, verify};

/// Signed once to see that a key works.
const TRIAL: &[u8] = b"pakka/trial/v1";

/// Makes a key that this storage keeps: written, read back, and tried. Where the browser does not
/// keep its own keys, one in software.
pub async fn make(db: &ShopDatabase) -> Result<DeviceKey, StoreError> {
    match try_one(db, Custody::Browser).await {
        Ok(key) => Ok(key),
        Err(StoreError::DiskFull) => Err(StoreError::DiskFull),
        Err(_) => try_one(db, Custody::Software).await,
    }
}

async fn try_one(db: &ShopDatabase, custody: Custody) -> Result<DeviceKey, StoreError> {
    let made = DeviceKey::make(custody).await.map_err(failed)?;
    let kept = db.keep_device_key(made.stored()).await?;
    let key = DeviceKey::load(kept, made.public()).await.map_err(failed)?;
    let signature = key.sign(TRIAL).await.map_err(failed)?;
    match verify(&key.public(), TRIAL, &signature).await {
        Ok(true) => Ok(key),
        Ok(false) => Err(StoreError::Damaged("device key")),
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: CryptoError) -> StoreError {
    StoreError::Failed(error.0)
}
