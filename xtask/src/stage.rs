//! Finishing a build of the app: Trunk's `post_build` hook.
//!
//! It works on Trunk's staging directory, which replaces `dist` as a whole
//! afterwards, so `dist` is never half finished.

use crate::sh::{Failure, Result, fail};
use crate::{app, fingerprint, parts};
use brotli::enc::BrotliEncoderParams;
use serde_json::json;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

const WORKER: &str = "sw.js";
/// The page that everything begins with.
pub const SHELL: &str = "index.html";
/// What `frontend/public/sw.js` has where the list of files belongs.
const WORKER_PLACEHOLDER: &str = r#"{ version: "unbuilt", files: [] }"#;
/// Trunk puts 16 hexadecimal digits into the names of files that it hashes.
const NAME_HASH_DIGITS: usize = 16;
/// Images are compressed already.
const COMPRESSED_KINDS: [&str; 7] = ["html", "js", "css", "wasm", "json", "svg", "webmanifest"];
const BROTLI_QUALITY: i32 = 11;
const BROTLI_WINDOW_BITS: i32 = 22;

/// Cuts the wasm and makes it small, names it by its content, writes the service worker's list,
/// compresses.
pub fn stage() -> Result<()> {
    let Some(dir) = env::var_os("TRUNK_STAGING_DIR").map(PathBuf::from) else {
        return fail("TRUNK_STAGING_DIR is not set: this is called by Trunk, see Trunk.toml.");
    };
    app::forget()?;
    // Both take long, as does brotli at its best.
    let is_release = env::var_os("TRUNK_PROFILE").is_some_and(|profile| profile == "release");
    if parts::is_wanted() {
        parts::cut(&dir)?;
    }
    if is_release {
        parts::shrink(&dir)?;
    }
    name_by_content(&dir)?;
    write_worker(&dir)?;
    if is_release {
        compress_all(&dir)?;
    }
    Ok(())
}

/// A name that is cached for ever must follow from the bytes that are served: Trunk hashes the app
/// before all that is done to it afterwards.
///
/// The scripts of the app name each other and every wasm, so they share one hash, over all of them.
fn name_by_content(dir: &Path) -> Result<()> {
    let mut renamed = Vec::new();
    let mut scripts = Vec::new();
    for file in fingerprint::files_under(dir)? {
        let name = name_in(dir, &file);
        if name.ends_with(".wasm") {
            let hash = fingerprint::short(&fs::read(&file)?);
            let new = match hash_in(&name) {
                Some(old) => name.replace(old, &hash),
                None => name.replace(".wasm", &format!("-{hash}.wasm")),
            };
            renamed.push((name, new));
        } else if name.ends_with(".js") && hash_in(&name).is_some() {
            scripts.push(name);
        }
    }
    rename(dir, &scripts, &renamed)?;
    let mut all = Vec::new();
    for name in &scripts {
        all.extend(fs::read(dir.join(name))?);
    }
    let hash = fingerprint::short(&all);
    let renamed: Vec<_> = scripts
        .iter()
        .filter_map(|name| Some((name.clone(), name.replace(hash_in(name)?, &hash))))
        .collect();
    rename(dir, &scripts, &renamed)
}

/// Gives files new names, in the scripts and the page as well.
fn rename(dir: &Path, scripts: &[String], renamed: &[(String, String)]) -> Result<()> {
    for name in scripts.iter().map(String::as_str).chain([SHELL]) {
        let mut text = fs::read_to_string(dir.join(name))?;
        for (old, new) in renamed {
            text = text.replace(old, new);
        }
        fs::write(dir.join(name), text)?;
    }
    for (old, new) in renamed {
        fs::rename(dir.join(old), dir.join(new))?;
    }
    Ok(())
}

fn write_worker(dir: &Path) -> Result<()> {
    let path = dir.join(WORKER);
    let source = fs::read_to_string(&path)?;
    if !source.contains(WORKER_PLACEHOLDER) {
        return fail(format!("{WORKER} lacks the line `{WORKER_PLACEHOLDER}`"));
    }
    let mut files = Vec::new();
    for file in kept_offline(dir)? {
        let name = name_in(dir, &file);
        let url = if name == SHELL { "" } else { &name };
        files.push(json!({
            "url": format!("/{url}"),
            "integrity": fingerprint::integrity(&fs::read(&file)?),
            "named_by_content": hash_in(&name).is_some(),
        }));
    }
    let list = serde_json::to_string_pretty(&files).map_err(|e| Failure(e.to_string()))?;
    // The worker's own text is part of the version: it decides how they are served.
    let version = fingerprint::short(format!("{source}{list}").as_bytes());
    let build = format!("{{ version: \"{version}\", files: {list} }}");
    fs::write(path, source.replace(WORKER_PLACEHOLDER, &build))?;
    Ok(())
}

/// The files that the app needs without a network. The worker itself is kept
/// by the browser; pictures are for the launcher, which fetches them itself.
pub fn kept_offline(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = fingerprint::files_under(dir)?;
    files.retain(|file| {
        let name = name_in(dir, file);
        name != WORKER && !name.ends_with(".br") && !name.ends_with(".png")
    });
    Ok(files)
}

fn compress_all(dir: &Path) -> Result<()> {
    let parameters = BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW_BITS,
        ..BrotliEncoderParams::default()
    };
    for file in fingerprint::files_under(dir)? {
        let kind = file.extension().unwrap_or_default().to_string_lossy();
        if !COMPRESSED_KINDS.contains(&kind.as_ref()) {
            continue;
        }
        let plain = fs::read(&file)?;
        let mut packed = Vec::new();
        brotli::BrotliCompress(&mut plain.as_slice(), &mut packed, &parameters)?;
        if packed.len() < plain.len() {
            let mut name = file.into_os_string();
            name.push(".br");
            fs::write(name, packed)?;
        }
    }
    Ok(())
}

/// The file's path inside the directory, with slashes.
pub fn name_in(dir: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(dir).unwrap_or(file);
    inside.to_string_lossy().replace('\\', "/")
}

/// The hash that is part of a file's name, if it has one.
fn hash_in(name: &str) -> Option<&str> {
    name.split(|c: char| !c.is_ascii_hexdigit())
        .find(|part| part.len() == NAME_HASH_DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_hash_in_a_name() {
        let wasm = "frontend-0123456789abcdef_bg.wasm";
        assert_eq!(hash_in(wasm), Some("0123456789abcdef"));
        assert_eq!(hash_in("locales/en.json"), None);
        assert_eq!(hash_in("icons/icon-192.png"), None);
    }

    #[test]
    fn the_worker_has_a_place_for_its_list() {
        let worker = crate::sh::root().join("frontend/public/sw.js");
        let source = fs::read_to_string(worker).expect("the worker is there");
        assert_eq!(source.matches(WORKER_PLACEHOLDER).count(), 1);
    }
}
