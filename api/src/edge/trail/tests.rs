use super::parent;

#[test]
fn a_traceparent_is_read_as_the_recommendation_says() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    assert_eq!(parent(&format!("00-{trace}-00f067aa0ba902b7-01")), Some((trace, "01")));
    assert_eq!(parent(&format!("cc-{trace}-00f067aa0ba902b7-01-what-comes")), Some((trace, "01")));
    for bad in [
        format!("00-{trace}-00f067aa0ba902b7-01-more"),
        format!("ff-{trace}-00f067aa0ba902b7-01"),
        format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        format!("00-{trace}-0000000000000000-01"),
        format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
        "00".to_owned(),
    ] {
        assert_eq!(parent(&bad), None, "{bad}");
    }
}
