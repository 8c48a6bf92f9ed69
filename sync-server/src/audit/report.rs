//! What was found, in words for whoever hosts.

use std::fmt;
use std::path::PathBuf;

use shared::chain::digest;
use shared::event::PublicKey;
use shared::export::Flaw;
use shared::ids::ShopId;
use shared::verify::{Fault, Summary};

/// Bytes of a key's hash that people compare.
const FINGERPRINT_BYTES: usize = 8;

/// What was found in one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was verified.
    pub subject: Subject,
    /// The key that the log is signed with: whoever trusts the log, trusts this key.
    pub signed_by: Option<PublicKey>,
    /// So much is good.
    pub good: Summary,
    /// The first thing that is not.
    pub trouble: Option<Trouble>,
}

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A shop in a store.
    Shop(ShopId),
    /// An exported file.
    File(PathBuf),
}

/// What is not good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The log.
    Log(Fault),
    /// The file.
    File(Flaw),
    /// The store, which cannot be read any further.
    Unreadable {
        /// All up to here was read.
        after: u64,
        /// What the store says.
        error: String,
        /// The damaged pages, as the store itself finds them.
        pages: Vec<String>,
    },
    /// What a store says of the events at a position is not what they are.
    Chunk(u64),
    /// There are events behind the position at which the signed head ends.
    BehindHead(u64),
    /// The record of the shop cannot be read.
    Record(String),
    /// The record of the shop does not go with its log.
    OtherRecord,
    /// `server.key` is not the key that the log is signed with.
    OtherKeyFile,
}

impl Report {
    /// Nothing is wrong.
    pub const fn is_good(&self) -> bool {
        self.trouble.is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::Shop(shop) => write!(formatter, "shop {shop}: ")?,
            Subject::File(file) => write!(formatter, "{}: ", file.display())?,
        }
        let Summary {
            events,
            proven,
            unsent,
            devices,
            ..
        } = self.good;
        match &self.trouble {
            None => {
                write!(formatter, "good. {events} entries of {devices} devices")?;
                if proven > 0 {
                    write!(formatter, ", {proven} of them under a signed head")?;
                }
                if unsent > 0 {
                    write!(formatter, ", and {unsent} that were not sent yet")?;
                }
            }
            Some(trouble) => {
                let good = events + unsent;
                write!(
                    formatter,
                    "BAD. {trouble}. {good} entries before it are good"
                )?;
            }
        }
        if let Some(key) = &self.signed_by {
            write!(formatter, ". The server's key is {}", fingerprint(key))?;
        }
        Ok(())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Log(fault) => fault.fmt(formatter),
            Trouble::File(flaw) => flaw.fmt(formatter),
            Trouble::Unreadable {
                after,
                error,
                pages,
            } => {
                write!(
                    formatter,
                    "The database cannot be read behind position {after}: {error}"
                )?;
                pages
                    .iter()
                    .try_for_each(|page| write!(formatter, "; {page}"))
            }
            Trouble::Chunk(position) => {
                write!(
                    formatter,
                    "What is stored at position {position} is not a list of entries"
                )
            }
            Trouble::BehindHead(size) => {
                write!(
                    formatter,
                    "There are entries behind position {size}, where the signed head ends"
                )
            }
            Trouble::Record(error) => {
                write!(formatter, "The record of the shop cannot be read: {error}")
            }
            Trouble::OtherRecord => {
                formatter.write_str("The record of the shop does not go with its log")
            }
            Trouble::OtherKeyFile => {
                formatter.write_str("server.key is not the key that the log is signed with")
            }
        }
    }
}

/// A key as people compare it: the first bytes of its hash, in fours.
fn fingerprint(key: &PublicKey) -> String {
    let hash = digest(&[&key.point.0]).0;
    let pairs = hash[..FINGERPRINT_BYTES].chunks(2);
    let words: Vec<String> = pairs
        .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
        .collect();
    words.join("-")
}
