//! Reading how many tests passed from what the test runners print.

use serde_json::Value;
use std::ops::AddAssign;

/// Tests that ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed or timed out.
    pub failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The last summary of nextest:
/// `Summary [ 0.1s] 9 tests run: 6 passed (1 slow), 2 failed, 1 timed out, 0 skipped`.
pub fn of_nextest(printed: &str) -> Option<Counts> {
    let summary = printed
        .lines()
        .rev()
        .find(|line| line.trim_start().starts_with("Summary ["))?;
    let (_, results) = summary.split_once("run: ")?;
    Some(Counts {
        passed: number_before(results, " passed")?,
        failed: ["failed", "timed out", "exec failed"]
            .iter()
            .filter_map(|word| number_before(results, &format!(" {word}")))
            .sum(),
    })
}

/// The sum of all summaries of `cargo test` and of wasm-bindgen's runner:
/// `test result: ok. 3 passed; 0 failed; 0 ignored; …`.
pub fn of_cargo_test(printed: &str) -> Option<Counts> {
    let mut sum = None;
    for line in printed.lines() {
        let Some((_, results)) = line.split_once("test result: ") else {
            continue;
        };
        *sum.get_or_insert_default() += Counts {
            passed: number_before(results, " passed")?,
            failed: number_before(results, " failed")?,
        };
    }
    sum
}

/// Playwright's JSON report.
pub fn of_playwright(report: &str) -> Option<Counts> {
    let report: Value = serde_json::from_str(report).ok()?;
    let count = |name: &str| report["stats"][name].as_u64();
    Some(Counts {
        passed: count("expected")?,
        // One that passed only at a second attempt has failed.
        failed: count("unexpected")? + count("flaky")?,
    })
}

/// The number that stands directly before a word.
fn number_before(text: &str, word: &str) -> Option<u64> {
    let (before, _) = text.split_once(word)?;
    let start = before
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |i| i + 1);
    before[start..].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_summary_of_nextest() {
        let printed = "     Summary [   0.012s] 10 tests run: 8 passed (1 slow), 1 failed, 1 timed out, 3 skipped\n        FAIL [ 0.1s] shared a_test\n";
        let counts = Counts {
            passed: 8,
            failed: 2,
        };
        assert_eq!(of_nextest(printed), Some(counts));
        let clean = "     Summary [   0.012s] 1 test run: 1 passed, 0 skipped";
        let counts = Counts {
            passed: 1,
            failed: 0,
        };
        assert_eq!(of_nextest(clean), Some(counts));
        assert_eq!(of_nextest("error: could not compile `shared`"), None);
    }

    #[test]
    fn adds_up_the_summaries_of_cargo_test() {
        let printed = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\n\
                       test result: FAILED. 2 passed; 4 failed; 0 ignored\n";
        let counts = Counts {
            passed: 5,
            failed: 4,
        };
        assert_eq!(of_cargo_test(printed), Some(counts));
        assert_eq!(of_cargo_test("nothing ran"), None);
    }

    #[test]
    fn a_flaky_browser_test_is_a_failed_one() {
        let report = r#"{"stats":{"expected":7,"unexpected":1,"flaky":1,"skipped":2}}"#;
        let counts = Counts {
            passed: 7,
            failed: 2,
        };
        assert_eq!(of_playwright(report), Some(counts));
    }
}
