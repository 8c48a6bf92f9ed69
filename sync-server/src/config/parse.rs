//! Values of settings: what each may be, and what is said where it is something else.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use axum::http::Uri;

use super::{Set, WrongSetting};
use crate::code::Code;

pub(super) fn yes_or_no(set: &Set) -> Result<bool, WrongSetting> {
    match set.value.as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(set.is_wrong("true or false")),
    }
}

pub(super) fn address(set: &Set) -> Result<(IpAddr, Option<u16>), WrongSetting> {
    if let Ok(ip) = set.value.parse::<IpAddr>() {
        return Ok((ip, None));
    }
    set.value
        .parse::<SocketAddr>()
        .map(|address| (address.ip(), Some(address.port())))
        .map_err(|_| {
            set.is_wrong("an IP address with or without a port, such as 127.0.0.1 or 0.0.0.0:8787")
        })
}

pub(super) fn port(set: &Set) -> Result<u16, WrongSetting> {
    set.value
        .parse()
        .map_err(|_| set.is_wrong("a port, which is a number from 0 to 65535"))
}

pub(super) fn rate(set: &Set) -> Result<NonZeroU32, WrongSetting> {
    set.value
        .parse()
        .map_err(|_| set.is_wrong("a number of requests in a second, such as 5"))
}

pub(super) fn names(set: &Set) -> Result<Vec<String>, WrongSetting> {
    let is_name = |name: &str| {
        let is_address = name.parse::<IpAddr>().is_ok();
        let is_host = !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        is_address || is_host
    };
    let names: Vec<String> = set
        .value
        .split(',')
        .map(|name| name.trim().to_owned())
        .collect();
    if names.iter().all(|name| is_name(name)) {
        Ok(names)
    } else {
        Err(set.is_wrong("a list of names and addresses, such as pakka.local,192.168.1.5"))
    }
}

pub(super) fn url(set: &Set) -> Result<String, WrongSetting> {
    let wrong = || set.is_wrong("an address of a whole server, such as https://khata.example.in");
    let uri: Uri = set
        .value
        .trim_end_matches('/')
        .parse()
        .map_err(|_| wrong())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    match uri.authority() {
        Some(authority) if is_web && uri.path() == "/" && uri.query().is_none() => Ok(format!(
            "{}://{authority}",
            uri.scheme_str().unwrap_or("https")
        )),
        _ => Err(wrong()),
    }
}

pub(super) fn code(set: &Set) -> Result<Code, WrongSetting> {
    Code::parse(&set.value).ok_or_else(|| WrongSetting {
        place: set.place.clone(),
        // The value itself is a secret.
        problem: format!(
            "a claim code has at least {} letters or digits",
            Code::MIN_CHARS
        ),
    })
}

pub(super) fn app(set: &Set) -> Result<PathBuf, WrongSetting> {
    let folder = PathBuf::from(&set.value);
    if folder.join("index.html").is_file() {
        Ok(folder)
    } else {
        Err(set.is_wrong("a folder with a built app: there is no index.html in it"))
    }
}
