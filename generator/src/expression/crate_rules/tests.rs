use super::*;

#[test]
fn the_rules_can_be_read() {
    let rules = read(include_str!("../crate_rules.toml"));
    assert!(rules.as_ref().is_ok_and(|rules| rules.len() > 20), "{:?}", rules.err());
}
