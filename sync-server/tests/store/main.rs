//! What every backend of the store has to do: one story, told to each of them.

#[path = "../jig/mod.rs"]
mod jig;
mod story;
mod writers;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use sync_server::server::open_store;
use sync_server::store::Store;
use tempfile::TempDir;

/// A database that can be opened, and opened again after the program that had it open is gone.
pub trait Backend {
    /// Opens it.
    fn open(&self) -> impl Future<Output = Arc<dyn Store>> + Send;

    /// A folder for what a server keeps beside its store.
    fn folder(&self) -> &Path;
}

/// SQLite in a folder.
struct Sqlite(TempDir);

impl Backend for Sqlite {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(open_store(self.0.path()).await.expect("opens"))
    }

    fn folder(&self) -> &Path {
        self.0.path()
    }
}

fn sqlite() -> Sqlite {
    Sqlite(tempfile::tempdir().expect("a folder"))
}

#[tokio::test]
async fn sqlite_keeps_what_it_was_given() {
    story::told_to(&sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_a_log_on_sqlite_while_many_write_misses_nothing() {
    writers::write_at_once(&sqlite()).await;
}
