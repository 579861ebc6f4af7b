//! What the generator writes above a test is what a replay reads there.

#![allow(clippy::unwrap_used, reason = "a test may fail so")]

use relapse_generator::regression::{Given, Header as Written, ModulePlace, Regression};
use relapse_generator::render::{RunCommand, Templates, render};
use relapse_replay::Header;

fn regression(run_it: &RunCommand) -> Regression {
    Regression {
        name: "nth_out_of_bounds".into(),
        module: ModulePlace {
            package: "demo".into(),
            package_folder: "crates/demo".into(),
            file: "src/lib.rs".into(),
            inline: Vec::new(),
            module_path: Vec::new(),
            edition: 2021,
            no_std: false,
        },
        header: Written {
            function: "List::nth".into(),
            message: "called `Result::unwrap()` on an `Err` value: Bad { text: \"x y \", at: [1, 2] }".into(),
            place: "src/list.rs:12".into(),
            within: Some("a closure of get".into()),
            date: "2026-11-23".into(),
            command: "cargo run -- a\nb".into(),
            build: "rustc 1.95.0 debug".into(),
            class: None,
            run_it: run_it.to_string(),
            snapshot: "7c1e09b2a0ff0102".into(),
            target: "crate::List::nth".into(),
            remarks: vec!["a remark: of any form".into()],
        },
        uses: Vec::new(),
        body: "nth(&[1], 3);".into(),
        left_out: Vec::new(),
        dies: false,
        panic_ends_process: false,
        speaks_over: false,
        time_limit: None,
        executor: None,
        given: Given::default(),
        should_panic: None,
        copied: None,
        side_files: Vec::new(),
        constructors: Vec::new(),
    }
}

fn command() -> RunCommand {
    RunCommand {
        variables: vec![("RUSTFLAGS".into(), Some("--cfg a -Ctarget-cpu=native".into()))],
        package: "demo".into(),
        cargo_args: ["--bin", "a b", "--features", "x,y", "--release"].map(str::to_owned).into(),
        test: "a::regressions::nth_out_of_bounds::nth_out_of_bounds".into(),
    }
}

#[test]
fn a_header_is_read_as_it_was_rendered() {
    let command = command();
    let mut regression = regression(&command);
    for (dies, open) in [(false, false), (true, true)] {
        regression.dies = dies;
        regression.should_panic = open.then(|| "x".to_owned());
        let header = Header::read(&render(&regression, &Templates::embedded()).unwrap()).unwrap();
        assert_eq!(header.package, command.package);
        assert_eq!(header.cargo_args, command.cargo_args);
        assert_eq!(header.variables, command.variables);
        assert_eq!(header.test, command.test);
        assert_eq!(header.snapshot, "7c1e09b2");
        assert_eq!((header.crash.dies, header.open), (dies, open));
        assert_eq!(header.crash.function, "List::nth");
        assert_eq!((header.crash.file.as_str(), header.crash.line), ("src/list.rs", Some(12)));
        assert_eq!(header.crash.within.as_deref(), Some("a closure of get"));
        assert!(header.crash.cut);
        assert_eq!(header.crash.message, "called `Result::unwrap()` on an `Err` value: Bad { text: ");
    }
}
