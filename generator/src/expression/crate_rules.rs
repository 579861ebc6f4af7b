//! Values of types of other crates whose fields nobody else may write, by rules that are data: `crate_rules.toml`,
//! where its form is told. In: a decoded value. Out: a call of the type's own public functions, or nothing where no
//! rule fits. To add a type, add a rule there. Never: text of the process other than through `hostile`.

mod calendar;
mod flags;
mod formula;
mod source;
mod template;

use std::borrow::Cow;
use std::rc::Rc;

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::quote;
use relapse_snapshot::{Data, TypeKind, TypeShape, Value};
use toml_edit::{DocumentMut, Item, Table};

use super::Unwritable;
use super::writer::{Place, Writer};
use crate::hostile::literal;
use formula::{Computed, Formula, Path};
use template::Piece;

/// How values of some types are built.
struct Rule {
    /// Definitions, or `a::b::*` for all types of a module.
    types: Vec<String>,
    /// The rule is for values of which this is true.
    when: Option<Formula>,
    /// Where this is true, the value that is built differs from the one that was read.
    loses: Option<Formula>,
    /// Functions that must be there and not be deprecated: a type's definition, the function's name.
    needs: Vec<(String, String)>,
    build: Vec<Piece>,
}

/// Functions of std's own traits, which no impl block of the type itself declares.
const OF_TRAITS: [&str; 2] = ["from", "default"];

/// A part that was not read is not looked for any further.
const MAX_PARTS: usize = 1000;

thread_local! {
    // A table that cannot be read, which its test would tell, leaves its types unwritable.
    static RULES: Rc<[Rule]> = read(include_str!("crate_rules.toml")).unwrap_or_default().into();
}

/// Reads a table of rules; the error says which is wrong.
fn read(text: &str) -> Result<Vec<Rule>, String> {
    let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    if let Some((other, _)) = document.iter().find(|(key, _)| *key != "rule") {
        return Err(format!("`{other}` is no rule"));
    }
    let rules = document.get("rule").and_then(Item::as_array_of_tables).ok_or("no [[rule]]")?;
    rules.iter().map(|table| rule(table).map_err(|error| format!("{error} in {table}"))).collect()
}

fn rule(table: &Table) -> Result<Rule, String> {
    if let Some((other, _)) =
        table.iter().find(|(key, _)| !["type", "when", "loses", "needs", "build"].contains(key))
    {
        return Err(format!("an unknown key `{other}`"));
    }
    let text = |key: &str| table.get(key).map(|item| item.as_str().ok_or(format!("`{key}` is no text")));
    let formula = |key: &str| {
        let read = |text: &str| {
            let expression = syn::parse_str(text).map_err(|error| error.to_string())?;
            Formula::read(&expression).map_err(|part| format!("`{key}`: no formula: `{part}`"))
        };
        text(key).transpose()?.map(read).transpose()
    };
    let build: TokenStream =
        text("build").transpose()?.ok_or("no `build`")?.parse().map_err(|_| "no tokens")?;
    let build = template::read(build)?;
    let types = texts(table.get("type"))?;
    if types.is_empty() {
        return Err("no `type`".to_owned());
    }
    let split = |path: &String| {
        let (definition, function) = path.rsplit_once("::").ok_or("`needs`: no path")?;
        Ok::<_, String>((definition.to_owned(), function.to_owned()))
    };
    let needs = texts(table.get("needs"))?.iter().map(split).collect::<Result<_, _>>()?;
    Ok(Rule { types, when: formula("when")?, loses: formula("loses")?, needs, build })
}

/// One text or a list of them.
fn texts(item: Option<&Item>) -> Result<Vec<String>, String> {
    let Some(item) = item else { return Ok(Vec::new()) };
    if let Some(one) = item.as_str() {
        return Ok(vec![one.to_owned()]);
    }
    let list = item.as_array().ok_or("neither a text nor a list")?;
    list.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(|| "no text".to_owned())).collect()
}

impl Rule {
    fn is_for(&self, definition: &str) -> bool {
        self.types.iter().any(|own| match own.strip_suffix('*') {
            Some(module) => definition.strip_prefix(module).is_some_and(|name| !name.contains("::")),
            None => own == definition,
        })
    }
}

impl Writer<'_> {
    /// A value by the rule of its type; `None` where there is none that fits, or none is needed.
    pub(super) fn by_crate_rule(
        &mut self,
        value: &Value,
        shape: &TypeShape,
        path: &str,
        place: Place,
    ) -> Option<Result<TokenStream, Unwritable>> {
        if let Some(flags) = self.flags(value, shape, path) {
            return Some(flags);
        }
        let rules = RULES.with(Rc::clone);
        let mut known = rules.iter().filter(|rule| rule.is_for(path)).peekable();
        known.peek()?;
        if self.names.literal(path).is_ok() {
            return None;
        }
        let fitting: Vec<&Rule> = known.filter(|rule| self.fits(rule, value, path)).collect();
        // Where nothing that a rule needs can be named from here, the first of them tells.
        match fitting.iter().find(|rule| self.can_name(&rule.build)).or(fitting.first()) {
            Some(rule) => Some(self.build(rule, value, shape, path, place)),
            None => {
                missing_part(value).map(|reason| Err(self.refuse(format!("could not be read: {reason}"))))
            }
        }
    }

    fn build(
        &mut self,
        rule: &Rule,
        value: &Value,
        shape: &TypeShape,
        path: &str,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let generic = shape.name.ends_with('>');
        let full = if generic && place.typed { self.type_tokens(value.ty) } else { None };
        let own = Own { path, full };
        let place = Place { typed: place.typed && generic, ..place.within_call() };
        let tokens = self.pieces(&rule.build, value, &own, "", place)?;
        self.suspect |= rule.loses.as_ref().is_some_and(|loses| loses.holds(value, self.types));
        Ok(tokens)
    }

    /// Whether a rule knows this value's form, and the functions that it calls are there.
    fn fits(&self, rule: &Rule, value: &Value, path: &str) -> bool {
        let own = template::own_functions(&rule.build);
        let own = own.iter().filter(|function| !OF_TRAITS.contains(&function.as_str()));
        rule.when.as_ref().is_none_or(|when| when.holds(value, self.types))
            && self.pieces_fit(&rule.build, value)
            && own.map(String::as_str).all(|function| self.names.has_function(path, function))
            && rule.needs.iter().all(|(definition, function)| self.names.has_function(definition, function))
    }

    fn can_name(&self, pieces: &[Piece]) -> bool {
        pieces.iter().all(|piece| match piece {
            Piece::Item(definition) | Piece::Trait(definition) => self.names.path(definition).is_ok(),
            Piece::Group(_, inner) | Piece::Each(_, inner) => self.can_name(inner),
            _ => true,
        })
    }

    fn pieces_fit(&self, pieces: &[Piece], value: &Value) -> bool {
        pieces.iter().all(|piece| match piece {
            Piece::Token(_) | Piece::Own { .. } | Piece::Item(_) | Piece::Trait(_) => true,
            Piece::Group(_, inner) => self.pieces_fit(inner, value),
            Piece::Value(path, _) => path.find(value).is_some(),
            Piece::Text(path) => {
                path.find(value).and_then(text_of).is_some_and(|text| matches!(text.data, Data::Text { .. }))
            }
            Piece::Source(path) => path.find(value).is_some_and(|items| source::source(items).is_some()),
            Piece::Packed(parts) => self.packed(parts, value).is_some(),
            Piece::Ascii(number) => self.ascii(number, value).is_some(),
            Piece::Bytes(path) => {
                path.find(value).is_some_and(|value| formula::little_endian(value, self.types).is_some())
            }
            Piece::Number(formula) => {
                formula.compute(value, self.types).is_some_and(|number| rendered(&number).is_some())
            }
            Piece::Each(path, template) => path
                .find(value)
                .and_then(elements)
                .is_some_and(|(items, _)| items.iter().all(|item| self.pieces_fit(template, item))),
        })
    }

    fn pieces(
        &mut self,
        pieces: &[Piece],
        value: &Value,
        own: &Own<'_>,
        step: &str,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let mut out = TokenStream::new();
        let mut pieces = pieces.iter().peekable();
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Token(token) => out.extend([token.clone()]),
                Piece::Group(delimiter, inner) => {
                    let inner = self.pieces(inner, value, own, step, place)?;
                    out.extend([TokenTree::Group(Group::new(*delimiter, inner))]);
                }
                Piece::Own { qualifies } => {
                    out.extend(match &own.full {
                        Some(full) if *qualifies => quote!(<#full>),
                        Some(full) => full.clone(),
                        None => self.name(own.path)?,
                    });
                }
                Piece::Item(definition) => out.extend(self.name(definition)?),
                Piece::Trait(definition) => {
                    let name = self.name(definition)?;
                    out.extend(match &own.full {
                        Some(full) => quote!(<#full as #name<_>>),
                        None => name,
                    });
                }
                Piece::Value(path, is_receiver) => {
                    let part = self.found(path, value)?;
                    let place = Place { operand: *is_receiver, ..place };
                    out.extend(self.part(&format!("{step}{}", path.shown), part, place)?);
                }
                Piece::Text(path) => {
                    let text = text_of(self.found(path, value)?).ok_or_else(|| self.formless())?;
                    out.extend(self.text(text)?);
                }
                Piece::Source(path) => {
                    let text = source::source(self.found(path, value)?).ok_or_else(|| self.formless())?;
                    out.extend(literal::text(&text));
                }
                Piece::Ascii(number) => {
                    let text = self.ascii(number, value).ok_or_else(|| self.formless())?;
                    out.extend(literal::text(&text));
                }
                Piece::Packed(parts) => {
                    let text = self.packed(parts, value).ok_or_else(|| self.formless())?;
                    out.extend(literal::text(&text));
                }
                Piece::Bytes(path) => {
                    let bytes = formula::little_endian(self.found(path, value)?, self.types);
                    let bytes = bytes.ok_or_else(|| self.formless())?;
                    out.extend(self.bytes(&bytes, bytes.len() as u64, false)?.reference());
                }
                Piece::Number(formula) => {
                    let number = formula.compute(value, self.types).as_ref().and_then(rendered);
                    out.extend(number.ok_or_else(|| self.formless())?);
                }
                Piece::Each(path, template) => {
                    let items = self.each(path, template, value, own, place)?;
                    if items.is_empty() {
                        pieces.next_if(|next| template::is_comma(next));
                    }
                    out.extend(items);
                }
            }
        }
        Ok(out)
    }

    fn each(
        &mut self,
        path: &Path,
        template: &[Piece],
        value: &Value,
        own: &Own<'_>,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let (items, len) = elements(self.found(path, value)?).ok_or_else(|| self.formless())?;
        self.whole(items.len(), len, "elements")?;
        let mut written = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let place = Place { typed: place.typed && index == 0, ..place };
            written.push(self.pieces(template, item, own, &format!("[{index}]"), place)?);
        }
        Ok(quote!(#(#written),*))
    }

    fn ascii(&self, number: &Formula, value: &Value) -> Option<String> {
        formula::ascii(&number.compute(value, self.types)?)
    }

    fn packed(&self, parts: &[Path], value: &Value) -> Option<String> {
        let parts: Vec<&Value> = parts.iter().map(|part| part.find(value)).collect::<Option<_>>()?;
        formula::packed(&parts, self.types)
    }

    fn found<'v>(&self, path: &Path, value: &'v Value) -> Result<&'v Value, Unwritable> {
        path.find(value).ok_or_else(|| self.formless())
    }

    fn formless(&self) -> Unwritable {
        self.refuse("what was read has another form than its crate's rule says")
    }
}

/// A rule's own type.
struct Own<'a> {
    /// Its definition.
    path: &'a str,
    /// Its name with all arguments, where the expression has to say them.
    full: Option<TokenStream>,
}

/// Why a part of a value was not read, where no rule fits it for that.
fn missing_part(value: &Value) -> Option<&str> {
    let mut open = vec![value];
    for _ in 0..MAX_PARTS {
        let value = open.pop()?;
        if let Data::Missing(reason) = &value.data {
            return Some(reason);
        }
        open.extend(value.children());
    }
    None
}

/// The elements of a sequence or, as pairs, of a map, and how many there were.
fn elements(of: &Value) -> Option<(Cow<'_, [Value]>, u64)> {
    match &of.data {
        Data::Sequence { items, len } => Some((items.into(), *len)),
        Data::Map { entries, len } => {
            let pair = |(key, value): &(Value, Value)| Value {
                ty: of.ty,
                trust: of.trust,
                data: Data::Tuple(vec![key.clone(), value.clone()]),
            };
            Some((entries.iter().map(pair).collect(), *len))
        }
        _ => None,
    }
}

/// The text that a value is, pointers and wrappers around it seen through.
fn text_of(value: &Value) -> Option<&Value> {
    let mut at = value;
    for _ in 0..8 {
        at = match &at.data {
            Data::Text { .. } => return Some(at),
            Data::Pointer { to: Some(to), .. } => to,
            Data::Struct(fields) => match fields.as_slice() {
                [only] => &only.value,
                _ => return None,
            },
            _ => return None,
        };
    }
    None
}

/// A number as a literal; `None` where its type does not hold it.
fn rendered(number: &Computed) -> Option<TokenStream> {
    match number {
        Computed::Number(number) => literal::integer(number.unsigned_abs(), *number < 0, "i128", false),
        Computed::Wide(number) => literal::integer(*number, false, "u128", false),
        Computed::Typed(inner, ty) => match **inner {
            Computed::Number(number) => literal::integer(number.unsigned_abs(), number < 0, ty, true),
            Computed::Wide(number) => literal::integer(number, false, ty, true),
            _ => None,
        },
        Computed::Hexadecimal(number, digits) => Some(literal::hexadecimal(*number, *digits)),
        Computed::Flag(flag) => Some(quote!(#flag)),
    }
}

/// Whether a rule may be for values of that kind.
pub(super) fn is_candidate(kind: &TypeKind, data: &Data) -> bool {
    matches!(
        (kind, data),
        (TypeKind::Struct { .. }, Data::Struct(_)) | (TypeKind::Enum { .. }, Data::Variant { .. })
    )
}

#[cfg(test)]
mod tests;
