use super::{IfMatch, read};

#[test]
fn an_entity_tag_is_read_strictly() {
    assert_eq!(read("\"3\"").ok(), Some(IfMatch(3)));
    let status = |header| read(header).err().map(|problem| problem.code.entry().status);
    assert_eq!(status("\"abc\""), Some(412));
    assert_eq!(status("W/\"3\""), Some(412));
    assert_eq!(status("\"3\", \"4\""), Some(400));
    assert_eq!(status("3"), Some(400));
}
