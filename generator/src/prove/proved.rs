//! A test with the values of a second run is mostly, word for word, the one that was proved with the values that the crash
//! had left: most functions do not change what they are given. It is not built and run once more. In: a draft, and those
//! of the round before. Out: the draft with what they have shown. Never builds, never runs.

use super::{Bench, Draft};
use crate::regression::Regression;

impl<'a> Draft<'a> {
    /// The draft with the proof of an earlier one of the same call, where both are the same test, whatever their headers say
    /// of its values.
    pub fn proved_by(&self, earlier: &[Draft<'a>], bench: &Bench<'_>) -> Option<Draft<'a>> {
        let earlier = earlier.iter().find(|earlier| {
            earlier.reproduces()
                && earlier.callable.depth == self.callable.depth
                && earlier.callable.frame.function == self.callable.frame.function
                && earlier.target == self.target
                && earlier.regression.name == self.regression.name
        })?;
        // As the compiler and the runs wanted the first one to be.
        let mut draft = Draft {
            style: earlier.style,
            left_out: earlier.left_out.clone(),
            beside: earlier.beside.clone(),
            remarks: earlier.remarks.clone(),
            ..self.clone()
        };
        if !draft.rewrite(bench) {
            return None;
        }
        let header = draft.regression.header.clone();
        let is_same = draft.regression == Regression { header, ..earlier.regression.clone() };
        is_same.then(|| Draft {
            file: earlier.file.clone(),
            test: earlier.test.clone(),
            text: earlier.text.clone(),
            folder: earlier.folder.clone(),
            verification: earlier.verification.clone(),
            ..draft
        })
    }
}
