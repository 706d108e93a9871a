use super::inline;

#[test]
fn marks_become_html_and_everything_else_is_escaped() {
    assert_eq!(inline("**A** `<b>` & c"), "<strong>A</strong> <code>&lt;b&gt;</code> &amp; c");
}
