//! The stories: things that happened to someone, told over TCP against the running service.
