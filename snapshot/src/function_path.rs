//! Paths of functions as a snapshot has them: `<shop::Book as shop::Priced>::price`, `shop::Book::price::<u8>`,
//! `demo::run::{{closure}}`.

/// The parts of a path that `::` separates, outermost first; what stands in brackets is one with its part.
///
/// ```
/// # use relapse_snapshot::path_segments;
/// assert_eq!(path_segments("a::<impl b::C for d>::f::<fn() -> e::G>"), ["a", "<impl b::C for d>", "f", "<fn() -> e::G>"]);
/// ```
pub fn path_segments(path: &str) -> Vec<&str> {
    let (mut depth, mut start, mut segments, bytes) = (0_u32, 0, Vec::new(), path.as_bytes());
    for (at, byte) in path.bytes().enumerate() {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        match byte {
            b'<' | b'(' | b'{' | b'[' => depth += 1,
            // An arrow closes nothing.
            b'>' if before == Some(b'-') => {}
            b'>' | b')' | b'}' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 && before == Some(b':') && at > start => {
                segments.push(&path[start..at - 1]);
                start = at + 1;
            }
            _ => {}
        }
    }
    segments.push(&path[start..]);
    segments
}

/// The last part of a path: `f<T>` of `a::f<T>`, `{{closure}}` of `demo::run::{{closure}}`.
pub fn last_segment(path: &str) -> &str {
    path_segments(path).last().copied().unwrap_or(path)
}

/// The function's own name, without its generics: `price` of `<shop::Book as shop::Priced>::price` and of
/// `shop::Book::price::<u8>`; `{{closure}}` of `demo::run::{{closure}}`. The whole of what has no name.
pub fn bare_name(path: &str) -> &str {
    let segments = path_segments(path);
    let named = segments.iter().rev().find(|segment| !segment.starts_with('<'));
    named.map_or(path, |name| name.split('<').next().unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_has_neither_path_nor_generics() {
        assert_eq!(bare_name("a::f::<b::C>"), "f");
        assert_eq!(bare_name("a::f<b::C, fn(d::E) -> g::H>"), "f");
        assert_eq!(bare_name("<a::B as c::D>::f"), "f");
        assert_eq!(bare_name("demo::run::{{closure}}"), "{{closure}}");
        assert_eq!(bare_name("<a::B>"), "<a::B>");
        assert_eq!(bare_name("main"), "main");
    }

    #[test]
    fn the_last_segment_is_outside_of_brackets() {
        assert_eq!(last_segment("<a::B as c::D<e::F>>::f"), "f");
        assert_eq!(last_segment("a::b::{{closure}}"), "{{closure}}");
        assert_eq!(last_segment("a::f<fn() -> b::C>"), "f<fn() -> b::C>");
        assert_eq!(last_segment("main"), "main");
    }

    #[test]
    fn what_is_no_path_is_taken_as_it_is() {
        for odd in ["", ":", "::", ">::<", "a::", "((("] {
            assert!(path_segments(odd).iter().all(|segment| odd.contains(segment)), "{odd}");
            assert!(odd.contains(bare_name(odd)));
        }
    }
}
