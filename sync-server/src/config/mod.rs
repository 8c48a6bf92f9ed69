//! What the host can set: by flag, by environment (`PAKKA_…`), in a file (TOML), in that order of
//! precedence.
//!
//! Whatever is wrong is named together with the place where it stands and with what would be right.

mod parse;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use crate::code::Code;

/// The port where the server listens unless told otherwise.
pub const DEFAULT_PORT: u16 = 8787;

/// Requests that a device may send in a second, unless told otherwise.
pub const DEFAULT_RATE: NonZeroU32 = NonZeroU32::new(5).expect("not zero");

/// The settings as flags. Values are read later, all in one way, wherever they stand.
#[derive(Debug, Default, Clone, clap::Args)]
pub struct Flags {
    /// A file with settings, in TOML, named as the flags are (`listen = "0.0.0.0"`) [env: PAKKA_CONFIG]
    #[arg(long, value_name = "FILE")]
    pub config: Option<String>,
    /// The folder that holds everything [default: ./data] [env: PAKKA_DATA]
    #[arg(long, value_name = "DIR")]
    pub data: Option<String>,
    /// The address to listen on, with or without a port [default: 127.0.0.1; with --lan 0.0.0.0] [env: PAKKA_LISTEN]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// The port to listen on; 0 takes a free one [default: 8787] [env: PAKKA_PORT]
    #[arg(long, value_name = "PORT")]
    pub port: Option<String>,
    /// The address under which phones reach the server, if it is another one [env: PAKKA_PUBLIC_URL]
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// HTTPS for phones in the same network, under an authority of the server's own [env: PAKKA_LAN]
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub lan: Option<String>,
    /// Names and addresses for the certificate of --lan, with commas [default: found out] [env: PAKKA_LAN_NAMES]
    #[arg(long, value_name = "NAMES")]
    pub lan_names: Option<String>,
    /// The port of the page that tells phones how to trust --lan [default: the port + 1] [env: PAKKA_TRUST_PORT]
    #[arg(long, value_name = "PORT")]
    pub trust_port: Option<String>,
    /// A claim code to use instead of a random one, for scripts [env: PAKKA_CLAIM_CODE]
    #[arg(long, value_name = "CODE")]
    pub claim_code: Option<String>,
    /// Requests that a device may send in a second [default: 5] [env: PAKKA_RATE]
    #[arg(long, value_name = "NUMBER")]
    pub rate: Option<String>,
    /// A folder with the built app, instead of the one inside the server [env: PAKKA_APP]
    #[arg(long, value_name = "DIR")]
    pub app: Option<String>,
}

/// What the server was told, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The folder that holds everything.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Under which address phones reach the server, if it is another one.
    pub public_url: Option<String>,
    /// HTTPS for the local network.
    pub lan: Option<Lan>,
    /// The claim code to use instead of a random one.
    pub claim_code: Option<Code>,
    /// Requests that a device may send in a second.
    pub rate: NonZeroU32,
    /// A folder with the app.
    pub app: Option<PathBuf>,
}

/// HTTPS for the local network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lan {
    /// Names and addresses for the certificate; empty for those that are found out.
    pub names: Vec<String>,
    /// The port of the page that tells phones how to trust the server.
    pub trust_port: u16,
}

/// A setting that is wrong.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct WrongSetting {
    /// Where it stands: `--port`, `PAKKA_PORT`, `port in pakka.toml`.
    pub place: String,
    /// What is wrong and what would be right.
    pub problem: String,
}

/// The names of all settings, as in a file.
const NAMES: [&str; 10] = [
    "data",
    "listen",
    "port",
    "public-url",
    "lan",
    "lan-names",
    "trust-port",
    "claim-code",
    "rate",
    "app",
];

/// A value and where it stands.
struct Set {
    value: String,
    place: String,
}

impl Set {
    fn is_wrong(&self, right: impl fmt::Display) -> WrongSetting {
        WrongSetting {
            place: self.place.clone(),
            problem: format!("\"{}\" is not {right}", self.value),
        }
    }
}

impl Config {
    /// Reads the settings. `environment` gives the value of a variable.
    ///
    /// # Errors
    ///
    /// The first setting that is wrong.
    pub fn read(
        flags: Flags,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Config, WrongSetting> {
        let file = flags
            .config
            .clone()
            .or_else(|| environment("PAKKA_CONFIG"))
            .map(|file| read_file(Path::new(&file)))
            .transpose()?
            .unwrap_or_default();
        let mut set = file;
        for name in NAMES {
            let variable = format!("PAKKA_{}", name.to_ascii_uppercase().replace('-', "_"));
            if let Some(value) = environment(&variable).filter(|value| !value.is_empty()) {
                set.insert(
                    name,
                    Set {
                        value,
                        place: variable,
                    },
                );
            }
        }
        for (name, value) in flags.named() {
            if let Some(value) = value {
                let place = format!("--{name}");
                set.insert(name, Set { value, place });
            }
        }
        Config::from_set(&set)
    }

    fn from_set(set: &BTreeMap<&'static str, Set>) -> Result<Config, WrongSetting> {
        let lan = match set.get("lan") {
            None => false,
            Some(set) => parse::yes_or_no(set)?,
        };
        let (ip, own_port) = match set.get("listen") {
            None if lan => (IpAddr::V4(Ipv4Addr::UNSPECIFIED), None),
            None => (IpAddr::V4(Ipv4Addr::LOCALHOST), None),
            Some(set) => parse::address(set)?,
        };
        let port = match set.get("port") {
            None => own_port.unwrap_or(DEFAULT_PORT),
            Some(set) => parse::port(set)?,
        };
        let trust_port = match set.get("trust-port") {
            // Port 0 takes any free one, for this page too.
            None if port == 0 => 0,
            None => port.wrapping_add(1),
            Some(set) => parse::port(set)?,
        };
        let names = set.get("lan-names").map_or(Ok(Vec::new()), parse::names)?;
        Ok(Config {
            data: PathBuf::from(set.get("data").map_or("data", |set| &set.value)),
            listen: SocketAddr::new(ip, port),
            public_url: set.get("public-url").map(parse::url).transpose()?,
            lan: lan.then_some(Lan { names, trust_port }),
            claim_code: set.get("claim-code").map(parse::code).transpose()?,
            rate: set.get("rate").map_or(Ok(DEFAULT_RATE), parse::rate)?,
            app: set.get("app").map(parse::app).transpose()?,
        })
    }
}

impl Flags {
    fn named(self) -> [(&'static str, Option<String>); NAMES.len()] {
        [
            ("data", self.data),
            ("listen", self.listen),
            ("port", self.port),
            ("public-url", self.public_url),
            ("lan", self.lan),
            ("lan-names", self.lan_names),
            ("trust-port", self.trust_port),
            ("claim-code", self.claim_code),
            ("rate", self.rate),
            ("app", self.app),
        ]
    }
}

fn read_file(file: &Path) -> Result<BTreeMap<&'static str, Set>, WrongSetting> {
    let wrong = |problem: String| WrongSetting {
        place: file.display().to_string(),
        problem,
    };
    let text = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        wrong(format!("not TOML: {}", error.to_string().trim_end()))
    })?;
    let mut set = BTreeMap::new();
    for (key, value) in table {
        let name = NAMES
            .into_iter()
            .find(|name| *name == key.replace('_', "-"))
            .ok_or_else(|| {
                wrong(format!(
                    "there is no setting \"{key}\"; there are {}",
                    NAMES.join(", ")
                ))
            })?;
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(is_so) => is_so.to_string(),
            _ => {
                return Err(wrong(format!(
                    "{key} must be a text, a number, true or false"
                )));
            }
        };
        let place = format!("{key} in {}", file.display());
        set.insert(name, Set { value, place });
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn without_settings_the_server_listens_on_this_machine_only() {
        let config = Config::read(Flags::default(), nothing).expect("the defaults are right");
        assert_eq!(config.listen, "127.0.0.1:8787".parse().expect("an address"));
        assert_eq!(config.data, PathBuf::from("data"));
        assert_eq!(config.lan, None);
    }

    #[test]
    fn flags_go_before_the_environment_and_that_before_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pakka.toml");
        fs::write(
            &file,
            "port = 1\npublic_url = \"https://a.example/\"\nlisten = \"0.0.0.0\"",
        )
        .expect("written");
        let file = file.display().to_string();
        let environment = |name: &str| match name {
            "PAKKA_CONFIG" => Some(file.clone()),
            "PAKKA_PORT" => Some("2".to_owned()),
            "PAKKA_DATA" => Some("there".to_owned()),
            _ => None,
        };
        let flags = Flags {
            data: Some("here".to_owned()),
            ..Flags::default()
        };
        let config = Config::read(flags, environment).expect("right");
        assert_eq!(config.listen, "0.0.0.0:2".parse().expect("an address"));
        assert_eq!(config.data, PathBuf::from("here"));
        assert_eq!(config.public_url.as_deref(), Some("https://a.example"));
    }

    #[test]
    fn every_wrong_setting_is_named_with_what_would_be_right() {
        let wrong = [
            ("PAKKA_PORT", "eighty", "a number from 0 to 65535"),
            ("PAKKA_LISTEN", "localhost", "127.0.0.1"),
            (
                "PAKKA_PUBLIC_URL",
                "khata.example.in",
                "https://khata.example.in",
            ),
            (
                "PAKKA_PUBLIC_URL",
                "https://example.in/shop",
                "a whole server",
            ),
            ("PAKKA_LAN", "maybe", "true or false"),
            ("PAKKA_LAN_NAMES", "a b", "pakka.local"),
            ("PAKKA_TRUST_PORT", "-1", "a number from 0 to 65535"),
            ("PAKKA_CLAIM_CODE", "short", "at least 8"),
            ("PAKKA_RATE", "0", "a number of requests"),
            ("PAKKA_APP", "/nowhere", "index.html"),
            ("PAKKA_CONFIG", "/nowhere/pakka.toml", "/nowhere/pakka.toml"),
        ];
        for (variable, value, right) in wrong {
            let environment = |name: &str| (name == variable).then(|| value.to_owned());
            let error = Config::read(Flags::default(), environment)
                .expect_err(variable)
                .to_string();
            assert!(error.contains(right), "{variable}: {error}");
            assert!(
                error.contains(variable) || variable == "PAKKA_CONFIG",
                "{error}"
            );
        }
    }

    #[test]
    fn every_setting_is_described_for_those_who_host() {
        let hosting = include_str!("../../../docs/hosting.md");
        for name in NAMES {
            let variable = name.to_ascii_uppercase().replace('-', "_");
            assert!(hosting.contains(&format!("| `--{name}")), "{name}");
            assert!(hosting.contains(&format!("`PAKKA_{variable}`")), "{name}");
        }
    }

    #[test]
    fn a_setting_in_the_file_that_does_not_exist_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pakka.toml");
        for (text, part) in [
            ("prot = 1", "no setting \"prot\""),
            ("port = [1]", "port must be"),
            ("port = \"x\"", "port in "),
            ("port 1", "not TOML"),
        ] {
            fs::write(&file, text).expect("written");
            let flags = Flags {
                config: Some(file.display().to_string()),
                ..Flags::default()
            };
            let error = Config::read(flags, nothing).expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
