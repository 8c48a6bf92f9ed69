//! Line drawings on a grid of 24; each stands beside a word, never alone
//! without a name.

use leptos::prelude::*;

/// A drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// An arrow to the left: back.
    Back,
    /// A bound book: the khata.
    Book,
    /// A basket: a sale.
    Basket,
    /// Three bars: reports.
    Bars,
    /// A calendar sheet.
    Calendar,
    /// Two ticks: confirmed.
    Confirmed,
    /// A cross: close.
    Cross,
    /// Takes back a digit.
    Delete,
    /// A sheet of paper with lines.
    Document,
    /// An arrow down: came in.
    In,
    /// Lines: more.
    Lines,
    /// An arrow up: went out.
    Out,
    /// A person.
    Person,
    /// A phone.
    Phone,
    /// A plus.
    Plus,
    /// A bent arrow: goods come back.
    Return,
    /// A looking glass.
    Search,
    /// An arrow out of a tray: send.
    Send,
    /// A shop front.
    Shop,
    /// A tick: saved.
    Tick,
    /// A hand of a clock: waits.
    Waits,
    /// A triangle: attention.
    Warning,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Back => "M20 12H5M11 6l-6 6 6 6",
            Self::Book => "M5 5a2 2 0 0 1 2-2h12v18H7a2 2 0 0 1-2-2zM9 3v18M12.5 8h3.5",
            Self::Basket => "M4 10h16l-1.5 10h-13zM8 10l3-6M16 10l-3-6M10 14v2M14 14v2",
            Self::Bars => "M4 20h16M7 20v-7M12 20V5M17 20V10",
            Self::Calendar => "M4 6h16v14H4zM4 10h16M8 3v4M16 3v4",
            Self::Confirmed => "M2 13l4 4L15 7M11 16l1 1L22 7",
            Self::Cross => "M6 6l12 12M18 6L6 18",
            Self::Delete => "M21 5H9l-6 7 6 7h12zM12 9.5l5 5M17 9.5l-5 5",
            Self::Document => "M6 3h9l4 4v14H6zM9 11h7M9 15h7",
            Self::In => "M12 5v14M6 13l6 6 6-6",
            Self::Lines => "M4 7h16M4 12h16M4 17h16",
            Self::Out => "M12 19V5M6 11l6-6 6 6",
            Self::Person => "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21c0-4 3.5-6 8-6s8 2 8 6",
            Self::Phone => "M7 2h10v20H7zM11 18h2",
            Self::Plus => "M12 5v14M5 12h14",
            Self::Return => "M9 14l-5-5 5-5M4 9h10a5.5 5.5 0 0 1 0 11h-3",
            Self::Search => "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5",
            Self::Send => "M12 15V4M7 8l5-5 5 5M4 14v6h16v-6",
            Self::Shop => "M4 10v10h16V10M3 10l2-6h14l2 6zM10 20v-6h4v6",
            Self::Tick => "M5 13l4 4L19 7",
            Self::Waits => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2",
            Self::Warning => "M12 3l10 17H2zM12 10v4M12 17v.1",
        }
    }
}

/// The drawing, 24 px, in the colour of the text.
pub fn icon(icon: Icon) -> AnyView {
    drawing(icon, "icon")
}

/// The drawing, 16 px, for states within a line of text.
pub fn little_icon(icon: Icon) -> AnyView {
    drawing(icon, "icon little")
}

/// The tick that is drawn once after a save.
pub fn drawn_tick() -> AnyView {
    drawing(Icon::Tick, "icon tick")
}

fn drawing(icon: Icon, class: &'static str) -> AnyView {
    view! {
        <svg class=class viewBox="0 0 24 24" aria-hidden="true">
            <path d=icon.path() />
        </svg>
    }
    .into_any()
}
