//! What providers tell us of people: buttons pressed in chats, messages acknowledged elsewhere, replies.
//!
//! Only what is known to come from the provider is taken, and each only once. It becomes an answer by the one door
//! in [`crate::reply`]; whoever pressed is told what came of it after the commit. One file a provider.

pub mod telegram;
