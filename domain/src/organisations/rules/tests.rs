use uuid::Uuid;

use super::*;

#[test]
fn those_below_are_found_and_a_circle_ends() {
    let unit = |number| UnitId(Uuid::from_u128(number));
    let parents = HashMap::from([(unit(1), None), (unit(2), Some(unit(1))), (unit(3), Some(unit(2))), (unit(4), None)]);
    let mut found = with_children(&[unit(1)], &parents);
    found.sort_unstable();
    assert_eq!(found, [unit(1), unit(2), unit(3)]);
    let circle = HashMap::from([(unit(1), Some(unit(2))), (unit(2), Some(unit(1)))]);
    assert_eq!(with_children(&[unit(1)], &circle).len(), 2);
    assert!(with_children(&[], &parents).is_empty());
    assert!(hangs_below(unit(3), unit(1), &parents) && hangs_below(unit(4), unit(4), &parents));
    assert!(!hangs_below(unit(1), unit(3), &parents) && !hangs_below(unit(3), unit(4), &parents));
    assert!(!hangs_below(unit(1), unit(4), &circle));
}
