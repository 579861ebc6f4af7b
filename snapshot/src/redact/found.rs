//! The secrets found so far, to find their other copies: under other names, within messages. In: secrets as they are
//! found. Out: a snapshot without their copies.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

use super::mask::{mask_all_bytes, mask_bytes, mask_text};
use super::{drop_changed_flags, put_chars, replace, text_of_chars, texts};
use crate::crash::Snapshot;
use crate::value::{Data, Trust, Value};

/// By their first bytes and their length, so that a program that holds thousands of tokens of one form takes no longer.
#[derive(Default)]
pub(super) struct Found(HashMap<[u8; 4], BTreeMap<usize, HashSet<Vec<u8>>>>);

impl Found {
    /// Shorter ones would be found by chance.
    const SHORTEST: usize = 6;
    /// Of a longer one its beginning is looked for.
    const LONGEST: usize = 4096;

    pub(super) fn add(&mut self, secret: &[u8]) {
        let secret = secret.trim_ascii();
        let Some(start) = secret.first_chunk::<4>() else { return };
        let telling = secret.len() >= Self::SHORTEST && secret.iter().any(|b| *b != secret[0]);
        if telling && mask_all_bytes(secret) != secret {
            let of_length = self.0.entry(*start).or_default().entry(secret.len()).or_default();
            of_length.insert(secret[..secret.len().min(Self::LONGEST)].to_vec());
        }
    }

    pub(super) fn add_ranges(&mut self, text: &[u8], ranges: &[Range<usize>]) {
        for range in ranges {
            let secret = &text[range.clone()];
            // `password: required`: a word after a colon may be prose, and must not take its copies with it.
            let is_word = secret.iter().all(u8::is_ascii_alphabetic);
            if !(is_word && text[..range.start].trim_ascii_end().ends_with(b":")) {
                self.add(secret);
            }
        }
    }

    /// Where known secrets stand in a text, longest first.
    fn ranges(&self, text: &[u8]) -> Vec<Range<usize>> {
        let (mut ranges, mut at) = (Vec::new(), 0);
        while let Some(start) = text[at..].first_chunk::<4>() {
            let rest = &text[at..];
            let mut here = self.0.get(start).into_iter().flatten().rev();
            let len = here.find_map(|(len, secrets)| {
                let beginning = rest.get(..*len)?.get(..(*len).min(Self::LONGEST))?;
                secrets.contains(beginning).then_some(*len)
            });
            if let Some(len) = len {
                ranges.push(at..at + len);
            }
            at += len.unwrap_or(1);
        }
        ranges
    }

    /// Masks every copy of a known secret. Returns the number of values and texts that were changed.
    pub(super) fn erase(&self, snapshot: &mut Snapshot) -> usize {
        if self.0.is_empty() {
            return 0;
        }
        let variables = &mut snapshot.program.environment;
        let before = variables.len();
        variables.retain(|variable| self.ranges(variable.value.as_bytes()).is_empty());
        let mut changed = before - variables.len();
        let mut text = |text: &mut String| {
            let masked = mask_text(text, &self.ranges(text.as_bytes()));
            let different = replace(text, masked);
            changed += usize::from(different);
            different
        };
        let program = &mut snapshot.program;
        for word in program.command.iter_mut().chain(&mut program.arguments) {
            text(word);
        }
        texts(snapshot).for_each(|beside| {
            text(beside);
        });
        drop_changed_flags(snapshot, &mut text);
        let mut open: Vec<&mut Value> =
            snapshot.arguments_mut().map(|argument| &mut argument.value).collect();
        while let Some(value) = open.pop() {
            let different = match &mut value.data {
                Data::Text { text: content, .. } => text(content),
                Data::Bytes { bytes, .. } => {
                    let masked = mask_bytes(bytes, &self.ranges(bytes));
                    replace(bytes, masked)
                }
                Data::Sequence { items, .. } => {
                    if let Some(chars) = text_of_chars(items) {
                        put_chars(items, &chars, &mask_text(&chars, &self.ranges(chars.as_bytes())));
                    }
                    false
                }
                _ => false,
            };
            if different {
                value.trust = Trust::Redacted;
            }
            open.extend(value.children_mut());
        }
        changed
    }
}
