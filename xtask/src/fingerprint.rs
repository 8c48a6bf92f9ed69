//! A hash over what goes into a build, so that nothing is built twice.

use crate::sh::{Result, root};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Directories that hold results, not sources.
const NOT_SOURCES: [&str; 4] = ["target", "dist", "node_modules", ".git"];

/// All files under a path of the workspace (or the path itself), sorted.
pub fn files_under(path: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        if path.is_file() {
            files.push(path);
        } else if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                if !NOT_SOURCES.iter().any(|name| entry.file_name() == *name) {
                    open.push(entry.path());
                }
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The hash of the names and contents of these files and directories of the
/// workspace, and of some words that matter as well.
pub fn of(paths: &[&str], words: &[&str]) -> Result<String> {
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u64).to_le_bytes());
        hash.update(word);
    }
    for path in paths {
        for file in files_under(&root().join(path))? {
            let bytes = fs::read(&file)?;
            let name = file.strip_prefix(root()).unwrap_or(&file);
            hash.update(name.as_os_str().as_encoded_bytes());
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        }
    }
    Ok(BASE64_URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// A short name for these bytes, fit for a file name.
pub fn short(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What a browser checks a body against (subresource integrity).
pub fn integrity(bytes: &[u8]) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrity_is_what_browsers_expect() {
        // The well-known digest of the empty string.
        assert_eq!(
            integrity(b""),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }

    #[test]
    fn a_name_by_content_changes_with_the_content() {
        assert_eq!(short(b"app"), short(b"app"));
        assert_ne!(short(b"app"), short(b"apq"));
        assert_eq!(short(b"app").len(), 16);
    }
}
