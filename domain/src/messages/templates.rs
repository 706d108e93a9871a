//! Which texts there are (DOMAIN 7.6), and what each may be given. The words themselves live with the sender.

macro_rules! templates {
    ($($(#[$doc:meta])* $variant:ident = $word:literal;)*) => {
        /// One neutral "waiting-room" text.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Template { $($(#[$doc])* $variant,)* }

        impl Template {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in a protocol and in a message's row; `n.` before it is DOMAIN's way of writing.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

templates! {
    /// Something waits behind the login.
    Login = "login";
    /// An appointment, with day and time.
    Appointment = "appt";
    /// An appointment for someone whose household must learn nothing: weekday and time only.
    AppointmentMasked = "appt.masked";
    /// How are you?
    CheckIn = "checkin";
    /// A question for someone close.
    FamilyCheckIn = "family.checkin";
    /// Support for someone close.
    FamilySupport = "family.support";
    /// Work that falls due.
    Task = "task";
    /// Work past its term.
    Overdue = "overdue";
    /// A questionnaire.
    Survey = "survey";
    /// No more messages.
    Stop = "stop";
}

impl Template {
    /// By its name, with or without `n.`; a protocol's names have underscores where ours have dots.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.strip_prefix("n.").unwrap_or(name).replace('_', ".");
        Self::ALL.iter().copied().find(|template| template.as_str() == name)
    }
}

#[cfg(test)]
mod tests;
