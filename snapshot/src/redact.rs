//! Secrets, taken out of a snapshot before it is written. In: a snapshot as captured, rules. Out: the same
//! snapshot with values of the same shape in place of secrets; their trust is `redacted`.
//!
//! Three passes: values by the names they stand under and by what they look like; the texts beside the values
//! (message, command, arguments, notes, environment, build, folder, thread names); then every further copy of a secret found so far.

mod found;
mod graph;
mod mask;
mod named;
mod names;
mod scan;

use std::collections::HashSet;
use std::ops::Range;

use crate::crash::{Snapshot, Variable};
use crate::depth::MAX_DEPTH;
use crate::graph::Targets;
use crate::types::{StdType, TypeKind, TypeTable};
use crate::value::{Data, Field, Trust, Value};
use found::Found;
use graph::Places;
use mask::{mask_all_bytes, mask_all_text, mask_bytes, mask_text};

/// More rounds find nothing in any text that is not made for it.
const ROUNDS_MAX: usize = 4;

/// What counts as a secret. The default is DESIGN.md's list, switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    enabled: bool,
    names: Vec<Vec<String>>,
    patterns: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Rules { enabled: true, names: Vec::new(), patterns: Vec::new() }
    }
}

impl Rules {
    /// Rules that redact nothing.
    pub fn off() -> Rules {
        Rules { enabled: false, ..Rules::default() }
    }

    /// Whether anything is redacted at all.
    pub fn is_on(&self) -> bool {
        self.enabled
    }

    /// Adds a name (`session_key`, `pin`): what stands under a name that has its parts in a row is redacted.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Rules {
        let parts = names::parts(name);
        if !parts.is_empty() {
            self.names.push(parts);
        }
        self
    }

    /// Adds a form of secret words, `*` for any run of letters, digits and `-._~+/=` (`corp_*`).
    #[must_use]
    pub fn with_pattern(mut self, pattern: &str) -> Rules {
        if pattern.bytes().any(|b| b != b'*') {
            self.patterns.push(pattern.to_owned());
        }
        self
    }

    /// Whether what stands under this name is a secret.
    pub fn is_secret_name(&self, name: &str) -> bool {
        self.enabled && names::is_secret(name, &self.names)
    }

    /// A text with what looks like a secret in it replaced, for what is shown but kept in no snapshot.
    pub fn redact_text(&self, text: &str) -> String {
        if !self.enabled {
            return text.to_owned();
        }
        mask_text(text, &self.ranges(text.as_bytes()))
    }

    /// The secrets of a text: by form, and by the names that stand before them in it. Looked for again in what masking
    /// leaves: it can take the mark away at which another one ends.
    fn ranges(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut ranges = self.ranges_at_once(text);
        for _ in 0..ROUNDS_MAX {
            if ranges.is_empty() {
                break;
            }
            let mut further = self.ranges_at_once(&mask_bytes(text, &ranges));
            further.extend_from_slice(&ranges);
            let further = scan::merged(further);
            if further == ranges {
                break;
            }
            ranges = further;
        }
        ranges
    }

    fn ranges_at_once(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut ranges = scan::secrets(text, &self.patterns);
        ranges.extend(named::named(text, |name| self.is_secret_name(name)));
        scan::merged(ranges)
    }
}

/// Replaces the secrets of a snapshot. Returns how many values and texts were changed; a second call
/// changes nothing.
pub fn redact(snapshot: &mut Snapshot, rules: &Rules) -> usize {
    if !rules.enabled {
        return 0;
    }
    let types = std::mem::take(&mut snapshot.types);
    let mut redactor = Redactor { rules, types: &types, found: Found::default(), changed: 0 };
    for argument in snapshot.arguments_mut() {
        let secret = rules.is_secret_name(&argument.name);
        redactor.tree(&mut argument.value, secret);
    }
    redactor.words(&mut snapshot.program.command);
    redactor.words(&mut snapshot.program.arguments);
    redactor.variables(&mut snapshot.program.environment);
    texts(snapshot).for_each(|text| {
        redactor.text(text);
    });
    drop_changed_flags(snapshot, |flags| redactor.text(flags));
    let Redactor { found, mut changed, .. } = redactor;
    changed += found.erase(snapshot);
    snapshot.types = types;
    changed
}

/// The texts of a snapshot that stand by themselves, but for the words of commands.
fn texts(snapshot: &mut Snapshot) -> impl Iterator<Item = &mut String> {
    let program = &mut snapshot.program;
    let names = snapshot.threads.iter_mut().flat_map(|thread| {
        let spawner = thread.spawned_by.as_mut().and_then(|spawner| spawner.name.as_mut());
        thread.name.iter_mut().chain(spawner)
    });
    names
        .chain([&mut snapshot.cause.message])
        .chain(&mut snapshot.notes)
        .chain(&mut program.working_folder)
        .chain(program.build.iter_mut().flat_map(|build| &mut build.features))
}

/// Leaves the compiler's flags out where `redacted` changes them: nothing could be built with others.
fn drop_changed_flags(snapshot: &mut Snapshot, redacted: impl FnMut(&mut String) -> bool) {
    if let Some(build) = &mut snapshot.program.build
        && build.rustflags.as_mut().is_some_and(redacted)
    {
        build.rustflags = None;
    }
}

/// Replaces the secrets among the words of a command; returns how many were changed.
pub fn redact_words(words: &mut [String], rules: &Rules) -> usize {
    if !rules.enabled {
        return 0;
    }
    let types = TypeTable::default();
    let mut redactor = Redactor { rules, types: &types, found: Found::default(), changed: 0 };
    redactor.words(words);
    redactor.changed
}

struct Redactor<'a> {
    rules: &'a Rules,
    types: &'a TypeTable,
    found: Found,
    changed: usize,
}

impl Redactor<'_> {
    /// Masks the secrets of a value tree; `secret`: it stands under a secret name.
    fn tree(&mut self, value: &mut Value, secret: bool) {
        let places = self.places(value, secret);
        let mut open = vec![(value, secret)];
        while let Some((value, secret)) = open.pop() {
            let secret = secret || self.is_secret(value, &places);
            if self.leaf(value, secret) {
                continue;
            }
            // Keys must stay different from each other.
            let (every, are_keys) = match value.data {
                Data::Map { .. } => (2, secret),
                _ => (1, secret && self.needs_distinct_items(value)),
            };
            let flags = self.below(value, secret, &places);
            for (at, (child, secret)) in value.children_mut().into_iter().zip(flags).enumerate() {
                if !(are_keys && at % every == 0 && self.key(child, at / every)) {
                    open.push((child, secret));
                }
            }
        }
    }

    /// What secret names refer to in a value tree. What stands there may lie before them, under another name: so it is
    /// all found before anything is masked, each value being visited twice at the most.
    fn places(&self, value: &Value, secret: bool) -> Places {
        let names_secret = |value: &_, targets: &_| names_secret(value, self.rules, Known::All(targets));
        let (mut places, by_address) = Places::named(value, names_secret);
        let Some(by_address) = by_address else { return places };
        let (mut open, mut seen) = (vec![(value, secret)], HashSet::new());
        while let Some((value, secret)) = open.pop() {
            let secret = secret || self.is_secret(value, &places);
            if secret && !seen.insert(std::ptr::from_ref(value)) {
                continue;
            }
            if let Data::Elsewhere { address, .. } = value.data
                && secret
            {
                open.extend(places.add(address, &by_address).into_iter().map(|there| (there, true)));
            }
            let flags = self.below(value, secret, &places);
            open.extend(value.children().into_iter().zip(flags));
        }
        places
    }

    /// Whether a value is secret by itself, whatever it stands under.
    fn is_secret(&self, value: &Value, places: &Places) -> bool {
        self.is_secret_newtype(value) || places.is_secret(value)
    }

    /// Which of a value's children are secret.
    fn below(&self, value: &Value, secret: bool, places: &Places) -> Vec<bool> {
        let named = |key| names_secret(key, self.rules, Known::Names(places));
        let fields = |fields: &[Field], secret| {
            fields.iter().map(|field| secret || self.rules.is_secret_name(&field.name)).collect()
        };
        match &value.data {
            Data::Struct(of) => fields(of, secret),
            Data::Variant { name, fields: of } => fields(of, secret || self.rules.is_secret_name(name)),
            Data::Map { entries, .. } => {
                entries.iter().flat_map(|(key, _)| [secret, secret || named(key)]).collect()
            }
            Data::Tuple(items) if items.len() == 2 => vec![secret, secret || named(&items[0])],
            Data::Graph { parts, .. } => {
                let parts = parts.iter().map(|part| secret || places.has(part.address));
                std::iter::once(secret).chain(parts).collect()
            }
            _ => vec![secret; value.children().len()],
        }
    }

    /// Leaves variables out that hold secrets: a test could not set them anyway.
    fn variables(&mut self, variables: &mut Vec<Variable>) {
        let before = variables.len();
        variables.retain(|variable| {
            let value = variable.value.as_bytes();
            if self.rules.is_secret_name(&variable.name) {
                self.found.add(value);
                return false;
            }
            let ranges = self.rules.ranges(value);
            self.found.add_ranges(value, &ranges);
            ranges.is_empty()
        });
        self.changed += before - variables.len();
    }

    /// `struct Password(String)`: a newtype is a name for what it holds.
    fn is_secret_newtype(&self, value: &Value) -> bool {
        let Data::Struct(fields) = &value.data else { return false };
        fields.len() == 1 && fields[0].name == "0" && {
            let name = self.types.name(value.ty);
            let path = name.split('<').next().unwrap_or(name);
            self.rules.is_secret_name(path.rsplit("::").next().unwrap_or(path))
        }
    }

    fn needs_distinct_items(&self, value: &Value) -> bool {
        let kind = self.types.get(value.ty).map(|shape| &shape.kind);
        matches!(kind, Some(TypeKind::Std { std: StdType::HashSet | StdType::BTreeSet, .. }))
    }

    /// Redacts a node that holds data itself; `false` where it has children to be visited.
    fn leaf(&mut self, value: &mut Value, secret: bool) -> bool {
        if value.trust == Trust::Redacted {
            return value.children().is_empty();
        }
        let changed = match &mut value.data {
            Data::Text { text, .. } => {
                let masked = if secret {
                    self.found.add(text.as_bytes());
                    mask_all_text(text)
                } else {
                    let ranges = self.rules.ranges(text.as_bytes());
                    self.found.add_ranges(text.as_bytes(), &ranges);
                    mask_text(text, &ranges)
                };
                replace(text, masked) || secret
            }
            Data::Bytes { bytes, .. } => {
                let masked = if secret {
                    self.found.add(bytes);
                    mask_all_bytes(bytes)
                } else {
                    let ranges = self.rules.ranges(bytes);
                    self.found.add_ranges(bytes, &ranges);
                    mask_bytes(bytes, &ranges)
                };
                replace(bytes, masked) || secret
            }
            Data::Sequence { items, .. } => {
                if let Some(text) = text_of_chars(items) {
                    let masked = if secret {
                        self.found.add(text.as_bytes());
                        mask_all_text(&text)
                    } else {
                        let ranges = self.rules.ranges(text.as_bytes());
                        self.found.add_ranges(text.as_bytes(), &ranges);
                        mask_text(&text, &ranges)
                    };
                    self.changed += usize::from(put_chars(items, &text, &masked));
                    return true;
                }
                return false;
            }
            data if secret => match data {
                Data::Char(c) => replace(c, mask::mask_char(*c)) || secret,
                Data::Int(n) => replace(n, n.signum()) || secret,
                Data::Uint(n) => replace(n, (*n).min(1)) || secret,
                Data::Float(bits) => {
                    let kind = self.types.get(value.ty).map(|shape| &shape.kind);
                    let one = match kind {
                        Some(TypeKind::Float { bits: 32 }) => u64::from(1f32.to_bits()),
                        _ => 1f64.to_bits(),
                    };
                    replace(bits, if *bits == 0 { 0 } else { one }) || secret
                }
                Data::Duration { secs, nanos } => replace(secs, (*secs).min(1)) | replace(nanos, 0) || secret,
                // A flag is no secret, and what is missing was not read.
                Data::Bool(_) | Data::Missing(_) => return true,
                _ => return false,
            },
            _ => return value.children().is_empty(),
        };
        if changed {
            value.trust = Trust::Redacted;
            self.changed += 1;
        }
        true
    }

    /// Redacts a key, a text or a number, so that it stays different from its neighbours; `false` where it is neither.
    fn key(&mut self, value: &mut Value, number: usize) -> bool {
        let Some(leaf) = key_leaf_mut(value) else { return false };
        if leaf.trust == Trust::Redacted {
            return true;
        }
        match &mut leaf.data {
            Data::Text { text, .. } => {
                self.found.add(text.as_bytes());
                *text = mask::numbered(&mask_all_text(text), number);
            }
            Data::Uint(n) => *n = number as u128,
            // Of an `i8` there are 256, too.
            Data::Int(n) => match self.types.get(leaf.ty).map(|shape| &shape.kind) {
                Some(TypeKind::Integer { bits: 8, .. }) => *n = i128::from(number as i8),
                _ => *n = number as i128,
            },
            _ => return false,
        }
        leaf.trust = Trust::Redacted;
        self.changed += 1;
        true
    }

    fn text(&mut self, text: &mut String) -> bool {
        let ranges = self.rules.ranges(text.as_bytes());
        self.found.add_ranges(text.as_bytes(), &ranges);
        let changed = replace(text, mask_text(text, &ranges));
        self.changed += usize::from(changed);
        changed
    }

    /// A command line: `--password=x`, `--password x`, `PASSWORD=x`, and whatever looks like a secret.
    fn words(&mut self, words: &mut [String]) {
        let mut is_value = false;
        for word in words {
            if is_value && !word.starts_with("--") {
                self.found.add(word.as_bytes());
                let masked = mask_all_text(word);
                self.changed += usize::from(replace(word, masked));
                is_value = false;
                continue;
            }
            let name = word.trim_start_matches('-');
            let (name, value_at) = match name.split_once('=') {
                Some((name, value)) => (name, Some(word.len() - value.len())),
                None => (name, None),
            };
            is_value = false;
            match value_at {
                Some(at) if self.rules.is_secret_name(name) => {
                    self.found.add(&word.as_bytes()[at..]);
                    let masked = format!("{}{}", &word[..at], mask_all_text(&word[at..]));
                    self.changed += usize::from(replace(word, masked));
                }
                None if word.starts_with('-') => {
                    is_value = self.rules.is_secret_name(name);
                    self.text(word);
                }
                _ => {
                    self.text(word);
                }
            }
        }
    }
}

/// Puts a new value in place; `true` where it is another one.
fn replace<T: PartialEq>(old: &mut T, new: T) -> bool {
    let changed = *old != new;
    *old = new;
    changed
}

/// What is known of a key that stands elsewhere.
#[derive(Clone, Copy)]
enum Known<'k, 'v> {
    /// Everything that it can refer to.
    All(&'k Targets<'v>),
    /// Whether it is a secret's name.
    Names(&'k Places),
}

/// Whether a map's key (or the first of a pair) is a text that is a secret's name: `Authorization`.
fn names_secret<'v>(key: &'v Value, rules: &Rules, known: Known<'_, 'v>) -> bool {
    let mut key = key;
    // A tree is not deeper, and what is elsewhere may lead back.
    for _ in 0..=MAX_DEPTH {
        match &key.data {
            Data::Text { text, .. } => return names::is_name(text) && rules.is_secret_name(text),
            Data::Bytes { bytes, .. } => {
                let text = std::str::from_utf8(bytes).unwrap_or_default();
                return names::is_name(text) && rules.is_secret_name(text);
            }
            Data::Pointer { to: Some(to), .. } => key = to,
            Data::Cell { inner, .. } => key = inner,
            Data::Struct(fields) if fields.len() == 1 => key = &fields[0].value,
            Data::Elsewhere { .. } => match known {
                Known::Names(places) => return places.is_name(key),
                Known::All(targets) => match targets.resolve(key) {
                    Some(there) => key = there,
                    None => return false,
                },
            },
            _ => return false,
        }
    }
    false
}

/// The text or number that a key is, behind pointers.
fn key_leaf_mut(mut value: &mut Value) -> Option<&mut Value> {
    loop {
        match value.data {
            Data::Text { .. } | Data::Uint(_) | Data::Int(_) => return Some(value),
            Data::Pointer { to: Some(_), .. } | Data::Cell { .. } => {
                value = value.children_mut().into_iter().next()?;
            }
            _ => return None,
        }
    }
}

/// The text of a non-empty sequence of `char`s, as lexers hold it.
fn text_of_chars(items: &[Value]) -> Option<String> {
    let first = items.first()?;
    matches!(first.data, Data::Char(_)).then_some(())?;
    items.iter().map(|item| if let Data::Char(c) = item.data { Some(c) } else { None }).collect()
}

fn put_chars(items: &mut [Value], before: &str, after: &str) -> bool {
    for (item, (old, new)) in items.iter_mut().zip(before.chars().zip(after.chars())) {
        if old != new {
            item.data = Data::Char(new);
            item.trust = Trust::Redacted;
        }
    }
    before != after
}
