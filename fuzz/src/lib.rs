//! What the fuzz targets share.

use std::panic;
use std::sync::Once;

/// Lets panics go as far as they would outside: the crate catches those of the parsers that are
/// not its own. The fuzzer's hook would end the process before that; what nobody catches still
/// ends it.
pub fn let_fences_hold() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| panic::set_hook(Box::new(|_| {})));
}
