//! Statuses of autoscalers, of which there are tens of thousands, and which are rarely read.

use std::{cell::RefCell, io};

use api::autoscaling::v1alpha1::PostgresAutoscalerStatus;
use zstd::{
    DEFAULT_COMPRESSION_LEVEL,
    bulk::{Compressor, Decompressor},
    zstd_safe::get_frame_content_size,
};

/// The dictionary: a usual status, from which others differ in names and numbers. What it lacks packs less well, nothing else;
/// since nothing packed outlives the process, it can be another one at any time.
const USUAL: &[u8] = br#"{"phase":"Current","observedGeneration":1,"conditions":[{"type":"Decision","status":"True","lastTransitionTime":"2026-11-28T05:29:27Z","observedGeneration":1,"reason":"BelowThreshold","message":"data-pg-0 is 54% used (54.6Gi of 100Gi), threshold 80%"},{"type":"CanGrow","status":"True","lastTransitionTime":"2026-11-28T05:29:12Z","observedGeneration":1,"reason":"CanGrow","message":"nothing keeps the volumes from growing when they have to"}],"usage":"54%","canGrow":"Yes","fullIn":"8h","reason":"BelowThreshold","volumes":[{"claim":"data-pg-0","volume":"pvc-","node":"node-1","capacity":"100Gi","used":"58607770555","available":"48766411845","usedPercent":54,"rate":"16Mi/s","fullIn":"12h","reason":"BelowThreshold","message":"data-pg-0 is 54% used (54.6Gi of 100Gi), threshold 80%","since":"2026-11-28T05:29:12Z"}]}"#;

/// A status as the API server has it, as packed JSON. It is read when its autoscaler is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored(Box<[u8]>);

impl Stored {
    /// Keeps a status.
    #[must_use]
    pub fn of(status: &PostgresAutoscalerStatus) -> Self {
        // A status is always JSON, since it came as such.
        let text = serde_json::to_vec(status).unwrap_or_default();
        Self(pack(&text).unwrap_or_default().into())
    }

    /// The status; one with nothing in it if there was none.
    #[must_use]
    pub fn read(&self) -> PostgresAutoscalerStatus {
        let text = unpack(&self.0).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }
}

thread_local! {
    // To make one takes longer than to use it.
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn pack(text: &[u8]) -> io::Result<Vec<u8>> {
    PACKER.with_borrow_mut(|packer| {
        let packer = match packer {
            Some(packer) => packer,
            None => packer.insert(Compressor::with_dictionary(DEFAULT_COMPRESSION_LEVEL, USUAL)?),
        };
        packer.compress(text)
    })
}

fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    UNPACKER.with_borrow_mut(|unpacker| {
        let unpacker = match unpacker {
            Some(unpacker) => unpacker,
            None => unpacker.insert(Decompressor::with_dictionary(USUAL)?),
        };
        // What is packed says how large it was.
        let size = get_frame_content_size(packed).ok().flatten().unwrap_or_default();
        unpacker.decompress(packed, usize::try_from(size).map_err(io::Error::other)?)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(n: u32) -> PostgresAutoscalerStatus {
        let message = |m: u32| format!("data-shop-{m} is {n}% used ({n}.4Gi of 200Gi), threshold 85%");
        let volume = |m: u32| {
            json!({"claim": format!("data-shop-{m}"), "volume": format!("pvc-0b3c1c9e-8a5{m}-4f0e-9d0e-1f2a3b4c5d6e"),
                "node": format!("worker-{m}.internal"), "message": message(m), "reason": "BelowThreshold",
                "since": "2027-01-02T03:04:05Z", "capacity": "200Gi", "available": format!("{n}57415681"),
                "used": format!("{n}98674125"), "usedPercent": n, "rate": "3Mi/s", "fullIn": "9h"})
        };
        serde_json::from_value(json!({
            "phase": "Current", "reason": "BelowThreshold", "canGrow": "Yes", "usage": format!("{n}%"),
            "fullIn": "9h", "observedGeneration": 2,
            "conditions": [{"type": "Decision", "status": "True", "reason": "BelowThreshold", "message": message(0),
                "lastTransitionTime": "2027-01-02T03:04:05Z", "observedGeneration": 2}],
            "volumes": [volume(0), volume(1), volume(2)],
        }))
        .unwrap()
    }

    #[test]
    fn the_usual_one_is_as_they_are_written() {
        let usual: PostgresAutoscalerStatus = serde_json::from_slice(USUAL).unwrap();
        assert_eq!(
            String::from_utf8(serde_json::to_vec(&usual).unwrap()).unwrap(),
            String::from_utf8_lossy(USUAL)
        );
    }

    #[test]
    fn a_status_is_read_as_it_was_kept_in_a_sixth_of_its_text() {
        for n in 1..90 {
            let (status, stored) = (status(n), Stored::of(&status(n)));
            assert_eq!(stored.read(), status);
            assert_eq!(stored, Stored::of(&status), "the same is the same");
            let text = serde_json::to_vec(&status).unwrap().len();
            assert!(stored.0.len() * 6 < text, "{} of {text}", stored.0.len());
        }
        let unusual = PostgresAutoscalerStatus::default();
        assert_eq!(Stored::of(&unusual).read(), unusual);
        assert_eq!(Stored::default().read(), unusual);
    }
}
