//! The server as a client sees it: over a plain socket, and from Python's `imaplib`.

mod client;
mod commands;
mod ending;
mod faults;
mod imaplib;
