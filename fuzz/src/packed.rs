//! Pushes in few bytes: read without a panic, and what is read can be packed again.

use shared::ids::DeviceNo;
use shared::sync::segment::packed::{pack, unpack};

/// Whatever is a packed push comes back from its own packing.
pub fn run(bytes: &[u8]) {
    let Ok(request) = unpack(bytes) else {
        return;
    };
    // Which device it is that asks only makes it shorter or longer.
    for device in [DeviceNo::FOUNDER, DeviceNo(77)] {
        let packed = pack(device, &request).expect("the end of a chain");
        assert_eq!(unpack(&packed).as_ref(), Ok(&request));
    }
}
