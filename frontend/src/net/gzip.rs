//! Bodies made smaller by the browser itself, which costs the app no code.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ReadableStream, Response};

/// Below this, compression saves less than a packet.
const WORTHWHILE_BYTES: usize = 512;

#[wasm_bindgen]
extern "C" {
    /// Since Chrome 80, Safari 16.4, Firefox 113.
    type CompressionStream;

    #[wasm_bindgen(constructor, catch)]
    fn new(format: &str) -> Result<CompressionStream, JsValue>;

    #[wasm_bindgen(extends = ReadableStream)]
    type Pipe;

    #[wasm_bindgen(method, catch, js_name = pipeThrough)]
    fn through(this: &Pipe, stream: &CompressionStream) -> Result<ReadableStream, JsValue>;
}

/// The body in gzip (RFC 1952); `None` where that is not worthwhile or not to be had.
pub(super) async fn compress(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < WORTHWHILE_BYTES {
        return None;
    }
    let parts = Array::of1(&Uint8Array::from(body));
    let plain = Blob::new_with_u8_array_sequence(&parts).ok()?.stream();
    let gzip = CompressionStream::new("gzip").ok()?;
    let packed = plain.unchecked_into::<Pipe>().through(&gzip).ok()?;
    let whole = Response::new_with_opt_readable_stream(Some(&packed)).ok()?;
    let bytes = JsFuture::from(whole.array_buffer().ok()?).await.ok()?;
    let bytes = Uint8Array::new(&bytes).to_vec();
    (bytes.len() < body.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    async fn a_long_body_is_sent_as_gzip() {
        let packed = compress(&[b'a'; 10_000]).await.expect("worthwhile");
        assert_eq!(packed[..2], [0x1f, 0x8b]);
        assert!(packed.len() < 200);
    }

    #[test]
    async fn what_gzip_would_not_make_shorter_is_sent_as_it_is() {
        assert_eq!(compress(b"short").await, None);
        let random: [u8; 4096] = crate::crypto::random();
        assert_eq!(compress(&random).await, None);
    }
}
