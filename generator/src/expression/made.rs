//! Values that their fields do not tell how to build: they are made by the calls that made them in the crashed program,
//! with what those were given. In: a value that was refused, the names at the place, which know the calls. Out: an
//! expression, with the statements before it.

use std::ops::Range;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use relapse_snapshot::{Argument, Data, Field, Trust, TypeId, TypeKind, Value};

use super::Unwritable;
use super::lent::lent_parts;
use super::type_name::{definition, snake_case};
use super::writer::{CallsAtHome, MAX_LETS, Place, RootPlace, Saved, Writer};
use crate::hostile::identifier;
use crate::names::{Asked, History, MadeCall, ReceivedBy, Wanted, Wrapped};

/// A text of so many bytes needs no variable.
const SHORT_TEXT: u64 = 60;

/// Nodes of a value that is told by its fields.
const MOST_NUMBERS: usize = 8;

/// Values of an argument that are tried as the whole that a call made.
const MOST_WHOLES: u32 = 8;

/// A value on its way.
enum Stage {
    /// An expression.
    Expression(TokenStream),
    /// It has a variable, which can be changed.
    Variable(Ident),
}

impl Stage {
    fn tokens(&self) -> TokenStream {
        match self {
            Stage::Expression(tokens) => tokens.clone(),
            Stage::Variable(variable) => quote!(#variable),
        }
    }
}

/// What is known of the variable that a value gets.
#[derive(Debug, Clone, Copy, Default)]
struct Own<'v> {
    /// It is that one.
    variable: Option<&'v Ident>,
    /// It has to say this type.
    ty: Option<TypeId>,
}

/// What happens to a value that was made.
#[derive(Debug, Clone, Copy)]
struct Later {
    /// Methods are called on it where it lies.
    changed: bool,
    /// Some of them take it as `&mut self`, or fields are put into it.
    mutated: bool,
}

/// The statement that came last, and how often in a row.
#[derive(Default)]
struct Repeated {
    statement: String,
    times: usize,
    /// How many statements there were after it.
    len: usize,
}

impl Repeated {
    /// Adds a statement; several of the same in a row become a loop.
    fn push(&mut self, statements: &mut Vec<TokenStream>, statement: TokenStream) {
        let text = statement.to_string();
        if self.times > 0 && self.len == statements.len() && self.statement == text {
            self.times += 1;
            let times = proc_macro2::Literal::usize_unsuffixed(self.times);
            statements.truncate(self.len - 1);
            statements.push(quote!(for _ in 0..#times { #statement }));
        } else {
            (self.statement, self.times) = (text, 1);
            statements.push(statement);
        }
        self.len = statements.len();
    }
}

impl<'a> Writer<'a> {
    /// A value by the rule for it, or by the calls that made it: these come first where what was read of it did not show the
    /// crash.
    pub(super) fn by_rule_or_made(&mut self, value: &Value, place: Place) -> Result<TokenStream, Unwritable> {
        if self.is_own() && self.names.made_first() {
            return self.made_or_by_rule(value, place);
        }
        // Values are written within each other: what a level keeps on the stack counts.
        let marks = self.mark_for_made(value.ty).zip(self.mark_for_made(value.ty)).map(Box::new);
        let used = self.made_used.len();
        match self.by_rule(value, place) {
            Ok(written) if self.made_used.len() > used => {
                self.whole_or_parts(value, place, marks, (written, used))
            }
            Ok(written) => Ok(written),
            Err(refused) => self.refused_or_made(value, place, marks, refused),
        }
    }

    /// A value of which calls made a part. Where a call was seen that made the whole of it, a fix may be that this one
    /// refuses: it says more than the fields that it filled. `used`: the calls that had made values before.
    fn whole_or_parts(
        &mut self,
        value: &Value,
        place: Place,
        marks: Option<Box<(Saved<'a>, Saved<'a>)>>,
        (written, used): (TokenStream, usize),
    ) -> Result<TokenStream, Unwritable> {
        let Some((mark, again)) = marks.map(|marks| *marks) else { return Ok(written) };
        if self.wholes >= MOST_WHOLES || !self.names.makes_wholes() {
            return Ok(written);
        }
        // The part may have been taken out of the very whole.
        let by_parts = self.made_used.split_off(used);
        if !self.is_told_whole(value) {
            self.made_used.extend(by_parts);
            return Ok(written);
        }
        self.wholes += 1;
        let refused = self.refuse("no call was seen to make it");
        match self.made_anew(value, Some(mark), place, refused) {
            Ok(whole) => Ok(whole),
            Err(_) => {
                self.restore(again);
                self.by_rule(value, place)
            }
        }
    }

    fn asked_for<'v>(&'v self, value: &'v Value) -> Asked<'v> {
        let wanted = Some(Wanted { value, types: self.types });
        Asked { within: self.addresses(), before: self.made_before, used: &self.made_used, wanted }
    }

    /// Whether calls tell how a value came to be.
    fn is_told_whole(&self, value: &Value) -> bool {
        let Some(path) = definition(self.types.name(value.ty)) else { return false };
        matches!(self.names.made(&path, &self.asked_for(value)), Some(Ok(_)))
    }

    /// A value that no rule could write.
    fn refused_or_made(
        &mut self,
        value: &Value,
        place: Place,
        marks: Option<Box<(Saved<'a>, Saved<'a>)>>,
        refused: Unwritable,
    ) -> Result<TokenStream, Unwritable> {
        let Some((mark, again)) = marks.map(|marks| *marks) else { return Err(refused) };
        let refused = match self.made_anew(value, Some(mark), place, refused) {
            Err(refused) if self.calls_at_home == CallsAtHome::PutOff => refused,
            written => return written,
        };
        self.restore(again);
        self.calls_at_home = CallsAtHome::Now;
        let written = self.by_rule(value, place).map_err(|_| refused);
        self.calls_at_home = CallsAtHome::Later;
        written
    }

    fn made_or_by_rule(&mut self, value: &Value, place: Place) -> Result<TokenStream, Unwritable> {
        let (mark, before) = (self.mark_for_made(value.ty), self.mark_for_made(value.ty));
        if self.is_told_by_fields(value) {
            return self.by_rule(value, place);
        }
        let refused = self.refuse("no call was seen to make it");
        self.made_anew(value, mark, place, refused).or_else(|_| {
            if let Some(before) = before {
                self.restore(before);
            }
            self.by_rule(value, place)
        })
    }

    /// Whether a few numbers that the test can name are all of a value: an id is no clearer by the calls that gave it. What a
    /// method is called on is: the fix may be in what made it.
    fn is_told_by_fields(&self, value: &Value) -> bool {
        if self.path() == "self" {
            return false;
        }
        let (mut open, mut seen) = (vec![value], 0_usize);
        while let Some(value) = open.pop() {
            seen += 1;
            let is_named = || {
                definition(self.types.name(value.ty)).is_some_and(|path| self.names.literal(&path).is_ok())
            };
            let is_plain = match &value.data {
                Data::Bool(_) | Data::Char(_) | Data::Int(_) | Data::Uint(_) | Data::Tuple(_) => true,
                Data::Struct(_) | Data::Variant { .. } => is_named(),
                _ => false,
            };
            if !is_plain || seen > MOST_NUMBERS || value.trust > Trust::AtCrash {
                return false;
            }
            open.extend(value.children());
        }
        true
    }

    /// The writer before a value that may have to be made anew.
    fn mark_for_made(&self, ty: TypeId) -> Option<Saved<'a>> {
        let kind = self.types.get(ty).map(|shape| &shape.kind);
        let is_made = matches!(kind, Some(TypeKind::Struct { .. } | TypeKind::Enum { .. }));
        (is_made && self.names.knows_calls()).then(|| self.mark()).flatten()
    }

    /// A value that was refused here, by the calls that made it.
    fn made_anew(
        &mut self,
        value: &Value,
        mark: Option<Saved<'a>>,
        place: Place,
        refused: Unwritable,
    ) -> Result<TokenStream, Unwritable> {
        let names = self.names;
        let path = definition(self.types.name(value.ty));
        let (Some(mark), Some(path), false) = (mark, path, self.refused_by_own_rule) else {
            return Err(refused);
        };
        let history = match names.made(&path, &self.asked_for(value)) {
            None => return Err(refused),
            Some(Err(unnameable)) => return Err(but(refused, &unnameable.0)),
            Some(Ok(history)) => history,
        };
        self.restore(mark);
        let own = if self.is_own() { self.own.take() } else { None };
        let own = Own { variable: own.as_ref(), ty: Some(value.ty).filter(|_| place.typed) };
        let began = history.made.at;
        let fields = match &value.data {
            Data::Struct(fields) if names.literal(&path).is_ok() => Some(fields),
            _ => None,
        };
        // What can be put into the fields tells all that the program wrote there.
        let lends = names.made_with_fields() && fields.is_none();
        let lent = if lends { lent_parts(&history.steps, value, self.types) } else { Vec::new() };
        let because = |inner: Unwritable| but(refused.clone(), &inner.to_string());
        let written = self.history(&history, &lent, own, false, place);
        let mut stage = written.map_err(because)?;
        if names.made_with_fields() {
            if fields.is_none() && lent.is_empty() {
                return Err(refused);
            }
            let variable = self.as_variable(stage, &history.type_name, own, true);
            self.put_lent(&variable, &history.steps, &lent, place).map_err(because)?;
            self.put_fields(&variable, fields.map_or(&[], Vec::as_slice), place);
            stage = Stage::Variable(variable);
        }
        self.suspect = true;
        self.made_used.push(began);
        Ok(stage.tokens())
    }

    /// The addresses at which the value being written may lie.
    fn addresses(&self) -> Option<Range<u64>> {
        let RootPlace { address, size, .. } = self.root_place?;
        let size = if self.is_own() { 1 } else { size.max(1) };
        Some(address..address.saturating_add(size))
    }

    /// What the calls give, one by one. `parts`: calls that lend what is written in the end, and are made then; `lent`: what is
    /// made of it takes it as `&mut self`.
    fn history(
        &mut self,
        history: &History<'_>,
        parts: &[(usize, &Value)],
        own: Own<'_>,
        lent: bool,
        place: Place,
    ) -> Result<Stage, Unwritable> {
        let made = &history.made;
        let of = match &history.of {
            None => None,
            Some(of) => {
                let lent = made.receiver == ReceivedBy::Exclusive;
                let stage = self.history(of, &[], Own::default(), lent, place)?;
                // A part of what it gives may hold on to it.
                let stays = made.wrapped == Wrapped::Within && made.receiver != ReceivedBy::Value;
                Some(match stage {
                    stage if stays => {
                        let variable = self.as_variable(stage, &of.type_name, Own::default(), lent);
                        quote!(#variable)
                    }
                    stage => stage.tokens(),
                })
            }
        };
        let call = self.call_on(of.as_ref(), made, place)?;
        let later = Later {
            changed: history.steps.iter().any(|step| step.receiver != ReceivedBy::Value),
            mutated: self.names.made_with_fields()
                || lent
                || history.steps.iter().any(|step| step.receiver == ReceivedBy::Exclusive),
        };
        let mut stage = if made.wrapped == Wrapped::Within {
            let mutable = self.is_mutable(own, later);
            let name = own.variable.cloned();
            let name = name.unwrap_or_else(|| self.scope.variable(&snake_case(&history.type_name)));
            self.taken(call, &made.taken, (&name, mutable))?;
            if later.changed { Stage::Variable(name) } else { Stage::Expression(quote!(#name)) }
        } else {
            self.unwrapped(call, made.wrapped, &history.type_name, own, later)
        };
        let mut repeated = Repeated::default();
        for (at, step) in history.steps.iter().enumerate() {
            if parts.iter().any(|(part, _)| *part == at) {
                continue;
            }
            if self.lets.len() >= MAX_LETS {
                return Err(self.refuse(format!("more than {MAX_LETS} calls made it")));
            }
            if step.receiver == ReceivedBy::Value {
                let call = self.call_on(Some(&stage.tokens()), step, place)?;
                stage = self.unwrapped(call, step.wrapped, &history.type_name, own, later);
                continue;
            }
            let variable = self.as_variable(stage, &history.type_name, own, later.mutated);
            let call = self.call_on(Some(&quote!(#variable)), step, place)?;
            for statement in self.with_further(&call, step, place)? {
                repeated.push(&mut self.lets, statement);
            }
            stage = Stage::Variable(variable);
        }
        Ok(stage)
    }

    /// What a call gives, taken out of its wrapping. Where it is refused by now, or no error any more, the
    /// crash is gone, too.
    fn unwrapped(
        &mut self,
        call: TokenStream,
        wrapped: Wrapped,
        type_name: &str,
        own: Own<'_>,
        later: Later,
    ) -> Stage {
        let wrapping = match wrapped {
            Wrapped::No | Wrapped::Within => return Stage::Expression(call),
            Wrapped::Error if self.gives_value => return Stage::Expression(quote!(#call.err().unwrap())),
            _ if self.gives_value => return Stage::Expression(quote!(#call.unwrap())),
            Wrapped::Option => quote!(Some),
            Wrapped::Result => quote!(Ok),
            Wrapped::Error => quote!(Err),
        };
        let variable = own.variable.cloned().unwrap_or_else(|| self.scope.variable(&snake_case(type_name)));
        let mutable = self.is_mutable(own, later).then(|| quote!(mut));
        let lint = self.lint();
        self.lets.push(quote!(#lint let #wrapping(#mutable #variable) = #call else { return; };));
        if later.changed { Stage::Variable(variable) } else { Stage::Expression(quote!(#variable)) }
    }

    fn is_mutable(&self, own: Own<'_>, later: Later) -> bool {
        later.mutated || own.variable.is_some() && self.root_place.is_some_and(|place| place.mutable)
    }

    /// Gives a value its variable.
    fn as_variable(&mut self, stage: Stage, type_name: &str, own: Own<'_>, mutated: bool) -> Ident {
        let tokens = match stage {
            Stage::Variable(variable) => return variable,
            Stage::Expression(tokens) => tokens,
        };
        let variable = own.variable.cloned().unwrap_or_else(|| self.scope.variable(&snake_case(type_name)));
        // What is made of nothing says nothing of its type's arguments.
        let generic = own.ty.filter(|ty| match self.types.get(*ty).map(|shape| &shape.kind) {
            Some(TypeKind::Struct { params, .. } | TypeKind::Enum { params, .. }) => !params.is_empty(),
            _ => false,
        });
        let annotation = generic.and_then(|ty| self.type_tokens(ty));
        let is_lent = own.variable.is_some() && self.root_place.is_some_and(|place| place.mutable);
        let statement = self.let_statement(&variable, mutated || is_lent, annotation, &tokens);
        self.lets.push(statement);
        variable
    }

    /// Puts what can be written of the fields into a value.
    fn put_fields(&mut self, variable: &Ident, fields: &[Field], place: Place) {
        for field in fields {
            let Some(name) = identifier(&field.name) else { continue };
            let Some(mark) = self.mark() else { return };
            let place = Place { typed: false, coerces: true, operand: false, ..place };
            match self.part(&format!(".{}", field.name), &field.value, place) {
                Ok(tokens) => {
                    let lint = self.lint();
                    self.lets.push(quote!(#lint #variable.#name = #tokens;));
                }
                Err(_) => self.restore(mark),
            }
        }
    }

    /// `Regex::new("a")`, `builder.build()`.
    pub(super) fn call_on(
        &mut self,
        receiver: Option<&TokenStream>,
        made: &MadeCall<'_>,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let within = place.within_call();
        let mut arguments = Vec::with_capacity(made.arguments.len());
        for (at, argument) in made.arguments.iter().enumerate() {
            let typed = made.typed.get(at).copied().unwrap_or(true);
            let coerces = made.coerces.get(at).copied().unwrap_or(false);
            let place = Place { coerces, typed, ..within };
            let for_a_moment = made.receiver == ReceivedBy::Exclusive;
            // What made it cannot have made what it was given.
            let before = self.made_before.replace(made.at);
            let given = self.named(&argument.name, |writer| writer.given(argument, for_a_moment, place));
            self.made_before = before;
            arguments.push(given?);
        }
        let (path, turbofish) = (&made.path, &made.turbofish);
        if let (None, Some(ty), [text]) = (receiver, &made.parses, arguments.as_slice()) {
            let is_operand = matches!(text.clone().into_iter().next(), Some(TokenTree::Punct(punct)) if punct.as_char() == '&');
            return Ok(if is_operand {
                quote!((#text).parse::<#ty>())
            } else {
                quote!(#text.parse::<#ty>())
            });
        }
        Ok(match (receiver, &made.method, made.receiver) {
            (Some(receiver), Some(method), _) => quote!(#receiver.#method #turbofish (#(#arguments),*)),
            (Some(receiver), None, by) => {
                let by = match by {
                    ReceivedBy::Shared => quote!(&),
                    ReceivedBy::Exclusive => quote!(&mut),
                    ReceivedBy::Value | ReceivedBy::Nobody => quote!(),
                };
                quote!(#path #turbofish (#by #receiver #(, #arguments)*))
            }
            (None, ..) => quote!(#path #turbofish (#(#arguments),*)),
        })
    }

    /// What a call is given. What it made may hold on to what it was lent, so that has a variable.
    fn given(
        &mut self,
        argument: &Argument,
        for_a_moment: bool,
        place: Place,
    ) -> Result<TokenStream, Unwritable> {
        let value = &argument.value;
        let shape = self.shape(value.ty)?;
        let lent = match (&shape.kind, &value.data) {
            (TypeKind::Reference { to, mutable }, _) if self.is_sized(*to) => {
                Some((self.pointee(value, *to)?, *mutable))
            }
            _ => None,
        };
        let Some((pointee, mutable)) = lent else { return self.value(value, place) };
        let pointee: &Value = &pointee;
        let is_short = match pointee.data {
            Data::Uint(_) | Data::Int(_) | Data::Bool(_) | Data::Char(_) => true,
            // What a method is lent for one statement.
            Data::Text { len, .. } => for_a_moment && len <= SHORT_TEXT,
            _ => false,
        };
        if is_short && !mutable {
            return self.value(value, place);
        }
        let variable = self
            .hoist_as(&argument.name, mutable, place.typed, |writer, place| writer.value(pointee, place))?;
        Ok(if mutable { quote!(&mut #variable) } else { quote!(&#variable) })
    }
}

const BUT: &str = "; and what made it cannot be called again: ";

/// Why a value cannot be written, with why it cannot be made anew either.
fn but(refused: Unwritable, why: &str) -> Unwritable {
    if refused.reason.contains(BUT) || why.contains(BUT) {
        return refused;
    }
    let reason = format!("{}{BUT}{why}", refused.reason);
    Unwritable { reason, ..refused }
}
