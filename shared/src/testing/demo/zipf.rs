//! Ranks by Zipf's law: the k-th is taken k times less often than the first.

use super::super::rng::Rng;

/// The weight of the first rank.
const SCALE: u64 = 1_000_000;

/// Draws ranks. More ranks may be added later.
#[derive(Debug, Clone, Default)]
pub struct Zipf {
    /// The weights of all ranks up to and with each.
    up_to: Vec<u64>,
}

impl Zipf {
    /// `count` ranks.
    pub fn new(count: usize) -> Zipf {
        let mut zipf = Zipf::default();
        (0..count).for_each(|_| zipf.grow());
        zipf
    }

    /// One rank more.
    pub fn grow(&mut self) {
        let total = self.up_to.last().copied().unwrap_or(0);
        self.up_to
            .push(total + SCALE / (self.up_to.len() as u64 + 1));
    }

    /// A rank, the most frequent being 0; 0 where there is none.
    pub fn draw(&self, rng: &mut Rng) -> usize {
        let total = self.up_to.last().copied().unwrap_or(1);
        let share = rng.below(total);
        self.up_to.partition_point(|&up_to| up_to <= share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_comes_about_twice_as_often_as_the_second() {
        let (zipf, mut rng) = (Zipf::new(100), Rng::new(1));
        let mut counts = [0u32; 100];
        for _ in 0..100_000 {
            counts[zipf.draw(&mut rng)] += 1;
        }
        let percent = counts[0] * 100 / counts[1];
        assert!((190..210).contains(&percent), "{percent}");
        assert!(counts[99] > 0);
    }
}
