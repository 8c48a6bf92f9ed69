//! Known bugs, to see that the simulator finds them.
//!
//! A run carries a [`Plant`]: nothing, or one bug. Without the feature `plant` the value has no
//! size and no bug in it, and the compiler removes every place that asks for one.

/// A bug that others have shipped, or that would be easy to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// The server does not wait until its disk has the writes.
    SkipFsync,
    /// The server acknowledges what it is about to commit.
    AckBeforeCommit,
    /// The server reads half of a transaction that was torn by a crash.
    ReadTornWrites,
    /// The server stores an event, and its key a little later.
    KeyAfterEvent,
    /// The server knows duplicates only within one batch.
    DedupePerBatch,
    /// The server stamps events with its clock, even when that goes back.
    TimeGoesBack,
    /// The server's pages of history miss one event where one page ends.
    SkipAtPageEnd,
    /// The server takes a key again that was destroyed.
    KeysComeBack,
    /// The server goes on from an older copy of its disk as if its log had never been longer.
    ForgetGeneration,
    /// The phone numbers its events from the last that it has read back, not the last it wrote.
    ReuseSeq,
    /// After a restart the phone forgets that some of its events were never sent.
    DropDirtyMark,
    /// The phone passes over events that it was not told of in their order.
    SkipOnGap,
    /// The phone believes the answer to its push, and drops what it has not read back.
    ConfirmFromAnswer,
    /// The phone keeps what it showed when the server did not accept an event.
    NoRebuild,
    /// The phone takes a transaction that failed for one that succeeded.
    LostPersist,
    /// The phone stores how far it has read apart from what it has read.
    CursorApart,
    /// The phone orders changes by position, once it knows it.
    StampByPosition,
    /// The phone orders changes by the clocks of the devices.
    TrustTheClock,
    /// The phone counts what a removed phone wrote, before the owner decided.
    FoldHeld,
    /// A copy that goes on as a device of its own leaves behind what it wrote before.
    CopyForgets,
    /// What a copy wrote is read as if the copied phone had written it.
    BranchIdsAsTheyStand,
}

impl Planted {
    /// All of them.
    pub const ALL: [Planted; 21] = [
        Planted::SkipFsync,
        Planted::AckBeforeCommit,
        Planted::ReadTornWrites,
        Planted::KeyAfterEvent,
        Planted::DedupePerBatch,
        Planted::TimeGoesBack,
        Planted::SkipAtPageEnd,
        Planted::KeysComeBack,
        Planted::ForgetGeneration,
        Planted::ReuseSeq,
        Planted::DropDirtyMark,
        Planted::SkipOnGap,
        Planted::ConfirmFromAnswer,
        Planted::NoRebuild,
        Planted::LostPersist,
        Planted::CursorApart,
        Planted::StampByPosition,
        Planted::TrustTheClock,
        Planted::FoldHeld,
        Planted::CopyForgets,
        Planted::BranchIdsAsTheyStand,
    ];
}

/// The bug that a run has, mostly none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plant(#[cfg(feature = "plant")] Option<Planted>);

impl Plant {
    /// None.
    #[cfg(feature = "plant")]
    pub const NONE: Plant = Plant(None);

    /// None.
    #[cfg(not(feature = "plant"))]
    pub const NONE: Plant = Plant();

    /// This one.
    #[cfg(feature = "plant")]
    pub const fn of(planted: Planted) -> Plant {
        Plant(Some(planted))
    }

    /// Does the run have this bug?
    pub fn is(self, planted: Planted) -> bool {
        #[cfg(feature = "plant")]
        return self.0 == Some(planted);
        #[cfg(not(feature = "plant"))]
        {
            let _ = planted;
            false
        }
    }
}
