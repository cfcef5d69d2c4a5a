//! An in-process IMAP server for tests.
