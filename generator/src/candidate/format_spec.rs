//! How a value was formatted: what stood behind the colon of the braces. In: the `Formatter` that a `fmt` was given, as it
//! was read. Out: the text, `*>8.3`.

use relapse_snapshot::{Data, Field, Value};

/// The bits of `FormattingOptions::flags`, as std has them since it keeps all options in one number (1.88).
const PLUS: u32 = 1 << 21;
const MINUS: u32 = 1 << 22;
const ALTERNATE: u32 = 1 << 23;
const ZERO_PAD: u32 = 1 << 24;
const LOWER_HEX: u32 = 1 << 25;
const UPPER_HEX: u32 = 1 << 26;
const WIDTH: u32 = 1 << 27;
const PRECISION: u32 = 1 << 28;
const ALIGNMENT_AT: u32 = 29;
/// The lowest bits are the character to fill with.
const FILL: u32 = (1 << 21) - 1;

/// The format of a `fmt`'s second argument, with `letter` as its type (`?`, `x` …). Nothing where there are no options,
/// or where they are kept in a way that is not known.
pub(super) fn format_spec(formatter: &Value, letter: &str) -> Option<String> {
    let Data::Pointer { to: Some(formatter), .. } = &formatter.data else { return None };
    let options = number_fields(field(formatter, "options")?)?;
    let [flags, width, precision] = ["flags", "width", "precision"].map(|name| find(&options, name));
    let flags = u32::try_from(flags?).ok()?;
    let (width, precision) = (u16::try_from(width?).ok()?, u16::try_from(precision?).ok()?);
    let has = |flag: u32| flags & flag != 0;
    // Other versions of std may keep other things under these names.
    let is_known = options.len() == 3 && (has(WIDTH) || width == 0) && (has(PRECISION) || precision == 0);
    if !is_known {
        return None;
    }
    let fill = char::from_u32(flags & FILL)?;
    let alignment = match (flags >> ALIGNMENT_AT) & 3 {
        0 => Some('<'),
        1 => Some('>'),
        2 => Some('^'),
        _ => None,
    };
    let mut spec = String::new();
    if let Some(alignment) = alignment {
        match fill {
            ' ' => {}
            // A brace would end the format.
            '{' | '}' => return None,
            fill => spec.push(fill),
        }
        spec.push(alignment);
    }
    let signs = [(PLUS, '+'), (MINUS, '-'), (ALTERNATE, '#'), (ZERO_PAD, '0')];
    spec.extend(signs.iter().filter(|(flag, _)| has(*flag)).map(|(_, sign)| *sign));
    if has(WIDTH) {
        spec.push_str(&width.to_string());
    }
    if has(PRECISION) {
        spec.push('.');
        spec.push_str(&precision.to_string());
    }
    if letter == "?" {
        let hex = [(LOWER_HEX, 'x'), (UPPER_HEX, 'X')];
        spec.extend(hex.iter().find(|(flag, _)| has(*flag)).map(|(_, hex)| *hex));
    }
    spec.push_str(letter);
    Some(spec)
}

fn fields(value: &Value) -> &[Field] {
    match &value.data {
        Data::Struct(fields) => fields,
        _ => &[],
    }
}

fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    fields(value).iter().find(|field| field.name == name).map(|field| &field.value)
}

/// The fields of a struct of numbers.
fn number_fields(value: &Value) -> Option<Vec<(&str, u128)>> {
    let numbers = fields(value).iter().map(|field| match field.value.data {
        Data::Uint(number) => Some((field.name.as_str(), number)),
        _ => None,
    });
    numbers.collect()
}

fn find(numbers: &[(&str, u128)], name: &str) -> Option<u128> {
    numbers.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

#[cfg(test)]
mod tests {
    use relapse_snapshot::{Trust, TypeId};

    use super::*;

    fn value(data: Data) -> Value {
        Value { ty: TypeId(0), trust: Trust::AtCrash, data }
    }

    fn record(fields: Vec<(&str, Value)>) -> Value {
        let fields = fields.into_iter().map(|(name, value)| Field { name: name.to_owned(), value });
        value(Data::Struct(fields.collect()))
    }

    fn formatter(options: &[(&str, u128)]) -> Value {
        let options = options.iter().map(|(name, number)| (*name, value(Data::Uint(*number)))).collect();
        let formatter =
            record(vec![("options", record(options)), ("buf", value(Data::Missing("dyn".into())))]);
        value(Data::Pointer { address: 16, to: Some(Box::new(formatter)) })
    }

    fn spec(flags: u128, width: u128, precision: u128, letter: &str) -> Option<String> {
        format_spec(&formatter(&[("flags", flags), ("width", width), ("precision", precision)]), letter)
    }

    /// What a `fmt` of this compiler's std is given, read as the bytes that a debugger would see.
    #[test]
    fn options_are_written_as_they_stood_in_the_braces() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(spec(0x6000_0020, 0, 0, ""), text(""));
        assert_eq!(spec(0x6800_0020, 5, 0, ""), text("5"));
        assert_eq!(spec(0x0800_0020, 5, 0, ""), text("<5"));
        assert_eq!(spec(0x4800_0020, 5, 0, ""), text("^5"));
        assert_eq!(spec(0x3800_002a, 5, 3, ""), text("*>5.3"));
        assert_eq!(spec(0x6920_0020, 5, 0, ""), text("+05"));
        assert_eq!(spec(0x7000_0020, 0, 0, "e"), text(".0e"));
        assert_eq!(spec(0x6080_0020, 0, 0, "?"), text("#?"));
        assert_eq!(spec(0x6280_0020, 0, 0, "?"), text("#x?"));
    }

    #[test]
    fn what_is_kept_in_another_way_is_not_guessed() {
        assert_eq!(spec(0x6000_0020, 5, 0, ""), None, "a width, and no flag that says so");
        assert_eq!(spec(0x1_0000_0000, 0, 0, ""), None, "more than the flags have room for");
        assert_eq!(spec(0x2800_007b, 5, 0, ""), None, "filled with a brace");
        let old = [("flags", 4), ("fill", 32), ("width", 0), ("precision", 0)];
        assert_eq!(format_spec(&formatter(&old), "?"), None);
    }
}
