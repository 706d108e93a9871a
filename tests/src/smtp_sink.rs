//! A mail server that behaves as told: accepts, says no for a while or for good, falls silent, hangs up, or takes only so many a second;
//! and remembers everything it was given.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Where in the conversation something happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// Instead of the greeting.
    Greeting,
    /// In answer to `MAIL FROM`.
    Mail,
    /// In answer to `RCPT TO`.
    Rcpt,
    /// In answer to `DATA`, before the text.
    Data,
    /// After the text: the server has all of it.
    Text,
}

/// What the server does there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// Answers with this number: 451, 550, 421, …
    Reply(u16),
    /// Says nothing, and keeps the line open.
    Hang,
    /// Says nothing until [`SmtpSink::release`], then what it usually says.
    Hold,
    /// Says what it usually says, this much later.
    Wait(Duration),
    /// Hangs up.
    Cut,
}

/// A departure from accepting everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Behaviour {
    /// Where.
    pub at: At,
    /// What.
    pub does: Does,
    /// How many times; after that everything is accepted. `None`: for ever.
    pub times: Option<usize>,
}

/// A message the server was given whole.
#[derive(Debug, Clone)]
pub struct Received {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipients.
    pub to: Vec<String>,
    /// The text as it came, headers and all.
    pub data: String,
    /// When.
    pub at: Instant,
    /// Whether the server said yes. Without it the client cannot know that the server has it.
    pub accepted: bool,
}

impl Received {
    /// A header's value, unfolded; the first of that name.
    pub fn header(&self, name: &str) -> Option<String> {
        let head = self.data.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    }

    /// The `Message-ID`.
    pub fn message_id(&self) -> String {
        self.header("Message-ID").unwrap_or_default()
    }
}

#[derive(Default)]
struct Script {
    everyone: Option<Behaviour>,
    recipients: HashMap<String, Behaviour>,
    per_second: Option<usize>,
    taken: Vec<Instant>,
    received: Vec<Received>,
    open: usize,
    most_open: usize,
    connections: usize,
}

/// Who is held, and whether they may go on.
#[derive(Default)]
struct Gate {
    held: usize,
    open: bool,
}

/// The server; it stops with the value.
pub struct SmtpSink {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    count: watch::Sender<usize>,
    gate: watch::Sender<Gate>,
    listening: tokio::task::JoinHandle<()>,
}

impl SmtpSink {
    /// Starts one that accepts everything, on a port of its own.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (script, count) = (Arc::<Mutex<Script>>::default(), watch::Sender::new(0));
        let gate = watch::Sender::new(Gate::default());
        let listening = tokio::spawn({
            let (script, count, gate) = (Arc::clone(&script), count.clone(), gate.clone());
            async move {
                let mut talks = tokio::task::JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let talk = Talk { script: Arc::clone(&script), count: count.clone(), gate: gate.clone() };
                    talks.spawn(talk.over(stream));
                    while talks.try_join_next().is_some() {}
                }
            }
        });
        Self { address, script, count, gate, listening }
    }

    /// Its URL, for `SMTP_URL`.
    pub fn url(&self) -> String {
        format!("smtp://{}?tls=none", self.address)
    }

    /// From now on, to everyone who has no behaviour of their own. `None`: accept.
    pub fn behave(&self, behaviour: impl Into<Option<Behaviour>>) {
        self.script.lock().unwrap().everyone = behaviour.into();
    }

    /// From now on, to this recipient (from `RCPT TO` on: before it the server does not know whom it is for).
    pub fn behave_to(&self, recipient: &str, behaviour: Behaviour) {
        self.script.lock().unwrap().recipients.insert(recipient.to_owned(), behaviour);
    }

    /// Takes at most so many messages in any second; the others are answered 451. `None`: as many as come.
    pub fn at_most_per_second(&self, limit: impl Into<Option<usize>>) {
        self.script.lock().unwrap().per_second = limit.into();
    }

    /// Everything that came whole, accepted or not, in order.
    pub fn seen(&self) -> Vec<Received> {
        self.script.lock().unwrap().received.clone()
    }

    /// What was accepted, in order.
    pub fn accepted(&self) -> Vec<Received> {
        self.seen().into_iter().filter(|message| message.accepted).collect()
    }

    /// The most connections that were open at the same time, and how many there were in all.
    pub fn connections(&self) -> (usize, usize) {
        let script = self.script.lock().unwrap();
        (script.most_open, script.connections)
    }

    /// Waits until a conversation is held ([`Does::Hold`]).
    ///
    /// # Panics
    /// When none is in time.
    pub async fn wait_for_held(&self, within: Duration) {
        let mut gate = self.gate.subscribe();
        let came = tokio::time::timeout(within, gate.wait_for(|gate| gate.held > 0)).await;
        assert!(came.is_ok(), "nothing was held within {within:?}");
    }

    /// Lets go on whoever is held, and holds nobody any more.
    pub fn release(&self) {
        self.gate.send_modify(|gate| gate.open = true);
    }

    /// Holds again whoever [`Does::Hold`] holds, after a [`Self::release`].
    pub fn hold_again(&self) {
        self.gate.send_modify(|gate| *gate = Gate::default());
    }

    /// Waits until `n` messages came whole.
    ///
    /// # Panics
    /// When they have not come in time.
    pub async fn wait_for(&self, n: usize, within: Duration) {
        let mut count = self.count.subscribe();
        let came = tokio::time::timeout(within, count.wait_for(|count| *count >= n)).await;
        assert!(came.is_ok(), "{} of {n} messages came within {within:?}", self.seen().len());
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// One connection.
struct Talk {
    script: Arc<Mutex<Script>>,
    count: watch::Sender<usize>,
    gate: watch::Sender<Gate>,
}

/// Why a conversation ends.
struct Over;

type Line = BufReader<TcpStream>;

impl Talk {
    async fn over(self, stream: TcpStream) {
        {
            let mut script = self.script.lock().unwrap();
            script.open += 1;
            script.connections += 1;
            script.most_open = script.most_open.max(script.open);
        }
        let mut line = BufReader::new(stream);
        let _ = self.converse(&mut line).await;
        self.script.lock().unwrap().open -= 1;
    }

    async fn converse(&self, line: &mut Line) -> Result<(), Over> {
        self.answer(line, (At::Greeting, &[]), "220 sink ESMTP").await?;
        let (mut from, mut to) = (String::new(), Vec::new());
        loop {
            let command = read(line).await?;
            let upper = command.to_uppercase();
            let argument = || command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            if upper.starts_with("EHLO") {
                say(line, "250-sink\r\n250-8BITMIME\r\n250 SMTPUTF8").await?;
            } else if upper.starts_with("MAIL FROM") {
                (from, to) = (argument(), Vec::new());
                if self.too_many() {
                    say(line, "451 4.7.1 slower please").await?;
                } else {
                    self.answer(line, (At::Mail, &[]), "250 ok").await?;
                }
            } else if upper.starts_with("RCPT TO") {
                to.push(argument());
                self.answer(line, (At::Rcpt, &to), "250 ok").await?;
            } else if upper == "DATA" {
                if self.answer(line, (At::Data, &to), "354 go on").await? {
                    self.take(line, &from, &to).await?;
                }
            } else if upper == "QUIT" {
                return say(line, "221 bye").await;
            } else {
                say(line, "250 ok").await?; // RSET, NOOP
            }
        }
    }

    async fn take(&self, line: &mut Line, from: &str, to: &[String]) -> Result<(), Over> {
        let mut data = String::new();
        loop {
            let text = read(line).await?;
            if text == "." {
                break;
            }
            data.push_str(text.strip_prefix('.').unwrap_or(&text));
            data.push_str("\r\n");
        }
        let does = self.does(At::Text, to);
        let received = Received {
            from: from.to_owned(),
            to: to.to_vec(),
            data,
            at: Instant::now(),
            accepted: matches!(does, None | Some(Does::Hold | Does::Wait(_))),
        };
        let number = {
            let mut script = self.script.lock().unwrap();
            script.received.push(received);
            script.received.len()
        };
        let done = self.perform(line, does, &format!("250 2.0.0 Ok: queued as sink-{number}")).await;
        // Two conversations may end in the other order than they were numbered in.
        self.count.send_modify(|count| *count = number.max(*count));
        done.map(drop)
    }

    /// Says `usual` or does what the script has for here; answers whether it was the usual.
    async fn answer(&self, line: &mut Line, (at, to): (At, &[String]), usual: &str) -> Result<bool, Over> {
        let does = self.does(at, to);
        self.perform(line, does, usual).await
    }

    async fn perform(&self, line: &mut Line, does: Option<Does>, usual: &str) -> Result<bool, Over> {
        match does {
            None => say(line, usual).await.map(|()| true),
            Some(Does::Reply(number)) => {
                say(line, &format!("{number} as told")).await?;
                if number == 421 { Err(Over) } else { Ok(false) }
            }
            Some(Does::Hang) => {
                let mut nothing = String::new();
                while line.read_line(&mut nothing).await.is_ok_and(|n| n > 0) {}
                Err(Over)
            }
            Some(Does::Hold) => {
                self.gate.send_modify(|gate| gate.held += 1);
                let mut gate = self.gate.subscribe();
                let _ = gate.wait_for(|gate| gate.open).await;
                say(line, usual).await.map(|()| true)
            }
            Some(Does::Wait(time)) => {
                tokio::time::sleep(time).await;
                say(line, usual).await.map(|()| true)
            }
            Some(Does::Cut) => Err(Over),
        }
    }

    /// What the script has for this moment, counted down.
    fn does(&self, at: At, to: &[String]) -> Option<Does> {
        let mut script = self.script.lock().unwrap();
        let own = to.iter().find(|recipient| script.recipients.contains_key(*recipient)).cloned();
        let behaviour = match own {
            Some(recipient) => script.recipients.get_mut(&recipient),
            None => script.everyone.as_mut(),
        }?;
        if behaviour.at != at || behaviour.times == Some(0) {
            return None;
        }
        behaviour.times = behaviour.times.map(|times| times - 1);
        Some(behaviour.does)
    }

    fn too_many(&self) -> bool {
        let mut script = self.script.lock().unwrap();
        let Some(limit) = script.per_second else { return false };
        script.taken.retain(|at| at.elapsed() < Duration::from_secs(1));
        if script.taken.len() >= limit {
            return true;
        }
        script.taken.push(Instant::now());
        false
    }
}

async fn read(line: &mut Line) -> Result<String, Over> {
    let mut text = String::new();
    match line.read_line(&mut text).await {
        Ok(n) if n > 0 => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
        _ => Err(Over),
    }
}

async fn say(line: &mut Line, text: &str) -> Result<(), Over> {
    line.get_mut().write_all(format!("{text}\r\n").as_bytes()).await.map_err(|_| Over)
}
