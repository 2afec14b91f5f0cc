//! `bare`: says that nothing protects the fill.

use crate::spec::{Layer, LayerInfo, Slot};

/// Its row.
pub(crate) const BARE: LayerInfo = LayerInfo {
    name: "bare",
    slot: Slot::Fill,
    summary: "nothing protects the fill: every miss reads the origin (for compositions of a policy alone)",
    params: &[],
    make: |_| Ok(Layer::Bare),
};
