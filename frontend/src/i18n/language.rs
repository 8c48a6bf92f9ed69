//! The languages Pakka knows, each by its own name, and how each counts.

use shared::event;

use super::OFFERED;

/// Which numbers take the form for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    /// Only 1, as in English.
    One,
    /// 0 and 1, as in Hindi.
    ZeroAndOne,
}

/// A language of the screen.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// ISO 639-1 code, which is also the name of the locale file.
    pub code: &'static str,
    /// What its speakers call it.
    pub name: &'static str,
    /// The same in the books of a shop.
    pub of_shop: event::Language,
    counting: Counting,
}

impl Language {
    /// Whether `n` things take the form for one (Unicode CLDR plural rules).
    pub fn counts_as_one(&self, n: u64) -> bool {
        match self.counting {
            Counting::One => n == 1,
            Counting::ZeroAndOne => n <= 1,
        }
    }
}

const fn language(
    code: &'static str,
    name: &'static str,
    of_shop: event::Language,
    counting: Counting,
) -> Language {
    Language {
        code,
        name,
        of_shop,
        counting,
    }
}

/// Every language that Pakka is made for, English first because its file is
/// always there.
pub static LANGUAGES: [Language; 11] = [
    language("en", "English", event::Language::English, Counting::One),
    language("hi", "हिन्दी", event::Language::Hindi, Counting::ZeroAndOne),
    language("mr", "मराठी", event::Language::Marathi, Counting::One),
    language(
        "gu",
        "ગુજરાતી",
        event::Language::Gujarati,
        Counting::ZeroAndOne,
    ),
    language("bn", "বাংলা", event::Language::Bengali, Counting::ZeroAndOne),
    language("ta", "தமிழ்", event::Language::Tamil, Counting::One),
    language("te", "తెలుగు", event::Language::Telugu, Counting::One),
    language("kn", "ಕನ್ನಡ", event::Language::Kannada, Counting::ZeroAndOne),
    language("ml", "മലയാളം", event::Language::Malayalam, Counting::One),
    language("or", "ଓଡ଼ିଆ", event::Language::Odia, Counting::One),
    language(
        "pa",
        "ਪੰਜਾਬੀ",
        event::Language::Punjabi,
        Counting::ZeroAndOne,
    ),
];

/// The languages that can be chosen: those with a complete locale file.
pub fn offered() -> impl Iterator<Item = &'static Language> {
    LANGUAGES
        .iter()
        .filter(|language| OFFERED.contains(&language.code))
}

/// The offered language with this code; of `hi-IN` the first part counts.
pub fn by_code(code: &str) -> Option<&'static Language> {
    let code = code.split('-').next()?;
    offered().find(|language| language.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_set_to_hindi_of_india_gets_hindi() {
        assert_eq!(by_code("hi-IN").map(|found| found.name), Some("हिन्दी"));
    }

    #[test]
    fn a_language_without_a_file_is_not_offered() {
        assert_eq!(by_code("fr"), None);
        assert!(offered().all(|language| OFFERED.contains(&language.code)));
    }

    #[test]
    fn nothing_waiting_is_singular_in_hindi_and_plural_in_english() {
        let counts = |code, n| by_code(code).map(|found| found.counts_as_one(n));
        assert_eq!(counts("hi", 0), Some(true));
        assert_eq!(counts("en", 0), Some(false));
        assert_eq!(counts("en", 1), Some(true));
    }
}
