//! Doing something with the shop: one way from a tap to a tick. While it runs the
//! button rests; what is asked is asked in a sheet; what is refused is said in
//! words, and the form stays as it was.

use std::collections::BTreeSet;

use leptos::prelude::*;
use shared::command::{Command, Question, QuestionKind, Why};
use shared::event::ReasonCode;
use shared::ids::EventId;

use super::desk::{self, Failed};
use super::words;
use crate::components::choices::choices;
use crate::components::sheet::Sheet;
use crate::components::states::notice;
use crate::i18n::{Msg, t};

/// The reasons for letting something pass.
const REASONS_TO_ALLOW: [ReasonCode; 2] = [ReasonCode::Agreed, ReasonCode::Other];

/// What was asked, and how to go on after a yes.
#[derive(Clone)]
struct Asked {
    question: Question,
    command: Command,
    confirmed: BTreeSet<QuestionKind>,
    why: Option<Why>,
    done: Callback<Vec<EventId>>,
}

/// A form's connection to the shop.
#[derive(Clone, Copy)]
pub struct Doing {
    busy: RwSignal<bool>,
    wrong: RwSignal<Option<String>>,
    asked: RwSignal<Option<Asked>>,
}

impl Doing {
    /// Nothing was done yet.
    pub fn new() -> Self {
        Self {
            busy: RwSignal::new(false),
            wrong: RwSignal::new(None),
            asked: RwSignal::new(None),
        }
    }

    /// Whether something is on its way to the disk; tracked.
    pub fn is_busy(self) -> bool {
        self.busy.get()
    }

    /// Does it. `done` is called with the new events once they are on the disk.
    pub fn run(
        self,
        command: impl Into<Command>,
        done: impl Fn(Vec<EventId>) + Send + Sync + 'static,
    ) {
        self.go(command.into(), BTreeSet::new(), None, Callback::new(done));
    }

    fn go(
        self,
        command: Command,
        confirmed: BTreeSet<QuestionKind>,
        why: Option<Why>,
        done: Callback<Vec<EventId>>,
    ) {
        if self.busy.get_untracked() {
            return; // a second tap on the same button
        }
        self.busy.set(true);
        self.wrong.set(None);
        self.asked.set(None);
        let again = command.clone();
        desk::execute(command, confirmed.clone(), why.clone(), move |result| {
            self.busy.set(false);
            match result {
                Ok(events) => done.run(events),
                Err(Failed::Rejected(rejection)) => {
                    let words = desk::books_untracked(|books| words::rejection(books, &rejection));
                    self.wrong.set(Some(words));
                }
                Err(Failed::Asked(question)) => self.asked.set(Some(Asked {
                    question,
                    command: again,
                    confirmed,
                    why,
                    done,
                })),
                Err(Failed::Storage(error)) => self.wrong.set(Some(words::storage(&error))),
            }
        });
    }

    /// What was refused, in words, and what is asked.
    pub fn view(self) -> AnyView {
        let wrong = move || {
            self.wrong
                .get()
                .map(|words| view! { <div role="alert">{notice(true, words, None)}</div> })
        };
        let asked = move || self.asked.get().map(|asked| self.ask(asked));
        view! {
            {wrong}
            {asked}
        }
        .into_any()
    }

    fn ask(self, asked: Asked) -> AnyView {
        let words = desk::books_untracked(|books| words::question(books, &asked.question));
        let needs_reason = asked.question.needs_reason();
        let why = RwSignal::new(ReasonCode::Agreed);
        let reasons = needs_reason.then(|| {
            let options = REASONS_TO_ALLOW
                .into_iter()
                .map(|code| (code, words::reason(code)))
                .collect();
            choices("allow", t(Msg::EntryWhy), options, why)
        });
        let close = Callback::new(move |()| self.asked.set(None));
        let yes = move |_| {
            let mut asked = asked.clone();
            asked.confirmed.insert(asked.question.kind());
            if needs_reason {
                asked.why = Some(Why::new(why.get_untracked()));
            }
            self.go(asked.command, asked.confirmed, asked.why, asked.done);
        };
        view! {
            <Sheet title=t(Msg::QuestionTitle) on_close=close>
                <p>{words}</p>
                {reasons}
                <div class="side-by-side">
                    <button type="button" class="button" on:click=move |_| close.run(())>
                        {t(Msg::CommonCancel)}
                    </button>
                    <button type="button" class="button primary" on:click=yes>
                        {t(Msg::QuestionYes)}
                    </button>
                </div>
            </Sheet>
        }
        .into_any()
    }
}
