//! The app, as files with everything that HTTP must say about them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use axum::body::Bytes;
use shared::chain::digest;

/// The page that every address of the app begins with.
const INDEX: &str = "index.html";

/// What stands in place of the app where it was not built.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
<title>Pakka: app not built</title><h1>App not built</h1>\
<p>This server was built without the app. The shop's entries on the phones are not affected.</p>\
<p>Build both with <code>cargo xtask run</code>.</p></html>";

/// Digits of the content hash in the names that the build gives to files.
const HASH_DIGITS: usize = 16;

/// One file of the app.
pub struct Asset {
    /// Its bytes.
    pub bytes: Bytes,
    /// The same, compressed with brotli by the build.
    pub brotli: Option<Bytes>,
    /// The media type.
    pub media_type: &'static str,
    /// What `ETag` says of the plain bytes, quotes included.
    pub etag: String,
    /// The name changes with the contents: it can be kept for ever.
    pub is_immutable: bool,
}

/// All files of the app by their paths, without a leading slash.
pub struct Assets(BTreeMap<String, Asset>);

impl Assets {
    /// An app of these files, by their paths without a leading slash. Without a first page, as
    /// where the app was not built, the server says so.
    pub fn from_files(files: impl IntoIterator<Item = (String, Cow<'static, [u8]>)>) -> Assets {
        let files = files.into_iter().map(|(path, bytes)| {
            let bytes = match bytes {
                Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                Cow::Owned(bytes) => Bytes::from(bytes),
            };
            (path, bytes)
        });
        Assets::put_together(files.collect())
    }

    /// An app in a folder, for those who work on the app.
    ///
    /// # Errors
    ///
    /// Whatever stands in the way of reading it.
    pub fn from_folder(folder: &Path) -> io::Result<Assets> {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str) {
                    files.insert(name.to_owned(), Bytes::from(fs::read(&path)?));
                }
            }
        }
        Ok(Assets::put_together(files))
    }

    fn put_together(mut files: BTreeMap<String, Bytes>) -> Assets {
        files
            .entry(INDEX.to_owned())
            .or_insert(Bytes::from_static(NOT_BUILT.as_bytes()));
        let names: Vec<String> = files
            .keys()
            .filter(|name| !name.ends_with(".br"))
            .cloned()
            .collect();
        let assets = names.into_iter().filter_map(|name| {
            let brotli = files.remove(&format!("{name}.br"));
            let bytes = files.remove(&name)?;
            let asset = Asset {
                etag: format!("\"{}\"", &digest(&[&bytes]).to_string()[..2 * HASH_DIGITS]),
                media_type: media_type(&name),
                is_immutable: has_hashed_name(&name),
                brotli,
                bytes,
            };
            Some((name, asset))
        });
        Assets(assets.collect())
    }

    /// What belongs at the path of a URL. Addresses within the app, which have no dot, are its
    /// first page; a file that is not there is nothing, never that page.
    pub fn at(&self, path: &str) -> Option<&Asset> {
        let path = path.trim_start_matches('/');
        let is_page = !path.rsplit('/').next().unwrap_or(path).contains('.');
        self.0.get(if is_page { INDEX } else { path })
    }
}

/// `pakka-0123456789abcdef.js` and `pakka-0123456789abcdef_bg.wasm` have hashes in their names.
fn has_hashed_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let Some((_, end)) = name.rsplit_once('-') else {
        return false;
    };
    let digits = end.bytes().take_while(u8::is_ascii_hexdigit).count();
    digits >= HASH_DIGITS && matches!(end.as_bytes().get(digits), Some(b'.' | b'_'))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" | "ftl" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        for name in [
            "pakka-0123456789abcdef.js",
            "pakka-0123456789abcdef_bg.wasm",
            "a/main-fedcba9876543210.css",
        ] {
            assert!(has_hashed_name(name), "{name}");
        }
        for name in [
            "sw.js",
            "index.html",
            "locales/hi.json",
            "icons/icon-192.png",
            "a-abc.js",
        ] {
            assert!(!has_hashed_name(name), "{name}");
        }
    }

    #[test]
    fn a_server_without_an_app_says_so() {
        let assets = Assets::from_files([]);
        let page = assets.at("/khata/1-2").expect("every address has a page");
        assert!(String::from_utf8_lossy(&page.bytes).contains("App not built"));
        assert!(assets.at("/boot.js").is_none());
    }
}
