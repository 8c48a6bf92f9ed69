//! Cutting the released app into parts: the first load, and what is fetched when it is needed.
//!
//! `frontend/src/parts.rs` marks functions; `wasm-split-cli` follows what each of them needs and
//! moves what the first load does not need into files of their own. It works on what the linker
//! wrote, with its relocations, so it stands between cargo and wasm-bindgen. Trunk has no place for
//! it there: its hook makes these files anew from cargo's and puts them where Trunk's stood.

use crate::sh::{Result, command, fail, run, target_dir};
use crate::{small, stage};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The flag of a build whose functions are marked.
const MARKED: &str = "--cfg=split";

/// What cargo has built.
const LINKED: &str = "wasm32-unknown-unknown/wasm-release/frontend.wasm";

/// What the app is called in the making. The loader of the parts names it.
const NAME: &str = "app";
/// The name that the tool gives to the loader of the parts.
const LOADER: &str = "__wasm_split.js";

/// For wasm-opt: what the compiler may have used. The section that says so is lost in the cut.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// Was this build asked to be cut?
pub fn is_wanted() -> bool {
    env::var(small::FLAGS).is_ok_and(|flags| flags.contains(MARKED))
}

/// Is this the wasm of a part, or what several parts share?
pub fn is_part(name: &str) -> bool {
    ["split_", "chunk_"]
        .iter()
        .any(|begin| name.starts_with(begin))
}

/// Puts the first load in the place of Trunk's files in `dir`, and the parts beside it.
pub fn cut(dir: &Path) -> Result<()> {
    let linked = target_dir().join(LINKED);
    let work = target_dir().join("pakka-parts");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    let (cut, bound) = (work.join("cut"), work.join("bound"));
    fs::create_dir_all(&cut)?;
    run(command("wasm-split-cli")
        .args(["--target", "web", "--out-name", NAME])
        .arg(&linked)
        .arg(&cut))?;
    let first = cut.join(format!("{NAME}.wasm"));
    run(command("wasm-bindgen")
        .args(["--target", "web", "--no-typescript", "--out-name", NAME])
        // The parts use the table and the memory of the first load.
        .arg("--keep-lld-exports")
        .arg("--out-dir")
        .arg(&bound)
        .arg(&first))?;
    fs::remove_file(&first)?;

    let (js, wasm) = (of_trunk(dir, ".js")?, of_trunk(dir, "_bg.wasm")?);
    let [js_name, wasm_name] = [&js, &wasm].map(|file| file_name(file));
    let loader_name = js_name.replacen("frontend", "parts", 1);
    fs::rename(bound.join(format!("{NAME}_bg.wasm")), &wasm)?;
    let app = fs::read_to_string(bound.join(format!("{NAME}.js")))?
        // Where it is imported; the wasm goes on to call it by the tool's name.
        .replace(
            &format!("from \"./{LOADER}\""),
            &format!("from \"./{loader_name}\""),
        )
        .replace(&format!("{NAME}_bg.wasm"), &wasm_name);
    fs::write(&js, app)?;
    let loader = fs::read_to_string(cut.join(LOADER))?
        .replace(&format!("./{NAME}.js"), &format!("./{js_name}"));
    fs::write(dir.join(&loader_name), loader)?;
    fetch_at_once(dir, &js_name, &loader_name)?;
    fs::remove_file(cut.join(LOADER))?;
    for part in fs::read_dir(&cut)? {
        let part = part?.path();
        fs::rename(&part, dir.join(file_name(&part)))?;
    }
    Ok(())
}

/// Makes every wasm in `dir` as small as it gets.
pub fn shrink(dir: &Path) -> Result<()> {
    for file in fs::read_dir(dir)? {
        let file = file?.path();
        if file.extension().is_some_and(|kind| kind == "wasm") {
            run(command("wasm-opt")
                .arg("-Oz")
                .args(FEATURES)
                .arg(&file)
                .arg("--output")
                .arg(&file))?;
        }
    }
    Ok(())
}

/// Has the page fetch the loader beside the app's script, not after it.
fn fetch_at_once(dir: &Path, js_name: &str, loader_name: &str) -> Result<()> {
    let page = dir.join(stage::SHELL);
    let html = fs::read_to_string(&page)?;
    let link = |name: &str| format!(r#"<link rel="modulepreload" href="/{name}""#);
    let Some((before, after)) = html.split_once(&link(js_name)) else {
        return fail("Trunk's page has no link to the app's script");
    };
    let (app, loader) = (link(js_name), link(loader_name));
    fs::write(
        page,
        format!("{before}{loader} crossorigin=\"anonymous\">{app}{after}"),
    )?;
    Ok(())
}

/// The app's file with this ending, as Trunk named it.
fn of_trunk(dir: &Path, ending: &str) -> Result<PathBuf> {
    for file in fs::read_dir(dir)? {
        let file = file?.path();
        let name = file_name(&file);
        if name.starts_with("frontend-") && name.ends_with(ending) {
            return Ok(file);
        }
    }
    fail(format!("Trunk has left no frontend-*{ending}"))
}

fn file_name(file: &Path) -> String {
    file.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
