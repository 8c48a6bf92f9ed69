//! One after the other: what waits for storage in this tab takes turns.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// Whose turn it is. Clones share it.
#[derive(Clone, Default)]
pub struct Turns(Rc<Queue>);

#[derive(Default)]
struct Queue {
    busy: Cell<bool>,
    waiting: RefCell<VecDeque<Function>>,
}

/// A turn; over when dropped.
pub struct Turn(Rc<Queue>);

impl Turns {
    /// Waits for a turn, first come, first served.
    pub async fn take(&self) -> Turn {
        if self.0.busy.replace(true) {
            let called = Promise::new(&mut |resolve, _| {
                self.0.waiting.borrow_mut().push_back(resolve);
            });
            // Resolved when the turn before is over; never rejected.
            let _ = JsFuture::from(called).await;
        }
        Turn(self.0.clone())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = self.0.waiting.borrow_mut().pop_front();
        match next {
            // Handed over: it stays busy.
            Some(next) => drop(next.call0(&JsValue::NULL)),
            None => self.0.busy.set(false),
        }
    }
}
