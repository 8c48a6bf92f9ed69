//! A server without disk and network.

use shared::bytes::Fixed;
use shared::event::{CreditGiven, Particulars, Role};
use shared::ids::{CustomerId, DeviceNo, EventId};
use shared::money::Paise;
use shared::sync::judge::{Judgement, LogState, Refusal, judge};
use shared::sync::wire::{Generation, PushResult, ResultRun, SyncRequest, Verdict};
use shared::testing::device::{NOW, SHOP, Writer, enrolled, key, verify};

pub const LIFE: Generation = Fixed([9; 16]);

/// A server with the log of a shop.
pub struct Server(pub LogState);

impl Server {
    /// The founding phone has claimed it.
    pub fn claimed() -> Server {
        Server(LogState::claimed(SHOP, LIFE, key(1), key(0)))
    }

    /// The founding phone has pushed its first events and enrolled two more: a cashier's and a
    /// manager's.
    pub fn with_phones() -> (Server, Writer, Writer, Writer) {
        let mut server = Server::claimed();
        let mut founder = Writer::founder();
        founder.write(enrolled(2, Role::Cashier));
        founder.write(enrolled(3, Role::Manager));
        server.push_all(&founder);
        (server, founder, Writer::new(2), Writer::new(3))
    }

    pub fn judge(&self, device: u32, request: &SyncRequest) -> Result<Judgement, Refusal> {
        judge(&self.0, DeviceNo(device), request, NOW, verify)
    }

    /// Judges and commits.
    pub fn take(&mut self, writer: &Writer, request: &SyncRequest) -> Judgement {
        let judgement = self
            .judge(writer.number.0, request)
            .expect("a sound request");
        if let Some(after) = judgement.after.clone() {
            self.0 = after;
        }
        judgement
    }

    pub fn push(&mut self, writer: &Writer, first_seq: u32, last_seq: u32) -> Judgement {
        let request = self.caught_up(writer.ask_with(first_seq, last_seq));
        self.take(writer, &request)
    }

    pub fn push_all(&mut self, writer: &Writer) -> Judgement {
        self.push(writer, 1, writer.head().seq)
    }

    /// The request as a device would send it that has read the whole log.
    pub fn caught_up(&self, request: SyncRequest) -> SyncRequest {
        SyncRequest {
            position: self.0.log.size(),
            root: self.0.log.root(),
            ..request
        }
    }
}

pub fn credit(rupees: i64) -> CreditGiven {
    CreditGiven {
        particulars: Particulars::on(NOW.day()),
        customer: CustomerId(EventId::new(1, 3)),
        amount: Paise::from_rupees(rupees).expect("small"),
        lines: None,
        due: None,
    }
}

pub fn stored(first_seq: u32, count: u32, verdict: Verdict) -> ResultRun {
    ResultRun {
        first_seq,
        count,
        result: PushResult::Stored(verdict),
    }
}

pub fn run(first_seq: u32, count: u32, result: PushResult) -> ResultRun {
    ResultRun {
        first_seq,
        count,
        result,
    }
}

/// The verdict of each event of a writer, pushed in one go.
pub fn verdicts(judgement: &Judgement) -> Vec<Verdict> {
    let each = judgement
        .chunks
        .iter()
        .flat_map(|chunk| std::iter::repeat_n(chunk.verdict, chunk.count() as usize));
    each.collect()
}
