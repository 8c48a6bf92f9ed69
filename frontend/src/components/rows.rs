//! Rows of lists: a customer, a setting, an entry of the khata.

use leptos::prelude::*;
use shared::money::Paise;

use super::amount::{Side, amount, amount_of_side, in_words};
use super::icon::{Icon, icon, little_icon};
use crate::i18n::{Msg, t};
use crate::place::Place;
use crate::store::EntryState;

/// A row that leads to a screen: a drawing, words, and what stands at the side.
pub fn link_row(
    to: Place,
    drawing: AnyView,
    title: String,
    note: Option<String>,
    side: Option<AnyView>,
) -> AnyView {
    view! {
        <a class="row" href=to.to_string()>
            {drawing}
            <span class="what">
                <span class="title">{title}</span>
                {note.map(|note| view! { <span class="note">{note}</span> })}
            </span>
            {side.map(|side| view! { <span class="side">{side}</span> })}
        </a>
    }
    .into_any()
}

/// A row of settings, with its drawing.
pub fn setting_row(to: Place, drawing: Icon, title: Msg, note: Option<String>) -> AnyView {
    link_row(to, icon(drawing), t(title), note, None)
}

/// The first letter of a name, with its matras, in a ring.
pub fn initial(name: &str) -> AnyView {
    view! {
        <span class="initial" aria-hidden="true">
            {first_letter(name)}
        </span>
    }
    .into_any()
}

/// The first letter as a reader sees it: a consonant keeps its vowel sign.
fn first_letter(name: &str) -> String {
    let mut letters = name.trim().chars();
    let Some(first) = letters.next() else {
        return String::new();
    };
    let mut letter: String = first.to_uppercase().collect();
    letter.extend(letters.take_while(|&c| is_sign(c)));
    letter
}

/// Vowel signs, nasal marks and viramas of the Indic scripts, each of which has
/// a block of 128 characters laid out alike, and combining accents.
const fn is_sign(c: char) -> bool {
    let code = c as u32;
    match code {
        0x0300..=0x036F => true,
        0x0900..=0x0D7F => matches!(code % 0x80, 0x00..=0x03 | 0x3C | 0x3E..=0x4D | 0x55..=0x57),
        _ => false,
    }
}

/// The balance at the side of a customer's row: sum and words.
pub fn balance_side(balance: Paise, words: String) -> AnyView {
    view! {
        {amount_of_side(balance, Side::of(balance))}
        <br />
        <span class="small quiet">{words}</span>
    }
    .into_any()
}

/// A small drawing with a name for where an entry is; in a shop without a server
/// that is always this phone.
pub fn entry_state(state: Option<EntryState>) -> AnyView {
    let (drawing, class, words) = match state {
        None | Some(EntryState::Saved) => (Icon::Tick, "state", Msg::EntryStateSaved),
        Some(EntryState::Sent) => (Icon::Send, "state", Msg::EntryStateSent),
        Some(EntryState::OnServer) => {
            (Icon::Confirmed, "state confirmed", Msg::EntryStateConfirmed)
        }
    };
    let words = t(words);
    view! {
        <span class=class role="img" title=words.clone() aria-label=words.clone()>
            {little_icon(drawing)}
        </span>
    }
    .into_any()
}

/// One line of a khata.
pub struct EntryLine {
    /// The drawing of the direction.
    pub drawing: Icon,
    /// The time and the direction in words: "17:20 Got".
    pub title: String,
    /// Mode, reference, note, reason; may be empty.
    pub note: String,
    /// Tags: corrected, written later.
    pub tags: Vec<String>,
    /// How much.
    pub amount: Paise,
    /// Which way it moves the balance.
    pub side: Side,
    /// The balance after it.
    pub running: Option<Paise>,
    /// What lies in advance after it, if it moved that.
    pub advance: Option<Paise>,
    /// Where it is.
    pub state: Option<EntryState>,
    /// Taken back: struck through, never gone.
    pub struck: bool,
}

/// An entry: words on the left, the sums right of the red rule. `on_open` shows
/// it closer, where there is more to see.
pub fn entry_row(line: EntryLine, on_open: Option<Callback<()>>) -> AnyView {
    let tags: Vec<AnyView> = line
        .tags
        .into_iter()
        .map(|tag| view! { <span class="tag">{tag}</span> }.into_any())
        .collect();
    let sum = match line.side {
        Side::Settled => amount(line.amount),
        side => amount_of_side(line.amount, side),
    };
    let running = line.running.map(|running| {
        let words = t(Msg::EntryRunning {
            amount: in_words(running),
        });
        let label = format!("{} {}", Side::of(running).words(), in_words(running));
        view! {
            <span class="running" aria-label=label>
                {words}
            </span>
        }
    });
    let advance = line.advance.map(|advance| {
        let amount = in_words(advance);
        view! { <span class="running">{t(Msg::EntryRunningAdvance { amount })}</span> }
    });
    let class = if line.struck { "entry struck" } else { "entry" };
    let inside = view! {
            <span class="what">
                <span class="title">
                    {little_icon(line.drawing)} {line.title} {tags} {entry_state(line.state)}
                </span>
                <span class="note">{line.note}</span>
            </span>
            <span class="sum">{sum} {running} {advance}</span>
    };
    match on_open {
        Some(open) => view! {
            <button type="button" class=class on:click=move |_| open.run(())>
                {inside}
            </button>
        }
        .into_any(),
        None => view! { <div class=class>{inside}</div> }.into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_letter_keeps_its_vowel_sign() {
        assert_eq!(first_letter("priya"), "P");
        assert_eq!(first_letter("प्रिया"), "प्");
        assert_eq!(first_letter("मीना"), "मी");
        assert_eq!(first_letter("  "), "");
    }
}
