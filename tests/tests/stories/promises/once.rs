//! Each thing is done once, by however many work on it, also when one of them stands still.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use nazorg_tests::{
    processes::Member,
    smtp_sink::{At, Behaviour, Does, Received, SmtpSink},
};

use super::{PATIENCE, Trial, size};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p13_all_workers_together_deliver_each_exactly_once() {
    let reminders = size("PROMISES_DELIVERIES", 100);
    let mut trial = Trial::ready(4, (reminders, 1)).await;
    trial.over = Instant::now();
    trial.begin(0);
    let ends = trial.ends("P13").await;
    assert!(ends.keys().all(|(_, end, times)| (end.as_str(), *times) == ("sent", 1)), "{ends:?}");
}

/// A worker stands still while it sends; its lease ends, another takes over; then it goes on as if nothing had happened. On SQLite nobody
/// else is there: it finds its own lease over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_a_worker_that_slept_past_its_lease_changes_nothing_any_more() {
    let mut trial = Trial::ready(2, (size("PROMISES_REMINDERS", 30), 1)).await;
    let addresses = ["peer-3@staff.example", "person-3@home.example"];
    for address in addresses {
        trial.mail.behave_to(address, Behaviour { at: At::Text, does: Does::Hold, times: Some(1) });
    }
    let arrived = |trial: &Trial| addresses.map(|address| to(&trial.mail, address).len());
    trial.begin(0);
    wait_until("both are held", || arrived(&trial) == [1, 1]).await;
    tokio::time::sleep(Duration::from_secs(1)).await; // what was taken beside them is settled
    trial.service.working().iter().for_each(Member::freeze);
    trial.service.clock.pass(TimeDelta::seconds(120));
    let others = !trial.service.workers.is_empty();
    if others {
        trial.service.add_worker().await;
        wait_until("another took over", || arrived(&trial)[0] == 2).await;
    }
    trial.service.working().iter().for_each(Member::thaw);
    trial.mail.release();
    trial.over = Instant::now();
    tokio::time::sleep(Duration::from_secs(2)).await; // they settle what is no longer theirs
    let mails = to(&trial.mail, addresses[0]);
    assert!(mails.len() == 2 || !others && mails.len() == 1, "{} went to the peer", mails.len());
    assert!(mails.iter().all(|mail| mail.message_id() == mails[0].message_id()));
    assert_eq!(arrived(&trial)[1], 1, "a person never gets it twice");
    let ends = trial.ends("P14").await;
    let twice: usize = ends.iter().filter(|((.., times), _)| *times > 1).map(|(_, count)| count).sum();
    assert!(ends.keys().all(|(.., times)| *times <= 2), "{ends:?}");
    println!("P14: {twice} went to staff twice, under the same Message-ID");
}

fn to(mail: &SmtpSink, address: &str) -> Vec<Received> {
    mail.seen().into_iter().filter(|one| one.to == [address]).collect()
}

pub(super) async fn wait_until(what: &str, ready: impl Fn() -> bool) {
    let began = Instant::now();
    while !ready() {
        assert!(began.elapsed() < PATIENCE, "{what} within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
