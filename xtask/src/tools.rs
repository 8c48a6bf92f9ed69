//! The tools that building and testing need, each pinned.
//!
//! They go into `<cache>/pakka/tools/<name>-<version>`, so that they disturb
//! nothing on the machine and a second clone finds them there. What the machine
//! already has in the right version is used instead.

use crate::sh::{Result, cargo, command, fail, finds, output, read, root, run, say};
use std::env;
use std::fs;
use std::io::{ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};

const TRUNK_VERSION: &str = "0.21.14";
const WASM_SPLIT_VERSION: &str = "0.2.4";
const NEXTEST_VERSION: &str = "0.9.151";
const CARGO_FUZZ_VERSION: &str = "0.13.2";
const BINARYEN_VERSION: &str = "132";
const ATUIN_SERVER_VERSION: &str = "18.24.4";

/// A server to be measured against; [`for_peers`] puts it on PATH.
pub const ATUIN_SERVER: &str = "atuin-server";
/// The oldest that Playwright and binaryen run on; Debian 12 has it.
const NODE_MAJOR_MIN: u32 = 18;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// A tool that cargo builds from the registry.
struct CargoTool {
    package: &'static str,
    binary: &'static str,
    version: String,
    /// Arguments that leave out what is not needed, to build faster.
    features: &'static [&'static str],
    /// Whether any version on PATH will do.
    any_version: bool,
    /// Whether it is only used. What is measured is built as its authors build it.
    built_fast: bool,
}

fn trunk() -> CargoTool {
    CargoTool {
        package: "trunk",
        binary: "trunk",
        version: TRUNK_VERSION.into(),
        features: &["--no-default-features", "--features", "rustls"],
        any_version: false,
        built_fast: true,
    }
}

/// The generated loader only fits the library of the same version.
fn wasm_bindgen() -> Result<CargoTool> {
    Ok(CargoTool {
        package: "wasm-bindgen-cli",
        binary: "wasm-bindgen",
        version: locked_version("wasm-bindgen")?,
        features: &[],
        any_version: false,
        built_fast: true,
    })
}

/// Cuts the app into its parts. It goes with the macro that marks them, which leptos names.
fn wasm_split() -> CargoTool {
    CargoTool {
        package: "wasm_split_cli_support",
        binary: "wasm-split-cli",
        version: WASM_SPLIT_VERSION.into(),
        features: &["--features", "build-binary"],
        any_version: false,
        built_fast: true,
    }
}

fn nextest() -> CargoTool {
    CargoTool {
        package: "cargo-nextest",
        binary: "cargo-nextest",
        version: NEXTEST_VERSION.into(),
        features: &["--no-default-features"],
        any_version: true,
        built_fast: true,
    }
}

fn cargo_fuzz() -> CargoTool {
    CargoTool {
        package: "cargo-fuzz",
        binary: "cargo-fuzz",
        version: CARGO_FUZZ_VERSION.into(),
        features: &[],
        any_version: true,
        built_fast: true,
    }
}

fn atuin_server() -> CargoTool {
    CargoTool {
        package: ATUIN_SERVER,
        binary: ATUIN_SERVER,
        version: ATUIN_SERVER_VERSION.into(),
        features: &[],
        any_version: false,
        built_fast: false,
    }
}

/// Everything, for `cargo xtask setup`.
pub fn install_all() -> Result<()> {
    for_app()?;
    for_tests()?;
    tidy()?;
    say("everything is in place");
    Ok(())
}

/// What building the app needs.
pub fn for_app() -> Result<()> {
    c_compiler()?;
    wasm_target()?;
    std_source()?;
    install(&trunk())?;
    install(&wasm_bindgen()?)?;
    install(&wasm_split())?;
    wasm_opt()
}

/// What the quick checks need.
pub fn for_checks() -> Result<()> {
    c_compiler()?;
    wasm_target()?;
    rust_component("clippy")?;
    rust_component("rustfmt")?;
    // Lets the system calls of the server fail.
    debian("strace", &["strace"])?;
    install(&nextest())
}

/// What fuzzing needs.
pub fn for_fuzz() -> Result<()> {
    c_compiler()?;
    if !finds("c++") {
        debian("c++", &["g++"])?;
    }
    install(&cargo_fuzz())
}

/// What the tests need beside [`for_app`].
pub fn for_tests() -> Result<()> {
    for_checks()?;
    debian("chromium", &["chromium"])?;
    debian("chromedriver", &["chromium-driver"])?;
    debian_font("NotoSansDevanagari", "fonts-noto-core")?;
    playwright()
}

/// The systems that the server is measured against. Tests need none of them.
pub fn for_peers() -> Result<()> {
    install(&atuin_server())?;
    tidy()?;
    for_node_peers()
}

/// Those of them that run on Node, and PouchDB for the browser.
pub fn for_node_peers() -> Result<()> {
    npm_ci(&node_peers(), "the peers that run on Node")
}

/// Where they are.
pub fn node_peers() -> PathBuf {
    root().join("benches/peers")
}

/// Directories of the tools, to be put in front of PATH.
pub fn bin_dirs() -> Vec<PathBuf> {
    let mut dirs: Vec<PathBuf> = [
        Ok(trunk()),
        wasm_bindgen(),
        Ok(wasm_split()),
        Ok(nextest()),
        Ok(atuin_server()),
        Ok(cargo_fuzz()),
    ]
    .into_iter()
    .flatten()
    .map(|tool| tool_dir(tool.package, &tool.version).join("bin"))
    .collect();
    dirs.push(binaryen_dir().join("node_modules/.bin"));
    dirs
}

/// Removes what building the tools has left: a gigabyte that is not needed again.
pub fn tidy() -> Result<()> {
    match fs::remove_dir_all(build_dir()) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn build_dir() -> PathBuf {
    cache_dir().join("build")
}

fn cache_dir() -> PathBuf {
    env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|dir| dir.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_else(|| root().join("target"))
        .join("pakka")
}

fn tool_dir(name: &str, version: &str) -> PathBuf {
    cache_dir().join("tools").join(format!("{name}-{version}"))
}

fn install(tool: &CargoTool) -> Result<()> {
    // cargo puts it there when all of it is built; not every tool can tell its version.
    let bin = tool_dir(tool.package, &tool.version).join("bin");
    if bin.join(tool.binary).is_file() {
        return Ok(());
    }
    if let Some(found) = output(command(tool.binary).arg("--version"))
        && (tool.any_version || found.split_whitespace().any(|word| word == tool.version))
    {
        return Ok(());
    }
    let (package, version) = (tool.package, &tool.version);
    say(format!(
        "installing {package} {version} (once; a few minutes)"
    ));
    let attempt = |locked: bool| {
        let mut command = cargo();
        command
            .args(["install", package, "--version", version, "--root"])
            .arg(tool_dir(package, version))
            .args(tool.features)
            .current_dir(fresh_dir(&cache_dir())?)
            // One directory for all tools: shared dependencies are built once,
            // and an interrupted installation goes on where it was.
            .env("CARGO_TARGET_DIR", build_dir());
        if tool.built_fast {
            command
                .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
                .env("CARGO_PROFILE_RELEASE_LTO", "off")
                .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
                .env("CARGO_PROFILE_RELEASE_DEBUG", "0");
        }
        if locked {
            command.arg("--locked");
        }
        run(&mut command)
    };
    // A mirror may lag behind the versions in a tool's own lock file.
    if attempt(true).or_else(|_| attempt(false)).is_err() {
        return fail(format!(
            "{package} {version} could not be installed: its download or its build failed (see above).\n\
             What to do: check that this machine reaches crates.io or the registry set in\n\
             ~/.cargo/config.toml, and start again. Or install it by hand:\n\
             \x20   cargo install {package} --version {version}"
        ));
    }
    Ok(())
}

/// The version of a package in `Cargo.lock`.
fn locked_version(package: &str) -> Result<String> {
    let lock = fs::read_to_string(root().join("Cargo.lock"))?;
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    lines.find(|line| *line == name);
    match lines
        .next()
        .and_then(|line| line.strip_prefix("version = \""))
    {
        Some(version) => Ok(version.trim_end_matches('"').to_owned()),
        None => fail(format!("Cargo.lock names no {package}")),
    }
}

fn c_compiler() -> Result<()> {
    if finds("cc") || finds("gcc") || finds("clang") {
        return Ok(());
    }
    debian("cc", &["gcc", "libc6-dev"])
}

fn wasm_target() -> Result<()> {
    let target = format!("target {WASM_TARGET}");
    of_rust(
        &Path::new("lib/rustlib").join(WASM_TARGET),
        &target,
        &["target", "add", WASM_TARGET],
    )
}

/// The source of the standard library, which the app has built for size.
fn std_source() -> Result<()> {
    let library = Path::new("lib/rustlib/src/rust/library/std");
    of_rust(
        library,
        "component rust-src",
        &["component", "add", "rust-src"],
    )
}

/// A part of the Rust installation that lies at `place` in it.
fn of_rust(place: &Path, name: &str, rustup: &[&str]) -> Result<()> {
    let Some(sysroot) = output(command("rustc").args(["--print", "sysroot"])) else {
        return fail("rustc did not run. Install Rust with rustup: https://rustup.rs");
    };
    if Path::new(&sysroot).join(place).is_dir() {
        return Ok(());
    }
    say(format!("installing the Rust {name}"));
    run(command("rustup").args(rustup)).or_else(|failure| {
        fail(format!(
            "The Rust {name} could not be installed: {failure}.\n\
             What to do: check that this machine reaches static.rust-lang.org, then run\n\
             \x20   rustup {}",
            rustup.join(" ")
        ))
    })
}

fn rust_component(name: &str) -> Result<()> {
    let program = if name == "clippy" {
        "cargo-clippy"
    } else {
        "rustfmt"
    };
    if output(command(program).arg("--version")).is_some() {
        return Ok(());
    }
    say(format!("installing the Rust component {name}"));
    run(command("rustup").args(["component", "add", name])).or_else(|failure| {
        fail(format!(
            "The Rust component {name} could not be installed: {failure}.\n\
             What to do: check that this machine reaches static.rust-lang.org, then run\n\
             \x20   rustup component add {name}"
        ))
    })
}

fn binaryen_dir() -> PathBuf {
    tool_dir("binaryen", BINARYEN_VERSION)
}

/// Debian's wasm-opt is too old for what rustc emits now; npm has a current one.
fn wasm_opt() -> Result<()> {
    let wanted = format!("version {BINARYEN_VERSION} ");
    let version = output(command("wasm-opt").arg("--version"));
    if version.is_some_and(|found| format!("{found} ").contains(&wanted)) {
        return Ok(());
    }
    node()?;
    say(format!("installing wasm-opt {BINARYEN_VERSION}"));
    npm(
        &["install", "--no-save", "--prefix", "."],
        &[&format!("binaryen@{BINARYEN_VERSION}.0.0")],
        &fresh_dir(&binaryen_dir())?,
    )
}

fn playwright() -> Result<()> {
    npm_ci(&root().join("e2e"), "Playwright")
}

/// Installs what a lock file names, unless that was done.
fn npm_ci(dir: &Path, what: &str) -> Result<()> {
    node()?;
    let wanted = read(&dir.join("package-lock.json"))?;
    // npm leaves no copy of the lock that it installed from: keep one.
    let stamp = dir.join("node_modules/.installed-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    say(format!("installing {what}"));
    npm(&["ci"], &[], dir)?;
    fs::write(stamp, wanted)?;
    Ok(())
}

fn npm(arguments: &[&str], packages: &[&str], dir: &Path) -> Result<()> {
    let mut command = command("npm");
    command
        .args(arguments)
        .args(["--no-fund", "--no-audit", "--loglevel=error"])
        .args(packages)
        .current_dir(dir)
        // The browser comes from Debian.
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    run(&mut command).or_else(|failure| {
        fail(format!(
            "{failure}.\n\
             What to do: check that this machine reaches registry.npmjs.org or the registry\n\
             set in ~/.npmrc, and start again."
        ))
    })
}

fn node() -> Result<()> {
    if !finds("node") || !finds("npm") {
        let missing: &[&str] = if finds("node") {
            &["npm"]
        } else {
            &["nodejs", "npm"]
        };
        debian("npm", missing)?;
    }
    let version = output(command("node").arg("--version")).unwrap_or_default();
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        _ => fail(format!(
            "Node {NODE_MAJOR_MIN} or newer is needed, found \"{version}\".\n\
             What to do: install a newer Node and start again."
        )),
    }
}

fn debian_font(file_prefix: &str, package: &str) -> Result<()> {
    let found = output(command("fc-list").args([":lang=hi", "file"]));
    if found.is_some_and(|fonts| fonts.contains(file_prefix)) {
        return Ok(());
    }
    apt(&["fontconfig", package])
}

/// Installs Debian packages unless the program that they bring is there.
fn debian(program: &str, packages: &[&str]) -> Result<()> {
    if finds(program) {
        return Ok(());
    }
    apt(packages)?;
    if finds(program) {
        return Ok(());
    }
    fail(format!(
        "Debian's {} was installed but brought no `{program}`.",
        packages.join(", ")
    ))
}

fn apt(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let by_hand = format!("apt-get install --no-install-recommends {list}");
    if !finds("apt-get") {
        return fail(format!(
            "This is not Debian. Install the equivalent of these packages and start again: {list}"
        ));
    }
    let is_root = output(command("id").arg("-u")).is_some_and(|uid| uid == "0");
    if !is_root && !finds("sudo") {
        return fail(format!(
            "Missing: {list}. Run this as root, then start again:\n    {by_hand}"
        ));
    }
    say(format!("installing Debian's {list}"));
    let apt_get = |arguments: &[&str]| {
        let mut command = if is_root {
            command("env")
        } else {
            let mut sudo = command("sudo");
            if !std::io::stdin().is_terminal() {
                sudo.arg("--non-interactive");
            }
            sudo.arg("env");
            sudo
        };
        run(command
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet"])
            .args(arguments))
    };
    // A stale list is no reason to stop: what is wanted may still be there.
    let _ = apt_get(&["update"]);
    let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
    arguments.extend(packages);
    apt_get(&arguments).or_else(|failure| {
        fail(format!(
            "{failure}.\n\
             What to do: check that this machine reaches its Debian mirror, run this as root,\n\
             and start again:\n    {by_hand}"
        ))
    })
}

fn fresh_dir(dir: &Path) -> Result<PathBuf> {
    fs::create_dir_all(dir)?;
    Ok(dir.to_owned())
}
