//! Light, dark or bright sun: kept on this phone, shown by `data-theme`.

use super::{remembered, root};

/// Where the choice is kept in the local storage.
const STORAGE_KEY: &str = "pakka.theme";

/// How the screen looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// As the phone is set.
    Auto,
    /// Ink on paper.
    Light,
    /// For the evening.
    Dark,
    /// High contrast for bright sun.
    Outdoor,
}

impl Theme {
    /// All, in the order of the setting.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Light, Self::Dark, Self::Outdoor];

    /// The value of `data-theme`, and of the setting.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
            Self::Outdoor => "outdoor",
        }
    }

    /// The choice kept on this phone.
    pub fn remembered() -> Self {
        let code: String = remembered::get(STORAGE_KEY).unwrap_or_default();
        Self::ALL
            .into_iter()
            .find(|theme| theme.code() == code)
            .unwrap_or(Self::Auto)
    }

    /// Keeps the choice and shows it.
    pub fn choose(self) {
        remembered::set(STORAGE_KEY, self.code());
        self.show();
    }

    /// Puts the colours on the page.
    pub fn show(self) {
        if let Some(root) = root() {
            let _ = match self {
                Self::Auto => root.remove_attribute("data-theme"),
                _ => root.set_attribute("data-theme", self.code()),
            };
        }
    }
}
