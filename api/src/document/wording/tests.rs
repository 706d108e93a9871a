use super::header;

#[test]
fn headers_have_their_usual_casing() {
    let all = ["ETAG", "LINK", "RETRY-AFTER", "API-VERSION", "IDEMPOTENCY-KEY", "RATELIMIT-POLICY"];
    let usual = ["ETag", "Link", "Retry-After", "API-Version", "Idempotency-Key", "RateLimit-Policy"];
    assert_eq!(all.map(header), usual);
}
