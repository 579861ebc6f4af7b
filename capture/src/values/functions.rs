//! Function pointers: which function lies at an address. In: an address of the process. Out: the function's name as its
//! symbol has it, demangled, with the generic arguments that debug info gives it; nothing where no function begins there,
//! or several do. An optimiser leaves one of several equal functions, with its name: what may be such a one is suspect.

use gimli::constants;
use relapse_snapshot::{Data, Trust, TypeKind, TypeShape, Value};

use super::entries::Parser;
use super::layout::Kind;
use super::names::{generic_arguments, type_arguments};
use super::{Reader, value};
use crate::image::{DebugInfo, DieRef, Image};

/// Entries that a function's entry refers to for what it does not say itself.
const LINKS: usize = 8;
/// Calls that may be inlined at a function's first instruction.
const INLINED: usize = 64;

impl Reader<'_> {
    /// A function pointer, with the function as a value of its own type where that is known.
    pub(super) fn function_pointer(&mut self, address: u64) -> Data {
        let found = self.function_at(address);
        let to = found.map(|(name, trust)| Box::new(Value { trust, ..self.function_item(&name) }));
        Data::Pointer { address, to }
    }

    /// A function of that name, as the value that it is.
    pub(super) fn function_item(&mut self, name: &str) -> Value {
        let shape = TypeShape {
            name: format!("{{fn {name}}}"),
            size: Some(0),
            kind: TypeKind::Closure { captures: Vec::new(), written: None },
        };
        let ty = self.types.intern(shape);
        value(ty, Data::Struct(Vec::new()))
    }

    /// A parameter of a generic type that debug info describes as a function pointer: it may be the function itself as well,
    /// which is kept nowhere. `argument` is what the caller's symbol says of the generic, `read` what lies where a pointer
    /// would. `None`: it is to be read.
    pub(crate) fn generic_function(
        &mut self,
        die: DieRef,
        argument: Option<&str>,
        read: impl FnOnce(&mut Self) -> Value,
    ) -> Option<Value> {
        if !matches!(self.layout(die).kind, Kind::Function) {
            return None;
        }
        match argument {
            Some(argument) if is_function_pointer(argument) => None,
            // A parameter of the plain pointer's type has the same entry. Of a function nothing is kept: where a pointer to
            // another one lies, it may be either.
            Some(argument) => {
                let function = self.function_item(argument);
                let read = read(self);
                let is_another =
                    matches!(&read.data, Data::Pointer { to: Some(to), .. } if to.ty != function.ty);
                Some(if is_another { self.either_function(die) } else { function })
            }
            None => Some(self.either_function(die)),
        }
    }

    /// What is a function or a pointer to one, and nothing tells which.
    pub(super) fn either_function(&mut self, die: DieRef) -> Value {
        let reason = "a function or a pointer to one: the debug info does not tell which";
        Value::missing(self.shape(die), Trust::Unreadable, reason)
    }

    /// The function's name, and whether another one may be meant.
    fn function_at(&mut self, address: u64) -> Option<(String, Trust)> {
        let (image, bias) = self.image_at(address).ok()?;
        let own = address.wrapping_sub(bias);
        if image.is_shared(own) {
            return None;
        }
        let symbol = || {
            let symbol = image.symbol_at(own).filter(|symbol| symbol.address == own)?;
            // How it was compiled is not known.
            Some((symbol.demangled(), Trust::Suspect))
        };
        self.described_function(image, own).or_else(symbol)
    }

    fn described_function(&mut self, image: &'static Image, own: u64) -> Option<(String, Trust)> {
        let context = image.context()?;
        let unit = image.resolve(context.find_dwarf_and_unit(own))?;
        let located = image.locate(&unit).ok()?;
        let mut frames = image.resolve(context.find_frames(own)).ok()?;
        let mut outermost = None;
        for _ in 0..INLINED {
            let Ok(Some(frame)) = frames.next() else { break };
            outermost = frame.dw_die_offset;
        }
        let die = DieRef { unit: located.unit?, entry: outermost? };
        self.within(located.info, |reader| {
            let name = reader.name_of_function(located.info, die, own)?;
            let is_as_written = Parser::new(reader.dwarf, reader.units).is_unoptimised(die.unit);
            Some((name, if is_as_written { Trust::AtCrash } else { Trust::Suspect }))
        })
    }

    fn name_of_function(&mut self, info: DebugInfo, die: DieRef, own: u64) -> Option<String> {
        let mut parser = Parser::new(self.dwarf, self.units);
        if !parser.begins_at(info, die, own) {
            return None;
        }
        let (mut path, mut name, mut next, mut is_method) = (None, None, Some(die), false);
        for _ in 0..LINKS {
            let Some(die) = next else { break };
            let unit = parser.units.unit(parser.dwarf, die.unit).ok()?;
            let entry = unit.entry(die.entry).ok()?;
            if path.is_none() && entry.has_attr(constants::DW_AT_linkage_name) {
                path = Some(parser.text(&unit, &entry, constants::DW_AT_linkage_name));
            }
            if name.is_none() && entry.has_attr(constants::DW_AT_name) {
                name = Some(parser.text(&unit, &entry, constants::DW_AT_name));
            }
            is_method |= entry.has_attr(constants::DW_AT_specification);
            next = [constants::DW_AT_abstract_origin, constants::DW_AT_specification]
                .into_iter()
                .find_map(|at| parser.reference(die, &entry, at));
        }
        let path = format!("{:#}", rustc_demangle::demangle(&path?));
        let generics = name.as_deref().map(generic_arguments).unwrap_or_default();
        // Names of today have them in the path. Those of a method are its impl's as well, whose place is elsewhere: it is
        // declared within its type, or has an impl in its path.
        let is_whole = generics.is_empty() || is_method || path.contains('<') && !is_of_a_parameter(&path);
        Some(if is_whole { path } else { format!("{path}::<{}>", generics.join(", ")) })
    }
}

impl Parser<'_> {
    /// Whether that is where a function's code begins.
    fn begins_at(&mut self, info: DebugInfo, die: DieRef, own: u64) -> bool {
        let mut begins = || -> Option<bool> {
            let unit = self.units.unit(info.dwarf, die.unit).ok()?;
            let entry = unit.entry(die.entry).ok()?;
            let mut ranges = info.dwarf.die_ranges(&unit, &entry).ok()?;
            while let Some(range) = ranges.next().ok()? {
                if range.begin == own {
                    return Some(true);
                }
            }
            None
        };
        begins().unwrap_or(false)
    }
}

/// Whether the path is that of an impl for all types, of which only the generic arguments tell the one: `<T as a::B>::f`,
/// `a::<impl b::B for T>::f`.
fn is_of_a_parameter(path: &str) -> bool {
    let before = || Some(path.strip_prefix('<')?.split_once(" as ")?.0);
    let behind = || Some(path.split_once("<impl ")?.1.split_once(" for ")?.1.split_once('>')?.0);
    before().or_else(behind).is_some_and(|of| {
        of.starts_with(char::is_uppercase) && of.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}

/// Whether that names the type of a function pointer.
fn is_function_pointer(name: &str) -> bool {
    ["fn(", "unsafe ", "extern \"", "for<"].iter().any(|start| name.starts_with(start))
}

/// What a function's demangled symbol says of its type parameter number `index` of `count`. Symbols of the older scheme
/// have a hash for them.
pub(crate) fn argument_in_symbol(path: &str, index: usize, count: usize) -> Option<&str> {
    let list = last_list(path).filter(|_| path.ends_with('>'))?;
    let arguments = type_arguments(&path[list..]);
    // Those of an impl stand elsewhere.
    arguments.get((index + arguments.len()).checked_sub(count)?).copied()
}

/// Where the list begins that the path ends with.
fn last_list(path: &str) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, None);
    let bytes = path.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'<' => {
                if depth == 0 {
                    at = Some(index);
                }
                depth += 1;
            }
            b'>' if index > 0 && bytes[index - 1] == b'-' => {}
            b'>' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    at.filter(|_| depth == 0)
}

#[cfg(test)]
mod tests {
    use super::{argument_in_symbol, is_of_a_parameter};

    #[test]
    fn symbols_of_today_name_function_items() {
        assert_eq!(argument_in_symbol("a::f::<b::g>", 0, 1), Some("b::g"));
        assert_eq!(argument_in_symbol("a::f::<u8, b::g::<u8>>", 1, 2), Some("b::g::<u8>"));
        assert_eq!(argument_in_symbol("<a::S<u8>>::f::<fn(u8) -> u8>", 1, 2), Some("fn(u8) -> u8"));
        assert_eq!(argument_in_symbol("<a::S<u8>>::f::<fn(u8) -> u8>", 0, 2), None);
        assert_eq!(argument_in_symbol("a::f", 0, 1), None);
    }

    #[test]
    fn impls_for_all_types_are_told_from_others() {
        assert!(is_of_a_parameter("<T as a::B>::f") && is_of_a_parameter("a::<impl b::B for T>::f"));
        for other in ["<a::S<T> as a::B>::f", "<u8 as a::B>::f", "a::S<T>::f", "a::<impl u8>::f", "a::f"] {
            assert!(!is_of_a_parameter(other), "{other}");
        }
    }

    #[test]
    fn constants_and_lifetimes_of_a_symbol_are_no_types() {
        let path = "c::pick::<'_, c::double, alloc::string::String, 3, -1, true, 'x'>";
        assert_eq!(argument_in_symbol(path, 0, 2), Some("c::double"));
        assert_eq!(argument_in_symbol(path, 1, 2), Some("alloc::string::String"));
    }
}
