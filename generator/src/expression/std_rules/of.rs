//! What a rule is given, and how it writes parts of it.

use proc_macro2::TokenStream;
use relapse_snapshot::{TypeShape, Value};

use super::super::Unwritable;
use super::super::seen_through::{field, number};
use super::super::writer::{Place, Writer};
use crate::hostile::literal;

/// Writes a value of one std type.
pub(in crate::expression) type Rule = fn(&mut Writer<'_>, Of<'_>) -> Written;

pub(in crate::expression) type Written = Result<TokenStream, Unwritable>;

/// What a rule writes, and where it will stand.
#[derive(Clone, Copy)]
pub(in crate::expression) struct Of<'a> {
    pub(in crate::expression) value: &'a Value,
    pub(in crate::expression) shape: &'a TypeShape,
    pub(in crate::expression) place: Place,
}

impl<'a> Of<'a> {
    pub(super) fn field(&self, writer: &Writer<'_>, name: &str) -> Result<&'a Value, Unwritable> {
        field(self.value, name).ok_or_else(|| writer.mismatch(self.shape))
    }

    /// A field as an argument.
    pub(super) fn part(&self, writer: &mut Writer<'_>, name: &str) -> Written {
        let value = self.field(writer, name)?;
        writer.part(&format!(".{name}"), value, self.place.within_call())
    }

    /// A field before a dot or beside an operator.
    pub(super) fn operand(&self, writer: &mut Writer<'_>, name: &str) -> Written {
        let value = self.field(writer, name)?;
        self.receiver(writer, name, value)
    }

    /// A value found in a field, before a dot or beside an operator.
    pub(super) fn receiver(&self, writer: &mut Writer<'_>, name: &str, value: &Value) -> Written {
        let place = Place { operand: true, ..self.place.within_call() };
        writer.part(&format!(".{name}"), value, place)
    }

    /// A number that is not negative, of that type.
    pub(super) fn count(&self, writer: &Writer<'_>, number: i128, ty: &str) -> Written {
        let count = u128::try_from(number).ok().and_then(|count| literal::integer(count, false, ty, false));
        count.ok_or_else(|| writer.mismatch(self.shape))
    }

    /// The number that a field is.
    pub(super) fn number(&self, writer: &Writer<'_>, name: &str) -> Result<i128, Unwritable> {
        number(self.field(writer, name)?).ok_or_else(|| writer.mismatch(self.shape))
    }

    /// The same where another part says the type.
    pub(super) fn untyped(self) -> Of<'a> {
        Of { place: Place { typed: false, ..self.place }, ..self }
    }
}
