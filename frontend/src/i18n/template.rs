//! A text with its placeholders, and how they are filled.

use super::language::Language;

/// What stands in the place of a placeholder.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Words(&'a str),
    Number(u64),
}

/// A text as it stands in a locale file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Template {
    /// The same for any number.
    Plain(String),
    /// Forms for one and for all other numbers.
    Plural { one: String, other: String },
}

impl Template {
    /// The text in words. A placeholder that nothing fills stays as it is, so
    /// that a mistake in a locale file is seen and hides nothing.
    pub(super) fn fill(&self, language: &Language, values: &[(&'static str, Value<'_>)]) -> String {
        let number = values.iter().find_map(|(_, value)| match value {
            Value::Number(n) => Some(*n),
            Value::Words(_) => None,
        });
        let text = match self {
            Self::Plain(text) => text,
            Self::Plural { one, other } => match number {
                Some(n) if language.counts_as_one(n) => one,
                _ => other,
            },
        };
        let mut filled = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                filled.push('{');
                rest = after;
                continue;
            };
            match values.iter().find(|(known, _)| *known == name) {
                Some((_, Value::Words(words))) => filled.push_str(words),
                Some((_, Value::Number(n))) => filled.push_str(&n.to_string()),
                None => {
                    filled.push('{');
                    filled.push_str(name);
                    filled.push('}');
                }
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::super::language::by_code;
    use super::*;

    fn fill(template: &Template, code: &str, values: &[(&'static str, Value<'_>)]) -> String {
        template.fill(by_code(code).expect("offered"), values)
    }

    #[test]
    fn a_name_with_braces_in_it_is_written_as_it_is() {
        let template = Template::Plain("Got from {name}, {amount}".into());
        let values = [
            ("name", Value::Words("{amount}")),
            ("amount", Value::Words("₹300")),
        ];
        assert_eq!(fill(&template, "en", &values), "Got from {amount}, ₹300");
    }

    #[test]
    fn one_entry_waits_and_two_entries_wait() {
        let template = Template::Plural {
            one: "{n} entry waits".into(),
            other: "{n} entries wait".into(),
        };
        let waiting = |n| fill(&template, "en", &[("n", Value::Number(n))]);
        assert_eq!(waiting(1), "1 entry waits");
        assert_eq!(waiting(2), "2 entries wait");
    }

    #[test]
    fn an_unknown_placeholder_is_shown_and_nothing_is_swallowed() {
        let template = Template::Plain("a {b} c { d".into());
        assert_eq!(fill(&template, "en", &[]), "a {b} c { d");
    }
}
