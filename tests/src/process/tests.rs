use super::*;

fn sleeper(end_with: Signal) -> Process {
    let mut sleep = guarded("sleep", end_with, None);
    sleep.arg("600");
    Process::start(sleep, end_with)
}

#[test]
fn a_child_ends_with_its_value() {
    let mut child = sleeper(Signal::Term);
    let id = child.id();
    assert!(child.is_running());
    drop(child);
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists());
}

#[test]
fn a_child_lives_on_when_the_thread_that_asked_for_it_ends() {
    let mut child = thread::spawn(|| sleeper(Signal::Kill)).join().unwrap();
    thread::yield_now();
    assert!(child.is_running());
}

#[test]
fn no_two_have_the_same_stretch_of_ports() {
    let (one, other) = (stretch(40), stretch(40));
    assert_ne!(one.1, other.1, "the first is still held");
}
