use uuid::Uuid;

use super::*;

const CASE: CaseId = CaseId(Uuid::from_u128(1));
const WARD: UnitId = UnitId(Uuid::from_u128(11));
const HOUSE: UnitId = UnitId(Uuid::from_u128(10));

fn person(number: u128) -> PersonId {
    PersonId(Uuid::from_u128(100 + number))
}

fn wanted(unit: Option<UnitId>) -> Wanted {
    Wanted { case: CASE, unit, role: "coach".to_owned() }
}

/// A hospital whose ward hangs below the house: the coach is 1, the ward's roster 2 and 3, the house's 4, the
/// organisation's 5; the coordinator on the organisation's roster is 6.
fn who(assigned: &[u128], away: &[(u128, Option<u128>)], unit: Option<UnitId>) -> Option<u128> {
    let word = |role: &str| role.to_owned();
    let staffing = Staffing::new(
        assigned.iter().map(|one| (CASE, word("coach"), person(*one))).collect(),
        vec![
            (Some(WARD), word("coach"), person(2)),
            (Some(WARD), word("coach"), person(3)),
            (Some(HOUSE), word("coach"), person(4)),
            (None, word("coach"), person(5)),
            (None, word(COORDINATOR), person(6)),
        ],
        away.iter().map(|(one, cover)| (person(*one), cover.map(person))).collect(),
        HashMap::from([(WARD, Some(HOUSE)), (HOUSE, None)]),
    );
    staffing.who(&wanted(unit)).map(|id| id.0.as_u128() - 100)
}

#[test]
fn the_assigned_person_comes_first() {
    assert_eq!(who(&[1], &[], Some(WARD)), Some(1));
}

#[test]
fn a_cover_stands_in_and_a_cover_of_a_cover() {
    assert_eq!(who(&[1], &[(1, Some(7))], Some(WARD)), Some(7));
    assert_eq!(who(&[1], &[(1, Some(7)), (7, Some(8))], Some(WARD)), Some(8));
}

#[test]
fn two_absences_at_once_try_both_covers() {
    assert_eq!(who(&[1], &[(1, None), (1, Some(7))], Some(WARD)), Some(7));
    assert_eq!(who(&[1], &[(1, Some(7)), (1, Some(8)), (7, None)], Some(WARD)), Some(8));
}

#[test]
fn covers_in_a_circle_fall_through_to_the_roster() {
    assert_eq!(who(&[1], &[(1, Some(7)), (7, Some(1))], Some(WARD)), Some(2));
}

#[test]
fn the_roster_is_the_units_then_its_parents_then_the_organisations() {
    assert_eq!(who(&[], &[], Some(WARD)), Some(2));
    assert_eq!(who(&[], &[(2, None)], Some(WARD)), Some(3));
    assert_eq!(who(&[], &[(2, Some(9)), (3, None)], Some(WARD)), Some(4));
    assert_eq!(who(&[], &[(4, None)], Some(HOUSE)), Some(5));
    assert_eq!(who(&[], &[], None), Some(5));
}

#[test]
fn the_coordinator_is_asked_before_nobody() {
    let all: Vec<_> = (2..=5).map(|one| (one, None)).collect();
    assert_eq!(who(&[], &all, Some(WARD)), Some(6));
    let with_coordinator: Vec<_> = (2..=6).map(|one| (one, None)).collect();
    assert_eq!(who(&[], &with_coordinator, Some(WARD)), None);
}

#[test]
fn units_in_a_circle_end() {
    let staffing = Staffing::new(vec![], vec![], vec![], HashMap::from([(WARD, Some(HOUSE)), (HOUSE, Some(WARD))]));
    assert_eq!(staffing.who(&wanted(Some(WARD))), None);
}

#[test]
fn an_absence_ends_now_or_never_happens() {
    let at = |hour: u32| chrono::DateTime::from_timestamp(i64::from(hour) * 3600, 0).unwrap();
    let absence = |from, until| Absence {
        id: nazorg_entities::AbsenceId(Uuid::from_u128(9)),
        person_id: person(1),
        cover_person_id: None,
        from: at(from),
        until: at(until),
        created_at: at(0),
        version: 1,
    };
    assert_eq!(end_absence(&absence(2, 8), at(5)).unwrap(), at(5));
    assert_eq!(end_absence(&absence(2, 8), at(1)).unwrap(), at(2));
    assert!(end_absence(&absence(2, 8), at(8)).is_err());
    assert!(end_absence(&absence(2, 2), at(1)).is_err(), "one that never happened");
}
