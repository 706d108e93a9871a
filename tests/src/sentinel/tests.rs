use super::*;

#[test]
fn the_replica_takes_over() {
    let mut watched = Watched::start();
    watched.master.kill();
    watched.failed_over();
}
