//! The examples of the guide to definitions are true.
