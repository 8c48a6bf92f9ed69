//! A QR code, drawn sharp at any size.

use std::fmt::Write as _;

use fast_qr::QRBuilder;
use leptos::prelude::*;

/// The free border that readers need, in modules (ISO/IEC 18004).
const QUIET: usize = 4;

/// The code of a text; `None` for one that is too long for any code. `name` says
/// to those who cannot see it what it is.
pub fn qr(text: &str, name: String) -> Option<AnyView> {
    let code = QRBuilder::new(text).build().ok()?;
    let size = code.size;
    let mut path = String::new();
    for y in 0..size {
        let row = &code[y];
        for x in (0..size).filter(|&x| row[x].value()) {
            let _ = write!(path, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
        }
    }
    let side = size + 2 * QUIET;
    Some(
        view! {
            <div class="qr" role="img" aria-label=name>
                <svg viewBox=format!("0 0 {side} {side}") shape-rendering="crispEdges">
                    <path fill="currentColor" d=path />
                </svg>
            </div>
        }
        .into_any(),
    )
}
