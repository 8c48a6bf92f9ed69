//! How everything is put together, started and stopped.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use hyper_util::rt::TokioTimer;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::archive::Archive;
use crate::assets::Assets;
use crate::code::Code;
use crate::config::Config;
use crate::http::{App, router};
use crate::identity::{Identity, KEY_FILE, write_secret};
use crate::lan::{self, Trust};
use crate::mark;
use crate::recovery::Recoveries;
use crate::registry::Registry;
use crate::store::sqlite::Sqlite;
use crate::store::{Change, ClaimCode, Store, StoreError};
use crate::writer::Writer;

/// The file that says that a server works on a folder.
const LOCK_FILE: &str = "server.lock";

/// The file that holds the claim code of a server without a shop.
const CLAIM_CODE_FILE: &str = "claim-code";

/// Nobody else on this machine may read a folder that the server makes.
const PRIVATE: u32 = 0o700;

/// How long a connection may take for the head of a request, and how often it has to show that it
/// lives.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long requests under way may take when the server stops.
const STOP_GRACE: Duration = Duration::from_secs(20);

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The folder cannot be used.
    #[error("--data {folder}: {problem}")]
    Data {
        /// The folder.
        folder: String,
        /// What is wrong.
        problem: String,
    },
    /// Nobody can listen there.
    #[error("{setting} {address}: {error}")]
    Listen {
        /// The setting that says where.
        setting: &'static str,
        /// Where.
        address: SocketAddr,
        /// What is wrong.
        error: io::Error,
    },
    /// The app cannot be read.
    #[error("--app: {0}")]
    App(io::Error),
    /// HTTPS for the local network cannot be set up.
    #[error("--lan: {0}")]
    Lan(String),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A server at work.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Under which address phones reach it.
    pub url: String,
    /// Where the page is that tells phones how to trust it.
    pub trust_url: Option<String>,
    /// The code with which an owner claims it; absent when it has a shop already.
    pub claim_code: Option<Code>,
    stop: watch::Sender<bool>,
    handle: Handle<SocketAddr>,
    listeners: Vec<JoinHandle<io::Result<()>>>,
    archive: Archive,
    sealing: JoinHandle<()>,
    writer: JoinHandle<()>,
    database: Arc<Sqlite>,
    recoveries: Arc<Recoveries>,
    data: PathBuf,
    _lock: File,
}

/// Opens the store in a folder, for the server or beside it.
///
/// # Errors
///
/// The folder cannot be used.
pub async fn open_store(folder: &Path) -> Result<Sqlite, StartError> {
    let wrong = |problem: String| StartError::Data {
        folder: folder.display().to_string(),
        problem,
    };
    DirBuilder::new()
        .recursive(true)
        .mode(PRIVATE)
        .create(folder)
        .map_err(|error| wrong(error.to_string()))?;
    Sqlite::open(folder).await.map_err(|error| wrong(error.0))
}

/// Makes a new claim code known to a store.
///
/// # Errors
///
/// It is unknown whether the store has it.
pub async fn issue_claim_code(store: &dyn Store, code: &Code) -> Result<(), StoreError> {
    let issued = Change::CodeIssued {
        hash: code.hash(),
        at: crate::now(),
    };
    store.commit(&[issued]).await
}

/// Starts a server that has no app inside.
///
/// # Errors
///
/// What was set does not work here; the error names the setting.
pub async fn start(config: &Config) -> Result<Running, StartError> {
    start_with(config, Assets::from_files([])).await
}

/// Starts a server with this app inside, unless another one is set.
///
/// # Errors
///
/// What was set does not work here; the error names the setting.
pub async fn start_with(config: &Config, app: Assets) -> Result<Running, StartError> {
    let database = Arc::new(open_store(&config.data).await?);
    let lock = lock(&config.data)?;
    let was_put_back = mark::was_put_back(&database, &config.data).await?;
    if was_put_back {
        tracing::warn!("the logs were put back: phones that hold more are waited for");
    } else {
        mark::renew(&database, &config.data).await?;
    }
    let store: Arc<dyn Store> = database.clone();
    let recoveries = Arc::new(Recoveries::new(was_put_back));
    let identity = Arc::new(identity(&config.data, store.has_shops().await?)?);
    let claim_code = claim_code(store.as_ref(), &config.data, config.claim_code.clone()).await?;
    let assets = match &config.app {
        None => app,
        Some(folder) => Assets::from_folder(folder).map_err(StartError::App)?,
    };
    let listener = listen("--listen", config.listen)?;
    let address = listener.local_addr().map_err(|error| StartError::Listen {
        setting: "--listen",
        address: config.listen,
        error,
    })?;

    let registry = Arc::new(Registry::new(Arc::clone(&store)));
    let (queue, writer) = Writer::start(
        Arc::clone(&store),
        Arc::clone(&registry),
        Arc::clone(&identity),
        Arc::clone(&recoveries),
    );
    let (stop, stopping) = watch::channel(false);
    let archive = Archive::new(Arc::clone(&store), queue.clone());
    let sealing = tokio::spawn(archive.clone().run(stopping.clone()));
    let app = App::new(
        Arc::clone(&store),
        registry,
        queue,
        identity,
        assets,
        stopping,
        config.rate,
    );
    let router = router(Arc::new(app));

    let handle = Handle::new();
    let mut running = Running {
        address,
        url: match &config.public_url {
            Some(url) => url.clone(),
            None => format!("http://{}", host_and_port(address)),
        },
        trust_url: None,
        claim_code,
        stop,
        handle: handle.clone(),
        listeners: Vec::new(),
        archive,
        sealing,
        writer,
        database,
        recoveries,
        data: config.data.clone(),
        _lock: lock,
    };
    match &config.lan {
        None => running
            .listeners
            .push(serve(listener, None, router, &handle)?),
        Some(settings) => {
            let trust =
                Trust::prepare(&config.data, settings, address.port()).map_err(StartError::Lan)?;
            running.url = config
                .public_url
                .clone()
                .unwrap_or_else(|| trust.url.clone());
            let tls = RustlsConfig::from_config(Arc::clone(&trust.tls));
            running
                .listeners
                .push(serve(listener, Some(tls), router, &handle)?);
            let page = SocketAddr::new(address.ip(), settings.trust_port);
            let listener = listen("--trust-port", page)?;
            let port = listener
                .local_addr()
                .map_or(page.port(), |bound| bound.port());
            running.trust_url = Some(format!("http://{}:{port}", trust.host));
            let router = lan::trust_page(&trust, &running.url);
            running
                .listeners
                .push(serve(listener, None, router, &handle)?);
        }
    }
    Ok(running)
}

impl Running {
    /// What seals old parts of the logs, little by little.
    pub const fn archive(&self) -> &Archive {
        &self.archive
    }

    /// Stops: takes no more connections, finishes the requests under way, ends the streams of
    /// hints, and closes the store.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.handle.graceful_shutdown(Some(STOP_GRACE));
        for listener in self.listeners {
            // A listener that failed has stopped too.
            let _ = listener.await;
        }
        let _ = self.sealing.await;
        drop(self.archive);
        // The handlers are gone and with them their writers: the queue runs empty.
        let _ = self.writer.await;
        // A server that stops before everyone was heard looks again at its next start.
        if self.recoveries.is_over()
            && let Err(error) = mark::renew(&self.database, &self.data).await
        {
            tracing::warn!(%error, "a copy of the logs that is put back may look like this one");
        }
        self.database.close().await;
    }
}

fn lock(folder: &Path) -> Result<File, StartError> {
    let wrong = |problem: String| StartError::Data {
        folder: folder.display().to_string(),
        problem,
    };
    let file = File::create(folder.join(LOCK_FILE)).map_err(|error| wrong(error.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(wrong(
            "another server works on this folder; stop it, or take another folder".to_owned(),
        )),
        Err(TryLockError::Error(error)) => Err(wrong(error.to_string())),
    }
}

fn identity(folder: &Path, has_shops: bool) -> Result<Identity, StartError> {
    let wrong = |problem: String| StartError::Data {
        folder: folder.display().to_string(),
        problem: format!("{KEY_FILE}: {problem}"),
    };
    match Identity::load(folder) {
        Ok(identity) => Ok(identity),
        Err(error) if error.kind() == io::ErrorKind::NotFound && has_shops => Err(wrong(
            "the server's key is missing, and phones trust no other; bring it back from a backup"
                .to_owned(),
        )),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Identity::create(folder).map_err(|error| wrong(error.to_string()))
        }
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// The code that is printed at the start: the same at each start, until it is used.
async fn claim_code(
    store: &dyn Store,
    folder: &Path,
    fixed: Option<Code>,
) -> Result<Option<Code>, StartError> {
    let wrong = |error: io::Error| StartError::Data {
        folder: folder.display().to_string(),
        problem: format!("{CLAIM_CODE_FILE}: {error}"),
    };
    let file = folder.join(CLAIM_CODE_FILE);
    let code = match fixed {
        Some(code) => code,
        None if store.has_shops().await? => {
            // Used; it may be gone already.
            let _ = fs::remove_file(&file);
            return Ok(None);
        }
        None => match fs::read_to_string(&file)
            .ok()
            .and_then(|text| Code::parse(&text))
        {
            Some(code) => code,
            None => {
                let code = Code::random();
                write_secret(folder, CLAIM_CODE_FILE, code.to_string().as_bytes())
                    .map_err(wrong)?;
                code
            }
        },
    };
    match store.claim_code(code.hash()).await? {
        Some(ClaimCode::UsedBy(_)) => return Ok(None),
        Some(ClaimCode::Free) => {}
        None => issue_claim_code(store, &code).await?,
    }
    Ok(Some(code))
}

fn listen(setting: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    let bind = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    };
    bind().map_err(|error| StartError::Listen {
        setting,
        address,
        error,
    })
}

fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    router: Router,
    handle: &Handle<SocketAddr>,
) -> Result<JoinHandle<io::Result<()>>, StartError> {
    let address = listener.local_addr();
    let failed = |error| StartError::Listen {
        setting: "--listen",
        address: address.unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0))),
        error,
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener)
        .map_err(failed)?
        .handle(handle.clone());
    // Connections that say nothing do not stay.
    let connections = server.http_builder();
    connections
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT);
    connections
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEADER_TIMEOUT);
    Ok(match tls {
        None => tokio::spawn(server.serve(service)),
        Some(tls) => {
            let acceptor = axum_server::tls_rustls::RustlsAcceptor::new(tls);
            tokio::spawn(server.acceptor(acceptor).serve(service))
        }
    })
}

/// As a person on this machine types it.
fn host_and_port(address: SocketAddr) -> String {
    if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}
