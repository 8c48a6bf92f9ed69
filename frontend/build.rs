//! Turns `locales/en.json` into the enum `Msg`: a text that does not exist, or
//! one whose placeholder is forgotten, does not compile.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// Texts that the core names by a stable code (`code.refusal.over_limit`): they
/// are looked up by key and are no variants.
const NAMED_BY_CODE: &str = "code.";

/// A text is plain, or has forms by number; both may have placeholders.
enum Template {
    Plain(String),
    Plural { one: String, other: String },
}

impl Template {
    fn other(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Plural { other: text, .. } => text,
        }
    }

    /// The placeholders in order of appearance, each once; `n` decides between
    /// the forms of a plural.
    fn placeholders(&self) -> Vec<String> {
        let mut names = Vec::new();
        for part in self.other().split('{').skip(1) {
            let (name, _) = part.split_once('}').expect("a `{` has its `}`");
            if !names.iter().any(|seen| seen == name) {
                names.push(name.to_owned());
            }
        }
        if matches!(self, Self::Plural { .. }) && !names.iter().any(|name| name == "n") {
            names.push("n".to_owned());
        }
        names
    }
}

fn main() {
    println!("cargo::rerun-if-changed=locales");
    // Set for the released app only, see `src/parts.rs`.
    println!("cargo::rustc-check-cfg=cfg(split)");
    let locales = Path::new("locales");
    let english = fs::read_to_string(locales.join("en.json")).expect("locales/en.json is there");
    let english: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&english).expect("locales/en.json is an object of texts");
    let templates: Vec<(String, Template)> = english
        .into_iter()
        .map(|(key, value)| {
            let template = template(&key, &value);
            (key, template)
        })
        .collect();

    let mut offered: Vec<String> = fs::read_dir(locales)
        .expect("locales can be listed")
        .filter_map(|file| {
            let name = file.ok()?.file_name().into_string().ok()?;
            name.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    offered.sort();

    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets OUT_DIR")).join("messages.rs");
    fs::write(out, source(&templates, &offered)).expect("OUT_DIR can be written");
}

fn template(key: &str, value: &serde_json::Value) -> Template {
    let form = |name: &str| {
        value[name]
            .as_str()
            .unwrap_or_else(|| panic!("{key}: a plural has `one` and `other`"))
            .to_owned()
    };
    match value {
        serde_json::Value::String(text) => Template::Plain(text.clone()),
        _ => Template::Plural {
            one: form("one"),
            other: form("other"),
        },
    }
}

/// `home.you_will_get` becomes `HomeYouWillGet`.
fn variant(key: &str) -> String {
    key.split(['.', '_'])
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        })
        .collect()
}

fn source(templates: &[(String, Template)], offered: &[String]) -> String {
    let mut variants = String::new();
    let mut arms = String::new();
    let mut keys = String::new();
    for (index, (key, template)) in templates.iter().enumerate() {
        let _ = writeln!(keys, "    {key:?},");
        if key.starts_with(NAMED_BY_CODE) {
            continue;
        }
        let name = variant(key);
        let fields = template.placeholders();
        let _ = writeln!(
            variants,
            "    /// “{}”",
            template.other().replace('\n', " ")
        );
        if let Template::Plural { one, .. } = template {
            let _ = writeln!(variants, "    ///\n    /// For one: “{one}”");
        }
        if fields.is_empty() {
            let _ = writeln!(variants, "    {name},");
            let _ = writeln!(arms, "            Self::{name} => ({index}, Vec::new()),");
            continue;
        }
        let _ = writeln!(variants, "    {name} {{");
        for field in &fields {
            let (about, kind) = match field.as_str() {
                "n" => ("How many.", "u64"),
                _ => ("Stands in the text as it is.", "String"),
            };
            let _ = writeln!(variants, "        /// {about}\n        {field}: {kind},");
        }
        let _ = writeln!(variants, "    }},");
        let values: Vec<String> = fields
            .iter()
            .map(|field| match field.as_str() {
                "n" => "(\"n\", Value::Number(*n))".to_owned(),
                _ => format!("({field:?}, Value::Words({field}))"),
            })
            .collect();
        let _ = writeln!(
            arms,
            "            Self::{name} {{ {} }} => ({index}, vec![{}]),",
            fields.join(", "),
            values.join(", ")
        );
    }
    format!(
        "/// Every text that a person can see; the words come from the locale file.\n\
         #[derive(Debug)]\n\
         pub enum Msg {{\n{variants}}}\n\n\
         impl Msg {{\n    \
             /// The place of the text in [`KEYS`] and what fills its placeholders.\n    \
             fn parts(&self) -> (usize, Vec<(&'static str, Value<'_>)>) {{\n        \
                 match self {{\n{arms}        }}\n    }}\n}}\n\n\
         /// The keys of a locale file, in the order of [`Msg`].\n\
         const KEYS: [&str; {count}] = [\n{keys}];\n\n\
         /// Codes of the languages that have a complete file.\n\
         const OFFERED: &[&str] = &{offered:?};\n",
        count = templates.len()
    )
}
