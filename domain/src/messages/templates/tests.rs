use super::*;

#[test]
fn every_name_is_read_back_in_each_way_of_writing() {
    for template in Template::ALL {
        let name = template.as_str();
        assert_eq!(Template::parse(name), Some(*template));
        assert_eq!(Template::parse(&format!("n.{name}")), Some(*template));
        assert_eq!(Template::parse(&name.replace('.', "_")), Some(*template));
    }
    assert_eq!(Template::parse("n.diagnosis"), None);
}
