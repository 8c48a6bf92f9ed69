//! HTTPS for phones in the same network, without a name in the public DNS: the server is its own
//! certificate authority, and a page in plain HTTP tells phones how to trust it.
//!
//! Browsers give an installed app its storage, its keys and its service worker only on a secure
//! origin; that is why plain HTTP does not do.

mod page;

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use chrono::{Datelike, NaiveDate, TimeDelta, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub use page::trust_page;

use crate::config::Lan;
use crate::identity::write_secret;

/// The files of the authority in the data folder: its certificate (DER) and its key (PEM).
const AUTHORITY_FILE: &str = "lan-authority.crt";
const AUTHORITY_KEY_FILE: &str = "lan-authority.key";

/// How long the authority lives. Phones trust it once, so long.
const AUTHORITY_LIFE_DAYS: i64 = 3650;

/// How long the server's certificate lives: browsers take no longer one. A new one is made at
/// every start.
const CERTIFICATE_LIFE_DAYS: i64 = 397;

/// Clocks of phones may be behind.
const CLOCK_GRACE_DAYS: i64 = 2;

/// What phones need to trust the server, and what the server needs to be trusted.
pub struct Trust {
    /// The authority's certificate (DER), for phones.
    pub authority: Bytes,
    /// The settings for TLS.
    pub tls: Arc<ServerConfig>,
    /// The address of the server in the local network.
    pub host: String,
    /// Under which address phones reach the server.
    pub url: String,
}

impl Trust {
    /// Finds or makes the authority, and makes a certificate for the addresses of this moment.
    ///
    /// # Errors
    ///
    /// What went wrong, in words.
    pub fn prepare(folder: &Path, settings: &Lan, port: u16) -> Result<Trust, String> {
        let (authority, key) = read_authority(folder)
            .or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => make_authority(folder),
                _ => Err(error),
            })
            .map_err(|error| format!("{AUTHORITY_FILE}: {error}"))?;
        let mut names = settings.names.clone();
        if names.is_empty() {
            names = own_names();
        }
        let host = names
            .first()
            .cloned()
            .unwrap_or_else(|| "localhost".to_owned());
        for local in ["localhost", "127.0.0.1", "::1"] {
            if !names.iter().any(|name| name == local) {
                names.push(local.to_owned());
            }
        }
        let tls = tls(&authority, key, names).map_err(|error| error.to_string())?;
        Ok(Trust {
            authority: Bytes::copy_from_slice(&authority),
            tls: Arc::new(tls),
            url: format!("https://{}:{port}", bracketed(&host)),
            host: bracketed(&host),
        })
    }
}

fn read_authority(folder: &Path) -> io::Result<(CertificateDer<'static>, KeyPair)> {
    let certificate = fs::read(folder.join(AUTHORITY_FILE))?;
    let key = fs::read_to_string(folder.join(AUTHORITY_KEY_FILE))?;
    let key = KeyPair::from_pem(&key).map_err(io::Error::other)?;
    Ok((CertificateDer::from(certificate), key))
}

fn make_authority(folder: &Path) -> io::Result<(CertificateDer<'static>, KeyPair)> {
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let mut params = lasting(AUTHORITY_LIFE_DAYS);
    // So that a person with several servers finds the right one among the authorities of a phone.
    let mark = u32::from_be_bytes(crate::random());
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Pakka in this shop {mark:08x}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key).map_err(io::Error::other)?;
    // The key first: a certificate without its key would be a dead end.
    write_secret(folder, AUTHORITY_KEY_FILE, key.serialize_pem().as_bytes())?;
    write_secret(folder, AUTHORITY_FILE, certificate.der())?;
    Ok((certificate.der().clone(), key))
}

type AnyError = Box<dyn std::error::Error>;

fn tls(
    authority: &CertificateDer<'_>,
    authority_key: KeyPair,
    names: Vec<String>,
) -> Result<ServerConfig, AnyError> {
    let issuer = Issuer::from_ca_cert_der(authority, authority_key)?;
    let key = KeyPair::generate()?;
    let own = lasting(CERTIFICATE_LIFE_DAYS);
    let mut params = CertificateParams::new(names)?;
    params.not_before = own.not_before;
    params.not_after = own.not_after;
    params.distinguished_name = own.distinguished_name;
    params.distinguished_name.push(DnType::CommonName, "Pakka");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let certificate = params.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(tls)
}

/// A certificate that is valid from a little before today on.
fn lasting(days: i64) -> CertificateParams {
    let day = |date: NaiveDate| {
        // Months and days of a real date fit.
        rcgen::date_time_ymd(date.year(), date.month() as u8, date.day() as u8)
    };
    let first = Utc::now().date_naive() - TimeDelta::days(CLOCK_GRACE_DAYS);
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.not_before = day(first);
    params.not_after = day(first + TimeDelta::days(days));
    params
}

/// The address in the local network, and the name of this machine there.
fn own_names() -> Vec<String> {
    let mut names = Vec::new();
    if let Some(address) = own_address() {
        names.push(address.to_string());
    }
    if let Ok(name) = fs::read_to_string("/proc/sys/kernel/hostname") {
        let name = name.trim().to_ascii_lowercase();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if !name.is_empty() && name != "localhost" && name.bytes().all(is_name) {
            names.push(format!("{name}.local"));
            names.push(name);
        }
    }
    names
}

/// The address that this machine would send from. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    /// Reserved for documentation (RFC 5737): it only stands for "anywhere else".
    const ELSEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(192, 0, 2, 1), 9);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(ELSEWHERE).ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

/// As it stands in a URL.
fn bracketed(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    }
}
