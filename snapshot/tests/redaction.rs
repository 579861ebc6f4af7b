//! Secrets do not reach the disk, and what is none stays as it is.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

#[path = "support/snapshots.rs"]
mod support;

use proptest::prelude::*;
use relapse_snapshot::*;
use support::{frame, record, shape, snapshot, text, value};

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N";

fn redacted(arguments: Vec<(&str, Value)>) -> (Snapshot, usize) {
    let mut snapshot = snapshot("boom", arguments);
    let changed = redact(&mut snapshot, &Rules::default());
    (snapshot, changed)
}

fn json(snapshot: &Snapshot) -> String {
    String::from_utf8(store::to_json(snapshot).unwrap()).unwrap()
}

#[test]
fn what_a_call_gave_is_redacted_like_what_it_was_given() {
    let mut snapshot = snapshot("boom", Vec::new());
    let given = Argument { name: String::new(), value: record(vec![("password", text("hunter2-S3cret"))]) };
    let call = Frame { gave: Some(Box::new(given)), ..Frame::default() };
    snapshot.made.push(Made { call, within: None });
    assert_eq!(redact(&mut snapshot, &Rules::default()), 1);
    assert!(!json(&snapshot).contains("hunter2"), "{}", json(&snapshot));
}

fn pointer(to: Value) -> Value {
    value(Data::Pointer { address: 8, to: Some(Box::new(to)) })
}

fn map(entries: Vec<(Value, Value)>) -> Value {
    let len = entries.len() as u64;
    value(Data::Map { entries, len })
}

#[test]
fn values_under_secret_names_are_replaced() {
    let secret = || text("hunter2-S3cret");
    let tuple = |a, b| value(Data::Tuple(vec![a, b]));
    let variant = |name: &str, inner| {
        let field = Field { name: "0".into(), value: inner };
        value(Data::Variant { name: name.into(), fields: vec![field] })
    };
    for argument in [
        ("password", secret()),
        ("config", record(vec![("user", text("bob")), ("dbPassword", pointer(secret()))])),
        ("headers", map(vec![(pointer(text("Authorization")), secret())])),
        ("headers", map(vec![(value(Data::Bytes { bytes: b"Cookie".to_vec(), len: 6 }), secret())])),
        ("headers", value(Data::Sequence { items: vec![tuple(text("Set-Cookie"), secret())], len: 1 })),
        ("auth", variant("Password", secret())),
        ("secrets", value(Data::Sequence { items: vec![secret()], len: 1 })),
        ("credentials", map(vec![(secret(), value(Data::Uint(5)))])),
        ("api_key", variant("Some", secret())),
        ("passphrase", value(Data::Bytes { bytes: b"hunter2-S3cret".to_vec(), len: 14 })),
        (
            "passwd",
            value(Data::Sequence {
                items: "hunter2-S3cret".chars().map(|c| value(Data::Char(c))).collect(),
                len: 14,
            }),
        ),
    ] {
        let name = argument.0;
        let (snapshot, changed) = redacted(vec![argument]);
        assert!(changed > 0, "{name}");
        assert!(!json(&snapshot).contains("hunter2"), "{name}");
        assert_eq!(snapshot.frames()[1].trust(), Trust::Redacted, "{name}");
        let hexadecimal = "68756e74657232";
        assert!(!json(&snapshot).contains(hexadecimal), "{name}");
    }
}

#[test]
fn a_newtype_names_what_it_holds() {
    let mut snapshot = snapshot("boom", vec![]);
    let ty = shape(&mut snapshot.types, "demo::auth::Password", TypeKind::Opaque);
    let mut password = record(vec![("0", text("hunter2-S3cret"))]);
    password.ty = ty;
    snapshot.threads[0].frames[1].arguments = vec![Argument { name: "x".into(), value: password }];
    assert_eq!(redact(&mut snapshot, &Rules::default()), 1);
    assert!(!json(&snapshot).contains("hunter2"));
}

#[test]
fn other_names_and_values_are_left_alone() {
    for argument in [
        ("key", text("hunter2-S3cret")),
        ("token", text("ident")),
        ("tokens", value(Data::Sequence { items: vec![text("a"), text("b")], len: 2 })),
        ("words", map(vec![(text("the secret of it"), text("value"))])),
        ("pair", value(Data::Tuple(vec![text("name"), text("bearer of news")]))),
        ("password", value(Data::Bool(true))),
        ("url", text("http://host:80/a@b")),
    ] {
        let before = snapshot("boom", vec![argument]);
        let mut after = before.clone();
        assert_eq!(redact(&mut after, &Rules::default()), 0);
        assert_eq!(after, before);
    }
}

#[test]
fn values_that_look_like_secrets_are_replaced_within_longer_ones() {
    let http = format!("GET / HTTP/1.1\r\nAuthorization: Bearer {JWT}\r\n\r\n");
    let (snapshot, _) = redacted(vec![
        ("input", text(&http)),
        ("bytes", value(Data::Bytes { bytes: http.clone().into_bytes(), len: http.len() as u64 })),
        (
            "chars",
            value(Data::Sequence {
                items: http.chars().map(|c| value(Data::Char(c))).collect(),
                len: http.len() as u64,
            }),
        ),
    ]);
    let arguments = &snapshot.frames()[1].arguments;
    let Data::Text { text, .. } = &arguments[0].value.data else { panic!() };
    assert_eq!(text.len(), http.len());
    assert!(text.starts_with("GET / HTTP/1.1\r\nAuthorization: Bearer xxXxxX"), "{text}");
    assert!(text.ends_with("\r\n\r\n") && text.matches('.').count() == 3, "{text}");
    let Data::Bytes { bytes, .. } = &arguments[1].value.data else { panic!() };
    assert_eq!(bytes, text.as_bytes());
    let Data::Sequence { items, .. } = &arguments[2].value.data else { panic!() };
    let chars: String = items.iter().map(|v| if let Data::Char(c) = v.data { c } else { panic!() }).collect();
    assert_eq!(&chars, text);
}

#[test]
fn commands_and_messages_are_redacted() {
    let words = |words: &[&str]| -> Vec<String> { words.iter().map(|w| (*w).to_owned()).collect() };
    let mut snapshot = snapshot("cannot log in: Login { user: \"bob\", password: \"p4ss-word\" }", vec![]);
    snapshot.program.command = words(&[
        "demo",
        "--password=hunter2",
        "--api-key",
        "abc123def",
        "--verbose",
        "--secret",
        "--quiet",
        "PASSWD=zz9zz9",
        "postgres://me:topSecret1@db/x",
        "--header",
        "Authorization: Bearer abcDEF123456",
        "cookie",
        "jar",
    ]);
    snapshot.program.arguments = words(&["reads", "xhunter2x", "hunter2"]);
    snapshot.notes = vec!["the program said abc123def".into()];
    redact(&mut snapshot, &Rules::default());
    assert_eq!(snapshot.cause.message, "cannot log in: Login { user: \"bob\", password: \"x0xx-xxxx\" }");
    assert_eq!(
        snapshot.program.command,
        [
            "demo",
            "--password=xxxxxx0",
            "--api-key",
            "aaa000aaa",
            "--verbose",
            "--secret",
            "--quiet",
            "PASSWD=xx0xx0",
            "postgres://me:xxxXxxxxx0@db/x",
            "--header",
            "Authorization: Bearer aaaAAA000000",
            "cookie",
            "jar",
        ]
    );
    assert_eq!(snapshot.program.arguments, ["reads", "xxxxxxx0x", "xxxxxx0"]);
    assert_eq!(snapshot.notes, ["the program said aaa000aaa"]);
}

#[test]
fn copies_of_a_secret_are_found_under_other_names() {
    let mut snapshot =
        snapshot("bad password hunter2-S3cret!", vec![("pw", text("say hunter2-S3cret twice"))]);
    let caller = frame("demo::login", FrameKind::Workspace, vec![("password", text("hunter2-S3cret"))]);
    snapshot.threads[0].frames.push(caller);
    redact(&mut snapshot, &Rules::default());
    assert!(!json(&snapshot).contains("hunter2"));
    assert_eq!(snapshot.cause.message, "bad password xxxxxx0-X0xxxx!");
    let Data::Text { text, .. } = &snapshot.frames()[1].arguments[0].value.data else { panic!() };
    assert_eq!(text, "say xxxxxx0-X0xxxx twice");
}

#[test]
fn keys_of_a_secret_map_stay_different() {
    let entries = (0..50).map(|n| (text(&format!("user{n:02}")), text("abc"))).collect();
    let (snapshot, _) = redacted(vec![("credentials", map(entries))]);
    let Data::Map { entries, .. } = &snapshot.frames()[1].arguments[0].value.data else { panic!() };
    let keys: std::collections::HashSet<String> = entries.iter().map(|(key, _)| format!("{key:?}")).collect();
    assert_eq!(keys.len(), 50);
}

#[test]
fn numbers_of_a_secret_map_or_set_stay_different() {
    let mut snapshot = snapshot("boom", vec![]);
    let set = TypeKind::Std { std: StdType::HashSet, params: vec![] };
    let ty = shape(&mut snapshot.types, "HashSet<u64>", set);
    let numbers = |n: u128| value(Data::Uint(4000 + n));
    let entries = (0..50).map(|n| (numbers(n), text("abc"))).collect();
    let items = (0..50).map(numbers).collect();
    let set = Value { ty, ..value(Data::Sequence { items, len: 50 }) };
    snapshot.threads[0].frames[1].arguments = vec![
        Argument { name: "secrets".into(), value: map(entries) },
        Argument { name: "passwords".into(), value: set },
    ];
    redact(&mut snapshot, &Rules::default());
    let arguments = &snapshot.frames()[1].arguments;
    let Data::Map { entries, .. } = &arguments[0].value.data else { panic!() };
    let Data::Sequence { items, .. } = &arguments[1].value.data else { panic!() };
    let keys: Vec<&Value> = entries.iter().map(|(key, _)| key).collect();
    for values in [keys, items.iter().collect()] {
        let different: std::collections::HashSet<String> = values.iter().map(|v| format!("{v:?}")).collect();
        assert_eq!(different.len(), 50);
        assert!(values.iter().all(|v| matches!(v.data, Data::Uint(n) if n < 50)));
    }
    assert_eq!(redact(&mut snapshot, &Rules::default()), 0);
}

#[test]
fn secrets_that_a_value_gives_names_within_itself_are_replaced() {
    let form = "user=me&password=hunter2-S3cret&go=1";
    let (snapshot, changed) = redacted(vec![
        ("body", text(form)),
        ("bytes", value(Data::Bytes { bytes: form.as_bytes().to_vec(), len: 36 })),
        ("config", text("db:\n  password: hunter2-S3cret\n  port: 1\n")),
        ("json", text("{\"password\":\"hunter2-S3cret\\n\"}")),
    ]);
    assert_eq!(changed, 4);
    let arguments = &snapshot.frames()[1].arguments;
    let texts = arguments.iter().map(|argument| match &argument.value.data {
        Data::Text { text, .. } => text.clone(),
        Data::Bytes { bytes, .. } => String::from_utf8(bytes.clone()).unwrap(),
        _ => panic!(),
    });
    assert_eq!(
        texts.collect::<Vec<_>>(),
        [
            "user=me&password=xxxxxx0-X0xxxx&go=1",
            "user=me&password=xxxxxx0-X0xxxx&go=1",
            "db:\n  password: xxxxxx0-X0xxxx\n  port: 1\n",
            "{\"password\":\"xxxxxx0-X0xxxx\\n\"}",
        ]
    );
    assert!(arguments.iter().all(|argument| argument.value.trust == Trust::Redacted));
}

#[test]
fn a_word_of_prose_after_a_name_takes_no_copies_with_it() {
    let (snapshot, _) =
        redacted(vec![("message", text("password: required")), ("other", text("is required"))]);
    assert!(json(&snapshot).contains("is required"));
}

#[test]
fn variables_with_a_named_secret_are_left_out() {
    let variable = |name: &str, value: &str| Variable { name: name.into(), value: value.into() };
    let mut snapshot = snapshot("boom", vec![("dsn", text("hunter2-S3cret"))]);
    snapshot.program.environment = vec![
        variable("DATABASE", "host=db user=me password=hunter2-S3cret"),
        variable("CONFIG", "{\"api_key\": \"abcdef\"}"),
        variable("MODE", "fast"),
    ];
    redact(&mut snapshot, &Rules::default());
    assert_eq!(snapshot.program.environment, [variable("MODE", "fast")]);
    assert!(!json(&snapshot).contains("hunter2"));
}

#[test]
fn the_build_and_the_folder_are_redacted_too() {
    let redacted_with = |flags: &str| {
        let mut snapshot = snapshot("boom", vec![("password", text("hunter2-S3cret"))]);
        let features = vec!["hunter2-S3cret".into(), "std".into()];
        snapshot.program.build = Some(Build { features, rustflags: Some(flags.into()), ..Build::default() });
        snapshot.program.working_folder = Some("data/password=abc12".into());
        redact(&mut snapshot, &Rules::default());
        assert!(!json(&snapshot).contains("hunter2") && !json(&snapshot).contains("abc12"));
        snapshot.program.build.unwrap()
    };
    assert_eq!(redacted_with("--cfg token=\"hunter2-S3cret\"").rustflags, None);
    assert_eq!(redacted_with("--cfg api_key=\"abc\"").rustflags, None);
    let build = redacted_with("-C target-cpu=native");
    assert!(build.rustflags.is_some() && build.features[1] == "std");
}

#[test]
fn rules_can_be_extended_and_switched_off() {
    let arguments = || vec![("pin", text("1234x")), ("line", text("id corp_ab12cd, x"))];
    let mut off = snapshot("boom", arguments());
    assert_eq!(redact(&mut off, &Rules::off()), 0);
    let mut more = snapshot("boom", arguments());
    let rules = Rules::default().with_name("pin").with_pattern("corp_*");
    assert_eq!(redact(&mut more, &rules), 2);
    assert!(!json(&more).contains("1234x") && !json(&more).contains("ab12cd"));
    assert_eq!(rules.redact_text("use corp_ab12cd"), "use xxxx_xx00xx");
}

#[test]
fn the_store_writes_nothing_unredacted() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let kept = store.put(snapshot("boom", vec![("password", text("hunter2"))])).unwrap();
    assert!(!json(&store.get(&kept.id).unwrap()).contains("hunter2"));
}

/// Found by fuzzing: each secret looked at the whole text again, and at all secrets before it.
#[test]
fn many_secrets_take_time_that_grows_with_the_text_alone() {
    let begin = std::time::Instant::now();
    let rules = Rules::default();
    let log = "password=hunter2 ".repeat(1 << 14);
    assert_eq!(rules.redact_text(&log), "password=xxxxxx0 ".repeat(1 << 14));
    let tokens = (0..50_000).map(|n| text(&format!("corp_{n:06}"))).collect::<Vec<_>>();
    let len = tokens.len() as u64;
    let copies = (0..50_000).map(|n| format!("corp_{n:06}")).collect::<Vec<_>>().join(" ");
    let (snapshot, changed) =
        redacted(vec![("passwords", value(Data::Sequence { items: tokens, len })), ("log", text(&copies))]);
    assert_eq!(changed, 50_001);
    assert!(!json(&snapshot).contains("corp_"));
    assert!(begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
}

#[test]
fn copies_of_a_long_secret_are_masked_whole() {
    let secret = format!("{}END", "aB3".repeat(3000));
    let message = format!("sent {secret}, got nothing");
    let (snapshot, _) = redacted(vec![("password", text(&secret)), ("log", text(&message))]);
    let written = json(&snapshot);
    assert!(written.contains("sent xX0") && written.contains(", got nothing"));
    assert!(!written.contains("aB3") && !written.contains("END"));
}

/// Texts of the parts that redaction goes by.
fn telling_text() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "password",
        "X-Api-Key",
        "Cookie",
        "Authorization",
        "Password(",
        "Some(",
        "user",
        ":",
        "=",
        ": ",
        " = ",
        "\"",
        "'",
        "\\",
        "\\n",
        "&",
        "[",
        "]",
        "(",
        ")",
        ", ",
        ";",
        "\n",
        "\r\n",
        "  ",
        "- ",
        "hunter2",
        "abc",
        "12",
        "ab1",
        "!!",
        "é",
        "Bearer ",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.ab1",
        "corp_12",
        "://u:p1@h",
        "b",
        "-----BEGIN PRIVATE KEY-----",
        "-----END ",
        "null",
        "#",
    ];
    prop::collection::vec(prop::sample::select(PARTS), 0..16).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_second_redaction_of_a_text_changes_nothing(content in telling_text()) {
        let rules = Rules::default().with_pattern("corp_*");
        let once = rules.redact_text(&content);
        prop_assert_eq!(once.len(), content.len());
        prop_assert_eq!(rules.redact_text(&once), once);
    }
}

#[test]
fn the_name_of_a_spawning_thread_is_redacted_as_a_threads_own() {
    let mut with_spawner = snapshot("boom", vec![]);
    let name = Some("fetch https://me:hunter2-S3cret@host/".to_owned());
    with_spawner.threads[0].spawned_by = Some(Spawner { tid: 1, name });
    assert!(redact(&mut with_spawner, &Rules::default()) > 0);
    assert!(!json(&with_spawner).contains("hunter2"));
}
