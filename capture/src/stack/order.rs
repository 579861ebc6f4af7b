//! In which order a stack's arguments are read, because their number is limited.

use relapse_snapshot::FrameKind;

use super::Call;

/// Indices of the calls, those worth most first: workspace code before all other, and there from both ends
/// inwards, because of a recursion the last and the first calls tell most.
pub(super) fn by_worth(calls: &[Call]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..calls.len()).collect();
    order.sort_by_key(|&index| {
        let kind = match calls[index].frame.kind {
            FrameKind::Workspace => 0,
            FrameKind::Unknown => 1,
            FrameKind::Dependency => 2,
            FrameKind::Std => 3,
        };
        (kind, index.min(calls.len() - 1 - index))
    });
    order
}
