use super::*;
use crate::error::Error;

fn one(system: &str, value: &str) -> ExternalRef {
    ExternalRef { system: system.to_owned(), value: value.to_owned() }
}

#[test]
fn each_system_once_and_a_value_is_a_line() {
    assert!(check(&[one("hr", "17"), one("vim", "17")]).is_ok());
    assert!(check(&[]).is_ok());
    let Err(Error::Invalid(errors)) = check(&[one("hr", "17"), one("hr", "a\nb")]) else { panic!("accepted") };
    let told: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), &*error.code)).collect();
    assert_eq!(told, [("/externalRefs/1/system", "duplicate"), ("/externalRefs/1/value", "bad_format")]);
}
