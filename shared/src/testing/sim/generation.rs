//! A server that was set back goes on before all who hold what it lost were there: the owner sees it
//! and lets its log go on.

use super::world::World;
use crate::bytes::Fixed;
use crate::sync::engine::{Activity, Input, Stop};
use crate::sync::wire::Generation;

impl World {
    /// Is all that was lost held by the phones that wrote it? A removed one does not bring it, and of
    /// a copy that has not met the server nobody knows yet what is its own.
    pub fn can_hand_in(&self) -> bool {
        self.stations.iter().all(|station| {
            let (phone, log) = (&station.phone, &self.server.state().log);
            let is_whole = log.chain(phone.number()).is_none_or(|in_log| {
                in_log.seq <= phone.head().seq && phone.disk.writer.head_at(in_log.seq) == in_log
            });
            is_whole && phone.disk.claim.is_none() && !self.was_removed(phone.number())
        })
    }

    /// The founder looks at the phone. Where one says that the server shows another khata, the founder
    /// lets that go on, and everyone tries again.
    pub fn owner_looks(&mut self, at: usize) {
        let is_served = self.server.running().is_some() && !self.server.is_busy();
        let stopped = self.stations.iter().filter(|it| {
            let activity = it.phone.engine_activity();
            matches!(activity, Some(Activity::Stopped(Stop::LogRewritten(_))))
        });
        let lives = stopped.map(|it| it.phone.disk.cursor.log.generation());
        let lives: Vec<Generation> = lives.collect();
        let is_here = self.stations[0].phone.is_running();
        if at != 0 || lives.is_empty() || !is_here || !is_served {
            return;
        }
        let theirs = self.server.state().log.clone();
        if lives.contains(&theirs.generation()) {
            let generation = Fixed(self.rng.bytes());
            let opened = self.stations[0].phone.consent(&theirs, generation);
            let (now, last) = (self.server_time(), self.server.books().last_received());
            let now = now.max(last.unwrap_or(now));
            let safe = self.server.disk.change(|safe| safe.open(&opened, now));
            let running = self.server.running_mut().map(|it| it.open(&opened, now));
            assert_eq!((safe, running), (Ok(()), Some(Ok(()))), "the owner may");
            self.summary.generations += 1;
            self.watch();
        }
        for at in 0..self.stations.len() {
            let life = self.stations[at].life;
            if self.stations[at].phone.is_running() {
                self.tell(at, life, Input::SyncNow);
            }
        }
    }
}
