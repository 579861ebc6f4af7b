//! What is left of iterators over slices and vectors, and linked lists: by field names, like all of std.

use relapse_snapshot::{Data, Trust};

use super::layout::{Entry, Layout};
use super::sequences::{plausible, sequence};
use super::source::{Gap, Read, Source};
use super::{Reader, fields::Part};

/// Whether a struct is an iterator over a linked list: it has the list's fields.
pub(super) fn is_list_iterator(layout: &Layout) -> bool {
    let own = layout.name.strip_prefix("alloc::collections::linked_list::");
    own.is_some_and(|own| own.starts_with("Iter<") || own.starts_with("IterMut<"))
}

impl Reader<'_> {
    /// `Iter<'_, T> { ptr, end_or_len }`: of types without size the second is how many are left.
    pub(super) fn slice_iter(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let end = match layout.part(source, "end_or_len") {
            Ok(end) => end,
            Err(_) => layout.part(source, "end")?,
        };
        self.left(layout, source, end, depth)
    }

    /// `vec::IntoIter<T> { ptr, end, .. }`.
    pub(super) fn vec_into_iter(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let end = layout.part(source, "end")?;
        let of = layout.param(0)?;
        if self.size_of(of)? > 0 {
            return self.left(layout, source, end, depth);
        }
        // Without a size `end` is `ptr` plus the number of elements, in bytes.
        let start = layout.part(source, "ptr")?;
        let (start, end) = (self.address(start)?, self.address(end)?);
        self.elements(of, Source::Memory(start), end.wrapping_sub(start), depth)
    }

    fn left(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        end: Part<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let of = layout.param(0)?;
        let size = self.size_of(of)?;
        let start = layout.part(source, "ptr")?;
        let (start, end) = (self.address(start)?, self.address(end)?);
        if size == 0 {
            return self.elements(of, Source::Memory(start), end, depth);
        }
        let bytes = end.checked_sub(start).filter(|bytes| bytes.is_multiple_of(size));
        let bytes = bytes.ok_or_else(|| {
            Gap::because(format!("an iterator from {start:#x} to {end:#x} by {size} bytes"))
        })?;
        self.elements(of, Source::Memory(start), bytes / size, depth)
    }

    /// `LinkedList<T>`, and what is left for an iterator: `{ head: Option<NonNull<Node<T>>>, len, .. }`, `Node<T> { next, element, .. }`.
    pub(super) fn linked_list(
        &mut self,
        layout: &Layout,
        source: Source<'_>,
        depth: u32,
    ) -> Read<(Data, Trust)> {
        let of = layout.param(0)?;
        let len = self.len_of(layout, source)?;
        plausible(len, self.size_of(of)?.max(1))?;
        let mut items = Vec::new();
        let mut next = self.node(layout.part(source, "head")?)?;
        while let Some((node, address)) = next {
            if items.len() as u64 >= len.min(self.limits.elements) || self.nodes_left == 0 {
                break;
            }
            let node = self.layout(node.die);
            let element = node.part(Source::Memory(address), "element")?;
            items.push(self.decode(element.entry, element.source, depth + 1));
            next = self.node(node.part(Source::Memory(address), "next")?)?;
        }
        Ok(sequence(items, len))
    }

    /// The node that a link leads to.
    fn node(&mut self, link: Part<'_>) -> Read<Option<(Entry, u64)>> {
        let Some(pointer) = self.some(link)? else { return Ok(None) };
        let node = self.target_of(pointer.entry)?;
        Ok(Some((node, self.address(pointer)?)))
    }
}
