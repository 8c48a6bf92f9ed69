//! The state that commands look at.
/// The version of the folds.
pub const FOLD_VERSION: u16 = 1;
