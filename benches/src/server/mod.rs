//! Our server alone, and beside the database that lies below it.

mod idle;
mod raw;
mod shops;
mod verify;

use crate::row::{Goal, Row};
use crate::{Outcome, Settings};

/// Measures everything of it.
pub async fn run(settings: &Settings) -> Outcome {
    shops::run(settings).await?;
    raw::run(settings).await?;
    idle::run(settings).await?;
    verify::run(settings).await?;
    not_yet();
    Ok(())
}

fn not_yet() {
    let rows = [
        (
            "postgres_rows",
            "PostgreSQL backend against COPY of rows",
            Goal::TimesPeer(2.0),
        ),
        (
            "postgres_chunks",
            "PostgreSQL backend against COPY of chunks",
            Goal::TimesPeer(0.7),
        ),
    ];
    for (name, what, goal) in rows {
        Row::not_yet(name, what, "events/s", "there is no PostgreSQL backend yet").goal(goal);
    }
    let reason = "there is no pattern scan yet";
    Row::not_yet("patterns", "Pattern scan over 100,000 events", "s", reason)
        .goal(Goal::AtMost(1.0));
}
