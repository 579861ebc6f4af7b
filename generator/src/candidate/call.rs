//! The call of a candidate as it stands in a test, with the statements before it.

use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use relapse_snapshot::{Argument, Data, Generic, Trust, TypeKind, TypeTable, Value};
use syn::{FnArg, Pat};

use super::behind_dyn::behind_dyn;
use super::format_spec::format_spec;
use super::given_to_makers::given_to_makers;
use super::idiom::{Idiom, idiom, is_drop};
use super::passed::Passed;
use super::{Callable, passed};
use crate::expression::{
    Extent, INSTANT, Literals, Moments, Open, Scope, StandIns, Unwritable, WrittenArgument,
    argument_of_any_type, argument_with, as_owners, in_chunks, mentions,
};
use crate::index::{CallPath, Copied, FunctionItem, NamesAt, Owner, SourceIndex};
use crate::names::{Names, Unnameable};
use crate::regression::ConstructorFile;

/// How much a test says of the types of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// The call carries its generic arguments: for what cannot be inferred.
    pub full_path: bool,
    /// The arguments, by bit, whose variables carry their types.
    pub annotated: u64,
    /// All literals carry their types, and the call its generic arguments: where nothing less will do.
    pub explicit: bool,
    /// No type is imported, however often its path stands there.
    pub long_paths: bool,
    /// The result is dropped by `let _ =`: the compiler wants it used.
    pub drop_result: bool,
    /// Not all of what it holds a copy of is used.
    pub allows_unused: bool,
    /// Bytes stand in for a reader as a cursor, which can seek, also where no bound asks for it.
    pub seekable: bool,
    /// A sink that stands in for another takes text: its trait is that of `std::fmt`.
    pub formats: bool,
    /// Texts that lie within others are written as parts of them, and what several references lead to is written once.
    pub parts: bool,
    /// Whether moments are kept as far apart as they were.
    pub moments: Moments,
    /// Of an iterator over a hash table only the entry that comes next is there: a table of several has another order each
    /// time.
    pub next_alone: bool,
}

impl Style {
    /// Lets an argument's variable say its type; `false` where it does already.
    pub fn annotate(&mut self, argument: usize) -> bool {
        let bit = u32::try_from(argument).ok().and_then(|shift| 1_u64.checked_shl(shift)).unwrap_or(0);
        let new = self.annotated & bit == 0 && bit != 0;
        self.annotated |= bit;
        new
    }

    /// How much an argument's literals say.
    fn literals(self, argument: usize) -> Literals {
        if self.explicit {
            return Literals::Suffixed;
        }
        let is_annotated =
            u32::try_from(argument).is_ok_and(|bit| self.annotated.checked_shr(bit).unwrap_or(0) & 1 == 1);
        if is_annotated { Literals::Annotated } else { Literals::Inferred }
    }
}

/// A call with all that stands before it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The arguments, in order.
    pub arguments: Vec<WrittenArgument>,
    /// The call.
    pub tokens: TokenStream,
    /// The compiler wants the result of such an expression used, whatever it is.
    pub drops_result: bool,
    /// The constructors that the arguments are built by.
    pub constructors: Vec<ConstructorFile>,
    /// Types of the program that the test holds a copy of.
    pub copied: Option<Copied>,
}

impl Call {
    fn new(
        arguments: Vec<WrittenArgument>,
        tokens: TokenStream,
        names: &NamesAt<'_>,
        function: &FunctionItem,
    ) -> Result<Call, Uncallable> {
        let lets: TokenStream = arguments.iter().flat_map(|argument| argument.lets.iter().cloned()).collect();
        let code = quote!(#lets #tokens);
        let constructors = names.constructors(&code);
        let copied = names.copied(&code, function)?;
        Ok(Call { arguments, tokens, drops_result: false, constructors, copied })
    }
}

/// `book.price(depth)`, `fill(s, width)`, `parse::<u8>(s)`; an unsafe function's in an `unsafe` block, which is its
/// own contract.
fn call_tokens(
    path: &CallPath,
    arguments: &[WrittenArgument],
    scope: &Scope,
    explicit: bool,
    is_unsafe: bool,
) -> TokenStream {
    let passes: Vec<&TokenStream> = arguments.iter().map(|argument| &argument.pass).collect();
    let is_local = |name: &str| scope.has(name);
    let receiver = arguments.first().and_then(|argument| argument.variable.as_ref());
    let call = match (&path.full, &path.method, receiver) {
        (Some(full), _, _) if explicit => {
            let full = path.beside(full, is_local);
            quote!(#full(#(#passes),*))
        }
        (_, Some(method), Some(receiver)) => {
            let rest = &passes[1..];
            quote!(#receiver.#method(#(#rest),*))
        }
        _ => {
            let plain = path.beside(&path.path, is_local);
            quote!(#plain(#(#passes),*))
        }
    };
    if is_unsafe { quote!(unsafe { #call }) } else { call }
}

/// Puts the moment that the others are told from before the arguments that name it.
fn begin_with(now: &Ident, arguments: &mut [WrittenArgument], names: &NamesAt<'_>) -> Result<(), Unnameable> {
    let name = now.to_string();
    let is_named = |argument: &WrittenArgument| {
        argument.lets.iter().chain([&argument.pass]).any(|it| mentions(it, &name))
    };
    if let Some(first) = arguments.iter_mut().find(|argument| is_named(argument)) {
        let instant = names.path(INSTANT)?;
        first.lets.insert(0, quote!(let #now = #instant::now();));
    }
    Ok(())
}

/// `drop`, or its path where that name means something else.
fn std_drop(names: &NamesAt<'_>, scope: &Scope) -> TokenStream {
    if names.means_prelude("drop") && !scope.has("drop") { quote!(drop) } else { quote!(::std::mem::drop) }
}

/// What a reference refers to.
fn whole(value: &Value) -> &Value {
    match &value.data {
        Data::Pointer { to: Some(to), .. } => to,
        _ => value,
    }
}

/// Why a call cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Uncallable {
    /// An argument cannot be written.
    #[error(transparent)]
    Argument(#[from] Unwritable),
    /// The function cannot be named.
    #[error(transparent)]
    Name(#[from] Unnameable),
}

impl Callable<'_> {
    /// Writes the call as it stands in a test in its home.
    pub fn call(
        &self,
        test: &str,
        style: Style,
        types: &TypeTable,
        index: &SourceIndex,
    ) -> Result<Call, Uncallable> {
        self.call_among(|| NamesAt::new(index, self.home).with_made(self.made), test, style, types)
    }

    /// The same, with nothing beside the test but constructors.
    pub(super) fn call_alone(
        &self,
        test: &str,
        style: Style,
        types: &TypeTable,
        index: &SourceIndex,
    ) -> Result<Call, Uncallable> {
        self.call_among(|| NamesAt::alone(index, self.home).with_made(self.made), test, style, types)
    }

    fn call_among<'i>(
        &self,
        names: impl Fn() -> NamesAt<'i>,
        test: &str,
        style: Style,
        types: &TypeTable,
    ) -> Result<Call, Uncallable> {
        let extent = Extent { seekable: style.seekable, all_sinks: false, formats: style.formats };
        let at_home = names();
        let narrow = self.stand_ins(extent, types, &at_home);
        let refused = match self.call_with(&narrow, test, style, types, &names()) {
            Err(Uncallable::Argument(refused)) => refused,
            made => return made,
        };
        // What cannot be written, but is only written to, has an equal.
        let wide = self.stand_ins(Extent { all_sinks: true, ..extent }, types, &at_home);
        let again = (wide != narrow).then(|| self.call_with(&wide, test, style, types, &names()).ok());
        again.flatten().ok_or(Uncallable::Argument(refused))
    }

    fn call_with(
        &self,
        stand_ins: &StandIns,
        test: &str,
        style: Style,
        types: &TypeTable,
        names: &NamesAt<'_>,
    ) -> Result<Call, Uncallable> {
        let values: Vec<&Value> = self.arguments().map(|(argument, _)| &argument.value).collect();
        let (mut owners, more) = as_owners(&values, types, style.parts);
        owners.retain(|index, _| values.get(*index).is_some_and(|value| !stand_ins.change(value.ty, types)));
        if !owners.is_empty() {
            let types = more.as_ref().unwrap_or(types);
            // What cannot be built as one may be as two.
            if let Ok(call) = self.call_of(&owners, stand_ins, test, style, types, names) {
                return Ok(call);
            }
        }
        self.call_of(&HashMap::new(), stand_ins, test, style, types, names)
    }

    /// The same with some of the arguments, by index, as the owners of what they lead to.
    fn call_of(
        &self,
        owners: &HashMap<usize, Value>,
        stand_ins: &StandIns,
        test: &str,
        style: Style,
        types: &TypeTable,
        names: &NamesAt<'_>,
    ) -> Result<Call, Uncallable> {
        // What stands in for a type is left to inference.
        let kept = self.frame.generics.iter().filter(|generic| !stand_ins.change(generic.ty, types));
        // So is what stands for a function: its own type has no name.
        let is_function = |generic: &Generic| {
            types.get(generic.ty).is_some_and(|shape| shape.kind == TypeKind::FunctionPointer)
        };
        let by_name = self.arguments_by_name(types, names);
        let kept = kept
            .filter(|generic| !(is_function(generic) && by_name.iter().flatten().any(Passed::names_item)));
        let result = self.frame.result.map(|ty| types.name(ty));
        let taken: Vec<&str> =
            self.frame.arguments.iter().map(|argument| types.name(argument.value.ty)).collect();
        let constants = self.function.constants_of(result, &taken);
        let constants = constants.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let generics: Vec<(&str, &str)> =
            kept.map(|g| (g.name.as_str(), types.name(g.ty))).chain(constants).collect();
        let path = names.callable(self.function, &generics)?;
        let mut scope = Scope::new(test);
        if let Some(format) = self.format_string() {
            return self.formatting(&format, style.literals(0), types, names, &mut scope);
        }
        let drops = path.of_std.as_ref().is_some_and(|of_std| is_drop(of_std, &self.function.name));
        let arguments = self.arguments().enumerate();
        let values: Vec<&Value> =
            arguments.map(|(index, (argument, _))| owners.get(&index).unwrap_or(&argument.value)).collect();
        scope.share(values.iter().copied(), types);
        scope.keep_one(&values, types, style.parts);
        if style.next_alone {
            scope.keep_next_alone();
        }
        if style.parts {
            scope.keep_parts(values.iter().copied(), types);
        }
        let named: Vec<String> = self
            .arguments()
            .enumerate()
            .map(|(index, (argument, _))| self.name_of(index, argument))
            .collect();
        let named: Vec<(&str, &Value)> = named.iter().map(String::as_str).zip(values).collect();
        let now = scope.keep_moments(&named, types, style.moments);
        let mut arguments = Vec::new();
        for (index, (argument, is_mut)) in self.arguments().enumerate() {
            let name = &self.name_of(index, argument);
            if let Some(now) = scope.base_moment(&argument.value, types) {
                let trust = Trust::Suspect;
                arguments.push(WrittenArgument { trust, ..WrittenArgument::inline(now, &argument.value) });
                continue;
            }
            let owner = owners.get(&index).filter(|_| !drops);
            let value = if drops { whole(&argument.value) } else { owner.unwrap_or(&argument.value) };
            let literals = style.literals(index);
            let passed = by_name.get(index).cloned().flatten();
            let mut written = passed::written(name, passed, value, || {
                argument_of_any_type(name, value, types, names, &mut scope, literals, stand_ins)
            })?;
            if owner.is_some() {
                self.lend(index, &mut written);
            }
            if is_mut && value.trust == Trust::AtCrash {
                written.trust = written.trust.max(Trust::Suspect);
            }
            arguments.push(written);
        }
        if let Some(now) = now {
            begin_with(&now, &mut arguments, names)?;
        }
        let full = style.explicit || style.full_path;
        // Of the operator of several implementations nothing but the path tells which one is meant.
        let of_std = path.of_std.as_ref().filter(|of_std| !full || is_drop(of_std, &self.function.name));
        let drop = std_drop(names, &scope);
        let idiom = of_std.and_then(|of_std| idiom(of_std, &self.function.name, &arguments, &drop));
        if let Some(Idiom { tokens, drops_result }) = idiom {
            return Ok(Call { drops_result, ..Call::new(arguments, tokens, names, self.function)? });
        }
        let tokens = call_tokens(&path, &arguments, &scope, full, self.function.is_unsafe());
        Call::new(arguments, tokens, names, self.function)
    }

    /// Passes what the variable of an argument owns, and not the owner.
    fn lend(&self, index: usize, written: &mut WrittenArgument) {
        let pass = &written.pass;
        // A generic parameter would take the owner itself, as would a trait that is implemented for both.
        let is_of_trait = index == 0 && matches!(self.function.owner, Owner::TraitImpl { .. });
        let infers = is_of_trait || !self.frame.generics.is_empty();
        written.pass = if infers { quote!(&*#pass) } else { quote!(&#pass) };
        if is_of_trait {
            written.variable = None;
        }
    }

    /// An argument's name: of a value without a size debug info has none.
    fn name_of(&self, index: usize, argument: &Argument) -> String {
        let by_source = match self.function.signature.inputs.get(index) {
            Some(FnArg::Typed(typed)) => match &*typed.pat {
                Pat::Ident(pattern) => Some(pattern.ident.to_string()),
                _ => None,
            },
            _ => None,
        };
        let known = !argument.name.is_empty() && argument.name != "_";
        by_source.filter(|_| !known).unwrap_or_else(|| argument.name.clone())
    }

    /// What the call is given for readers and sinks that nobody can build again: its generic parameters take
    /// any type.
    pub fn stand_ins(&self, extent: Extent, types: &TypeTable, names: &NamesAt<'_>) -> StandIns {
        let bounded = self.frame.generics.iter().map(|generic| {
            let bounds = self.function.bounds_of(&generic.name);
            Open { ty: generic.ty, asks: names.asks_of_bounds(self.function.module, &bounds) }
        });
        // What the values were made of may be given in another form, too.
        let of_makers = self.made.calls.iter().flat_map(|made| &made.call.arguments);
        // The last ones are looked at first.
        let values = of_makers.chain(&self.frame.arguments).map(|argument| &argument.value);
        let open: Vec<Open> = bounded
            .chain(behind_dyn(values, types, |path| names.asks_of_trait(path)))
            .chain(given_to_makers(self.made.calls, types, names))
            .collect();
        let kept = in_chunks(self.frame.arguments.iter().map(|argument| &argument.value), types);
        StandIns::keeping(&kept, &open, extent, types)
    }

    /// The format string that calls a `fmt` of std's traits; nobody makes a `Formatter` by hand.
    fn format_string(&self) -> Option<String> {
        let Owner::TraitImpl { trait_path, .. } = &self.function.owner else { return None };
        let [_, formatter] = self.frame.arguments.as_slice() else { return None };
        if self.function.name != "fmt" {
            return None;
        }
        let letter = match trait_path.segments.last()?.ident.to_string().as_str() {
            "Display" => "",
            "Debug" => "?",
            "LowerHex" => "x",
            "UpperHex" => "X",
            "Octal" => "o",
            "Binary" => "b",
            "LowerExp" => "e",
            "UpperExp" => "E",
            "Pointer" => "p",
            _ => return None,
        };
        let spec = format_spec(&formatter.value, letter).unwrap_or_else(|| letter.to_owned());
        Some(if spec.is_empty() { "{}".to_owned() } else { format!("{{:{spec}}}") })
    }

    /// `format!("{:>8.3}", duration)`.
    fn formatting(
        &self,
        format: &str,
        literals: Literals,
        types: &TypeTable,
        names: &NamesAt<'_>,
        scope: &mut Scope,
    ) -> Result<Call, Uncallable> {
        let receiver = &self.frame.arguments[0];
        let written = argument_with("self", &receiver.value, types, names, scope, literals)?;
        let pass = match &written.variable {
            Some(variable) => quote!(#variable),
            None => written.pass.clone(),
        };
        let literal = crate::hostile::literal::string(format);
        let tokens = quote!(format!(#literal, #pass));
        Call::new(vec![written], tokens, names, self.function)
    }
}
